"""Data-driven segments, and the journeys that events and segments start."""

from __future__ import annotations

import time

import pytest

DAY = 86_400
REPEAT = {"attribute": {"field": "lifetime_orders", "operator": "gte", "value": 2}}
INACTIVE = {"attribute": {"field": "last_order_at", "operator": "older_than_days", "value": 60}}
FIRST_ORDER = {
    "and": [
        {"event": {"name": "Order Completed", "within_days": 14}},
        {"not": {"event": {"name": "Order Completed", "at_least": 2}}},
    ]
}


def segment(api, conditions, name="Segment"):
    response = api.track.post("/_sandbox/segments", json={"name": name, "conditions": conditions})
    assert response.status_code == 200, response.text
    return response.json()["segment"]["id"]


def campaign(api, trigger, **more):
    response = api.track.post("/_sandbox/campaigns", json={"name": "Campaign", "trigger": trigger, **more})
    assert response.status_code == 200, response.text
    return response.json()["id"]


def members(api, number):
    return api.app.get(f"/v1/segments/{number}/membership").json()["ids"]


def journeys(api, **asked):
    return api.track.get("/_sandbox/journeys", params=asked).json()["journeys"]


def started(api, number):
    return [each["identifiers"]["id"] for each in journeys(api, campaign=number)]


def order(identifier, days_ago=0.0, **more):
    at = int(time.time() - days_ago * DAY)
    event = {"name": "Order Completed", "timestamp": at}
    return {"type": "person", "action": "event", "identifiers": {"id": identifier}, **event, **more}


def test_repeat_buyers_follow_their_attribute(api):
    number = segment(api, REPEAT)
    api.add(*(api.identify({"lifetime_orders": n}, id=f"c{n}") for n in (1, 2, 10)))
    assert members(api, number) == ["c2", "c10"]
    api.add(api.identify({"lifetime_orders": 1}, id="c10"), api.identify({"lifetime_orders": 3}, id="c1"))
    assert members(api, number) == ["c1", "c2"]
    assert api.app.get(f"/v1/segments/{number}/customer_count").json()["count"] == 2
    assert api.app.get("/v1/customers/c1/segments").json()["segments"] == [{"id": number, "name": "Segment"}]
    listed = api.app.get(f"/v1/segments/{number}").json()["segment"]
    assert listed["type"] == "dynamic"


def test_people_who_were_there_before_the_segment_are_in_it(api):
    api.add(api.identify({"lifetime_orders": 2}, id="c2"), api.identify(id="c0"))
    assert members(api, segment(api, REPEAT)) == ["c2"]


def test_inactive_after_60_days_by_the_clock(api):
    number = segment(api, INACTIVE)
    watching = campaign(api, {"segment": number})
    now = int(time.time())
    api.add(
        api.identify({"last_order_at": now - 59 * DAY}, id="recent"),
        api.identify({"last_order_at": now - 61 * DAY}, id="away"),
        api.identify({"last_order_at": "never"}, id="text"),
        api.identify(id="without"),
    )
    assert [*members(api, number), *started(api, watching)] == ["away", "away"]
    api.set(clock_offset=2 * DAY)
    assert members(api, number) == ["recent", "away"]
    assert started(api, watching) == ["away", "recent"]


def test_first_order_in_the_last_14_days_by_its_events(api):
    number = segment(api, FIRST_ORDER)
    api.add(order("new", 1), order("old", 15), order("twice", 30), order("twice", 2))
    assert members(api, number) == ["new"]


def test_a_data_driven_segment_cannot_be_changed(api):
    number = segment(api, REPEAT)
    api.add(api.identify(id="c1"))
    for verb in ("add", "remove"):
        response = api.track.post(f"/api/v1/segments/{number}/{verb}_customers", json={"ids": ["c1"]})
        assert response.status_code == 400
    assert members(api, number) == []


def test_a_deleted_segment_takes_its_conditions_along(api):
    number = segment(api, REPEAT)
    assert api.app.delete(f"/v1/segments/{number}").status_code == 204
    api.add(api.identify({"lifetime_orders": 2}, id="c2"))
    assert api.app.get("/v1/customers/c2/segments").json() == {"segments": []}


@pytest.mark.parametrize(("days_ago", "fired"), [(0, True), (2.9, True), (3.1, False), (365, False)], ids=str)
def test_an_event_of_more_than_72_hours_ago_starts_nothing(api, days_ago, fired):
    number = campaign(api, {"event": "Order Completed"})
    api.add(order("c1", days_ago))
    assert started(api, number) == (["c1"] if fired else [])
    assert len(api.events(identifier="c1")) == 1


def test_each_event_starts_a_journey_and_a_repeated_id_none(api):
    number = campaign(api, {"event": "Order Completed"})
    ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    api.add(order("c1", id=ulid), order("c1"), order("c1", id=ulid), order("c2", name="Order Refunded"))
    assert [each["event_id"] for each in journeys(api, campaign=number)] == [ulid, None]


def test_a_journey_reads_the_profile_as_it_is_then(api):
    number = campaign(api, {"event": "Order Completed"}, reads=["tier", "city"])
    api.add(api.identify({"tier": "gold"}, id="c1"), order("c1"), order("bare"))
    api.add(api.identify({"tier": "none"}, id="c1"))
    assert [each["read"] for each in journeys(api, campaign=number)] == [
        {"tier": "gold", "city": None},
        {"tier": None, "city": None},
    ]


def test_a_person_comes_into_a_campaign_by_segment_once(api):
    number = segment(api, REPEAT)
    api.add(api.identify({"lifetime_orders": 5}, id="already"))
    watching = campaign(api, {"segment": number})
    assert api.app.get(f"/v1/segments/{number}/used_by").json()["used_by"]["campaigns"] == [watching]
    for orders in (2, 1, 2):
        api.add(api.identify({"lifetime_orders": orders}, id="c1"))
    assert started(api, watching) == ["c1"]


def test_a_filter_keeps_people_out(api):
    opted_in = {"attribute": {"field": "is_live", "operator": "eq", "value": True}}
    number = campaign(api, {"event": "Order Completed"}, filter=opted_in)
    api.add(api.identify({"is_live": True}, id="c1"), order("c1"), order("c2"))
    assert started(api, number) == ["c1"]


def test_what_comes_while_a_campaign_is_stopped_is_lost(api):
    number = campaign(api, {"event": "Order Completed"})
    for state in ("stopped", "running"):
        assert api.track.put(f"/_sandbox/campaigns/{number}", json={"state": state}).status_code == 200
        api.add(order(state))
    assert started(api, number) == ["running"]
    assert [each["state"] for each in api.track.get("/_sandbox/campaigns").json()["campaigns"]] == ["running"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"name": "C"},
        {"name": "C", "trigger": {"event": 1}},
        {"name": "C", "trigger": {"segment": 99}},
        {"name": "C", "trigger": {"event": "E", "segment": 1}},
        {"name": "C", "trigger": {"event": "E"}, "filter": {"weather": "fine"}},
        {"name": "C", "trigger": {"event": "E"}, "reads": "name"},
    ],
)
def test_a_wrong_campaign_is_refused(api, body):
    response = api.track.post("/_sandbox/campaigns", json=body)
    assert response.status_code == 400
    assert response.json()["error"]
    assert api.track.get("/_sandbox/campaigns").json() == {"campaigns": []}


@pytest.mark.parametrize(
    "conditions",
    [
        None,
        {"attribute": {"field": "n", "operator": "gte", "value": "2"}},
        {"attribute": {"field": "n", "operator": "within_days", "value": -1}},
        {"event": {"name": ""}},
        {"event": {"name": "E", "at_least": 0}},
    ],
)
def test_wrong_conditions_are_refused(api, conditions):
    assert (
        api.track.post("/_sandbox/segments", json={"name": "S", "conditions": conditions}).status_code == 400
    )


def test_the_search_of_the_app_api_knows_no_such_conditions(api):
    for conditions in (REPEAT, {"event": {"name": "E"}}):
        assert api.app.post("/v1/customers", json={"filter": conditions}).status_code == 400


def test_unknown_states_and_campaigns(api):
    number = campaign(api, {"event": "E"})
    assert api.track.put(f"/_sandbox/campaigns/{number}", json={"state": "resting"}).status_code == 400
    assert api.track.put("/_sandbox/campaigns/99", json={"state": "stopped"}).status_code == 404
