"""Events: de-duplication, time, names, anonymity."""

from __future__ import annotations

import pytest

ULID = "01HZXJ5V3J6Y8Q1N2B4C5D6E7F"


def event(api, **rest):
    return api.act("event", {"id": "1"}, **{"name": "purchase", **rest})


@pytest.mark.parametrize("again", [ULID, ULID.lower()])
def test_a_ulid_counts_once(api, again):
    api.add(event(api, id=ULID), event(api, id=again))
    api.add(event(api, id=again, attributes={"changed": True}))
    assert (api.stats()["events"], api.dropped()) == (1, {"duplicate_event": 2})


def test_a_ulid_counts_once_over_people(api):
    api.add(event(api, id=ULID), api.act("event", {"id": "2"}, name="purchase", id=ULID))
    assert api.stats()["events"] == 1


@pytest.mark.parametrize(("offset", "stored"), [(3599, 1), (3601, 2)])
def test_the_window_is_a_setting(api, offset, stored):
    api.set(dedupe_seconds=3600)
    api.add(event(api, id=ULID))
    api.set(clock_offset=offset)
    api.add(event(api, id=ULID))
    assert api.stats()["events"] == stored


def test_no_window_keeps_all(api):
    api.set(dedupe_seconds=0)
    api.add(event(api, id=ULID), event(api, id=ULID))
    assert api.stats()["events"] == 2


@pytest.mark.parametrize("rest", [{}, {"id": "not-a-ulid"}, {"id": "8" + ULID[1:]}, {"id": 7}])
def test_without_a_ulid_every_event_counts(api, rest):
    api.add(event(api, **rest), event(api, **rest))
    assert api.stats()["events"] == 2


def test_a_refused_or_suppressed_event_does_not_use_its_ulid(api):
    api.add(api.act("suppress", {"id": "1"}), event(api, id=ULID))
    api.batch(event(api, id=ULID, name=""))
    api.add(api.act("unsuppress", {"id": "1"}), event(api, id=ULID))
    assert api.stats()["events"] == 1


def test_what_is_kept(api):
    api.add(
        event(api, name="  Order Completed ", timestamp=1_600_000_000, attributes={"total": 1.5, "n": None})
    )
    api.add(api.act("page", {"id": "1"}, name="/pricing"))
    order, page = api.events(identifier="1")
    assert (order["name"], order["timestamp"], order["type"]) == ("Order Completed", 1_600_000_000, "event")
    assert order["data"] == {"total": 1.5, "n": None}
    assert page["type"] == "page"
    assert page["timestamp"] == page["received_at"]
    assert api.stats()["events_by_name"] == {"Order Completed": 1, "/pricing": 1}


def test_an_event_creates_its_person(api):
    api.add(event(api))
    assert api.person("1")["attributes"] == {}


@pytest.mark.parametrize(("days", "merged"), [(29, 1), (31, 0)])
def test_anonymous_events_join_within_30_days(api, days, merged):
    response = api.track.post("/api/v1/events", json={"name": "viewed", "anonymous_id": "anon"})
    assert response.status_code == 200
    assert (api.stats()["people"], len(api.events(anonymous_id="anon"))) == (0, 1)
    api.set(clock_offset=days * 86_400)
    api.add(api.identify({"anonymous_id": "anon"}, id="1"))
    assert len(api.events(identifier="1")) == merged
    assert len(api.activities(type="anon_merge")) == merged


def test_merging_can_be_off(api):
    api.set(event_merging=False)
    api.track.post("/api/v1/events", json={"name": "viewed", "anonymous_id": "anon"})
    api.add(api.identify({"anonymous_id": "anon"}, id="1"))
    assert api.events(identifier="1") == []


def test_events_outlive_their_person(api):
    api.add(event(api), api.act("delete", {"id": "1"}))
    assert (api.stats()["people"], api.stats()["events"]) == (0, 1)
    assert api.activities(type="event") == []
    assert [each["type"] for each in api.activities(deleted="true")] == [
        "profile_delete",
        "event",
        "profile_create",
    ]
