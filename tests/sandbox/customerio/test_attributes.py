"""What an identify writes: removal, types, preferences, reserved names."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("empty_removes", "value", "left"),
    [(True, "", {}), (True, None, {}), (False, "", {"a": ""}), (False, None, {"a": 1})],
)
def test_empty_values(api, empty_removes, value, left):
    api.set(empty_removes=empty_removes)
    api.add(api.identify({"a": 1}, id="1"), api.identify({"a": value}, id="1"))
    assert api.person("1")["attributes"] == left


@pytest.mark.parametrize(
    "value", [True, False, 0, 1, -(2**63), 2**64, 1.5, "text", ["a", 1], {"k": {"n": None}}]
)
def test_values_keep_their_type_and_read_as_text(api, value):
    api.add(api.identify({"a": value}, id="1"))
    stored = api.person("1")["attributes"]["a"]
    assert (stored, type(stored)) == (value, type(value))
    shown = api.app.get("/v1/customers/1/attributes").json()["customer"]["attributes"]["a"]
    assert isinstance(shown, str)


def test_one_and_true_differ(api):
    api.add(api.identify({"a": 1}, id="1"), api.identify({"a": True}, id="1"))
    assert api.person("1")["attributes"]["a"] is True


def test_names_have_case(api):
    api.add(api.identify({"Plan": 1, "plan": 2}, id="1"))
    assert api.person("1")["attributes"] == {"Plan": 1, "plan": 2}


def test_read_only_names_are_ignored(api):
    api.add(api.identify({"cio_id": "x", "_last_emailed": 1, "_created_in_customerio_at": 1, "a": 1}, id="1"))
    assert api.person("1")["attributes"] == {"a": 1}


def test_preferences_whole_and_by_topic(api):
    whole = {"cio_subscription_preferences": {"topics": {"topic_1": True, "topic_2": True}}}
    api.add(api.identify(whole, id="1"))
    api.add(api.identify({"cio_subscription_preferences.topics.topic_2": False}, id="1"))
    topics = api.person("1")["attributes"]["cio_subscription_preferences"]["topics"]
    assert topics == {"topic_1": True, "topic_2": False}
    api.add(api.identify({"cio_subscription_preferences": {"topics": {"topic_3": True}}}, id="1"))
    assert api.person("1")["attributes"]["cio_subscription_preferences"] == {"topics": {"topic_3": True}}


@pytest.mark.parametrize(
    ("value", "unsubscribed"),
    [(True, True), ("TRUE", True), (1, True), ("1", True), (False, False), ("yes", False), (2, False)],
)
def test_unsubscribed(api, value, unsubscribed):
    api.add(api.identify({"unsubscribed": value}, id="1"))
    customer = api.app.get("/v1/customers/1/attributes").json()["customer"]
    assert customer["unsubscribed"] is unsubscribed


def test_a_change_is_logged_once_and_no_change_never(api):
    api.add(api.identify({"a": 1, "b": "x"}, id="1"))
    api.add(api.identify({"a": 2, "b": "x"}, id="1"))
    api.add(api.identify({"a": 2, "b": "x"}, id="1"))
    (change,) = api.activities(type="attribute_change")
    assert change["data"] == {"a": {"from": "1", "to": "2"}}
    assert len(api.activities(type="profile_create")) == 1


def test_merge_fills_gaps_and_moves_what_belonged_to_the_secondary(api):
    segment = api.segment()
    api.add(
        api.identify({"a": 1}, id="1"),
        api.identify({"a": 2, "b": 3, "email": "s@example.com"}, id="2"),
        api.act("event", {"id": "2"}, name="purchase"),
        api.act("add_device", {"id": "2"}, device={"token": "t", "platform": "android"}),
    )
    api.track.post(f"/api/v1/segments/{segment}/add_customers", json={"ids": ["2"]})
    api.add(api.act("merge", {}, primary={"id": "1"}, secondary={"id": "2"}))
    found = api.person("1")
    assert (found["attributes"], found["email"]) == ({"a": 1, "b": 3}, "s@example.com")
    assert [device["id"] for device in found["devices"]] == ["t"]
    assert [each["id"] for each in found["segments"]] == [segment]
    assert [event["name"] for event in api.events(identifier="1")] == ["purchase"]
    assert api.person("2") is None
    assert len(api.activities(type="profile_merge")) == 1


def test_devices(api):
    api.add(api.act("add_device", {"id": "1"}, device={"token": "t", "platform": "ios", "last_used": 5}))
    api.add(
        api.act("add_device", {"id": "1"}, device={"token": "t", "platform": "ios", "attributes": {"x": "y"}})
    )
    (device,) = api.person("1")["devices"]
    assert (device["id"], device["attributes"]) == ("t", {"x": "y"})
    api.add(api.act("delete_device", {"id": "1"}, device={"token": "t"}))
    assert api.person("1")["devices"] == []


def test_relationships_both_ways(api):
    acme = {"object_type_id": "1", "object_id": "acme"}
    api.add(
        {"type": "object", "action": "identify", "identifiers": acme, "attributes": {"n": 1, "gone": ""}},
        api.identify(id="1"),
        api.identify(id="2"),
        {
            "type": "object",
            "action": "add_relationships",
            "identifiers": acme,
            "cio_relationships": [{"identifiers": {"id": "1"}, "relationship_attributes": {"role": "admin"}}],
        },
        api.act("add_relationships", {"id": "2"}, cio_relationships=[{"identifiers": acme}]),
    )
    (relation,) = api.person("1")["relationships"]
    assert (relation["identifiers"]["object_id"], relation["relationship_attributes"]) == (
        "acme",
        {"role": "admin"},
    )
    cio_object = {"cio_object_id": relation["identifiers"]["cio_object_id"]}
    api.add(api.act("delete_relationships", {"id": "2"}, cio_relationships=[{"identifiers": cio_object}]))
    assert api.person("2")["relationships"] == []
    api.add({"type": "object", "action": "delete", "identifiers": acme})
    assert api.person("1")["relationships"] == []
