"""Everything that is answered with 200 and not done."""

from __future__ import annotations

import time

import pytest


def test_suppressed_people_are_ignored(api):
    api.add(api.identify({"email": "a@example.com"}, id="1"), api.act("suppress", {"id": "1"}))
    api.add(
        api.identify({"x": 1}, id="1"),
        api.identify({"x": 1}, email="A@example.com"),
        api.act("event", {"id": "1"}, name="purchase"),
    )
    assert (api.stats()["people"], api.stats()["events"]) == (0, 0)
    assert api.dropped() == {"suppressed": 3}
    assert api.stats()["suppressed"] == 3


def test_unsuppress_frees_all_identifiers_and_restores_nothing(api):
    api.add(api.identify({"email": "a@example.com", "x": 1}, id="1"), api.act("suppress", {"id": "1"}))
    api.add(api.act("unsuppress", {"email": "a@example.com"}), api.identify({"y": 2}, id="1"))
    assert (api.person("1")["attributes"], api.person("1")["email"]) == ({"y": 2}, None)


def test_suppressing_a_stranger_blocks_the_identifier(api):
    api.add(api.act("suppress", {"id": "1"}), api.act("suppress", {"id": "2"}), api.identify(id="1"))
    api.add(api.act("unsuppress", {"id": "1"}), api.identify(id="1"), api.identify(id="2"))
    assert (api.person("1") is not None, api.person("2")) == (True, None)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_nan_is_dropped_and_its_neighbours_are_not(api, number):
    item = '{"type":"person","action":"identify","identifiers":{"id":"%s"},"attributes":{"ltv":%s}}'
    body = '{"batch":[' + item.replace("%s", "1", 1).replace("%s", number)
    body += "," + item.replace("%s", "2", 1).replace("%s", "1") + "]}"
    response = api.track.post("/api/v2/batch", content=body)
    assert (response.status_code, response.json()) == (200, {})
    assert (api.person("1"), api.person("2")["attributes"]) == (None, {"ltv": 1})
    v1 = api.track.put("/api/v1/customers/3", content=f'{{"ltv": {number}}}')
    assert v1.status_code == 200
    assert api.dropped() == {"nan": 2}


def test_unknown_cio_id(api):
    api.add(
        api.identify({"x": 1}, cio_id="a0000fff"),
        api.identify({"x": 1}, cio_id="nonsense"),
        api.act("event", {"cio_id": "a0000fff"}, name="n"),
    )
    assert api.stats()["people"] == 0
    assert api.dropped() == {"unknown_cio_id": 3}


def test_stale_identify_is_dropped_whole(api):
    now = int(time.time())
    api.add({**api.identify({"plan": "new"}, id="1"), "timestamp": now - 100})
    api.add({**api.identify({"plan": "old", "extra": 1}, id="1"), "timestamp": now - 101})
    assert api.person("1")["attributes"] == {"plan": "new"}
    api.add({**api.identify({"plan": "newer"}, id="1"), "timestamp": now - 100})
    assert api.person("1")["attributes"] == {"plan": "newer"}
    assert api.dropped() == {"stale_timestamp": 1}


def test_an_identify_that_changes_nothing_does_not_age_the_others(api):
    now = int(time.time())
    api.add({**api.identify({"plan": "a"}, id="1"), "timestamp": now - 100})
    api.add(api.identify({"plan": "a"}, id="1"))
    api.add({**api.identify({"plan": "b"}, id="1"), "timestamp": now - 50})
    assert api.person("1")["attributes"] == {"plan": "b"}


def test_a_time_in_the_future_counts_as_now(api):
    api.add({**api.identify({"plan": "a"}, id="1"), "timestamp": 4_000_000_000_000})
    api.add(api.identify({"plan": "b"}, id="1"))
    assert api.person("1")["attributes"] == {"plan": "b"}


def test_update_does_not_create(api):
    api.add(api.identify({"_update": True, "x": 1}, id="1"))
    assert (api.stats()["people"], api.dropped()) == (0, {"update_unknown_person": 1})
    api.add(api.identify(id="1"), api.identify({"_update": True, "x": 1}, id="1"))
    assert api.person("1")["attributes"] == {"x": 1}
    assert api.activities(type="failed_attribute_change") == []


def test_update_in_v1_leaves_a_trace(api):
    assert api.track.put("/api/v1/customers/1", json={"_update": True}).status_code == 200
    (failed,) = api.activities(type="failed_attribute_change")
    assert (failed["customer_id"], set(failed["data"])) == (None, {"id"})
    assert api.stats()["people"] == 0


@pytest.mark.parametrize(
    ("primary", "secondary", "reason"),
    [
        ("nobody", "1", "unknown_primary"),
        ("1", "nobody", "unknown_secondary"),
        ("1", "1", "merge_with_itself"),
    ],
)
def test_merge_that_cannot_be(api, primary, secondary, reason):
    api.add(api.identify(id="1"))
    api.add(api.act("merge", {}, primary={"id": primary}, secondary={"id": secondary}))
    assert (api.stats()["people"], api.dropped()) == (1, {reason: 1})


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"type": "person", "action": "delete", "identifiers": {"id": "x"}}, "unknown_person"),
        (
            {
                "type": "person",
                "action": "delete_device",
                "identifiers": {"id": "x"},
                "device": {"token": "t"},
            },
            "unknown_person",
        ),
        (
            {
                "type": "object",
                "action": "delete",
                "identifiers": {"object_type_id": "1", "object_id": "x"},
            },
            "unknown_object",
        ),
    ],
)
def test_nothing_to_delete(api, item, reason):
    api.add(item)
    assert api.dropped() == {reason: 1}
