"""Which items Track v2 takes, and what it says of those it refuses."""

from __future__ import annotations

import json

import pytest

ID = {"id": "42"}
DEVICE = {"token": "t1", "platform": "ios"}
ACME = {"object_type_id": "1", "object_id": "acme"}


def person(action, **rest):
    return {"type": "person", "action": action, "identifiers": ID, **rest}


ACCEPTED = {
    "identify": person("identify", attributes={"first_name": "Jane"}),
    "identify without attributes": person("identify"),
    "identify by email": {**person("identify"), "identifiers": {"email": "a@example.com"}},
    "identify with time": person("identify", attributes={"a": 1}, timestamp=1_700_000_000),
    "identify with nested value": person("identify", attributes={"address": {"city": "Oslo", "tags": ["a"]}}),
    "identify with relationship": person("identify", cio_relationships=[{"identifiers": ACME}]),
    "event": person("event", name="purchase", attributes={"price": 29.99}),
    "event with id and time": person("event", name="p", id="01HZXJ5V3J6Y8Q1N2B4C5D6E7F", timestamp=1),
    "page": person("page", name="/pricing"),
    "screen": person("screen", name="Dashboard"),
    "add_device": person("add_device", device=DEVICE),
    "delete": person("delete"),
    "suppress": person("suppress"),
    "unsuppress": person("unsuppress"),
    "delete_device": person("delete_device", device={"token": "t1"}),
    "add_relationships": person("add_relationships", cio_relationships=[{"identifiers": ACME}]),
    "delete_relationships": person("delete_relationships", cio_relationships=[{"identifiers": ACME}]),
    "merge": {"type": "person", "action": "merge", "primary": ID, "secondary": {"id": "43"}},
    "object identify": {"type": "object", "action": "identify", "identifiers": ACME, "attributes": {"n": 1}},
    "object delete": {"type": "object", "action": "delete", "identifiers": ACME},
    "delivery": {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "RPILAgUB"},
        "name": "opened",
        "attributes": {"device_token": "t1"},
    },
}
REFUSED = {
    "no type": ({"action": "identify", "identifiers": ID}, "type"),
    "unknown type": ({**person("identify"), "type": "pet"}, "type"),
    "no action": ({"type": "person", "identifiers": ID}, "action"),
    "unknown action": (person("explode"), "action"),
    "action that is no string": (person(["identify"]), "action"),
    "not an object": ("identify", ""),
    "no identifiers": ({"type": "person", "action": "identify"}, "identifiers"),
    "no identifier": ({**person("identify"), "identifiers": {}}, "identifiers"),
    "two identifiers": ({**person("identify"), "identifiers": {**ID, "email": "a@b.c"}}, "identifiers"),
    "unknown identifier": ({**person("identify"), "identifiers": {"vat": "1"}}, "identifiers"),
    "null id": ({**person("identify"), "identifiers": {"id": None}}, "identifiers.id"),
    "blank email": ({**person("identify"), "identifiers": {"email": ""}}, "identifiers.email"),
    "id of 151 bytes": ({**person("identify"), "identifiers": {"id": "é" * 76}}, "identifiers.id"),
    "phone, which is not enabled": (
        {**person("identify"), "identifiers": {"phone": "+441"}},
        "identifiers.phone",
    ),
    "attributes that are no object": (person("identify", attributes=[1]), "attributes"),
    "email attribute of 151 bytes": (person("identify", attributes={"email": "a" * 151}), "attributes.email"),
    "time as text": (person("identify", timestamp="2026-01-01"), "timestamp"),
    "event without name": (person("event"), "name"),
    "event with blank name": (person("event", name="  "), "name"),
    "event name of 101 bytes": (person("event", name="n" * 101), "name"),
    "device without token": (person("add_device", device={"platform": "ios"}), "device.token"),
    "device with the v1 key": (person("add_device", device={"id": "t", "platform": "ios"}), "device.token"),
    "device without platform": (person("add_device", device={"token": "t"}), "device.platform"),
    "no device": (person("add_device"), "device"),
    "merge without secondary": ({"type": "person", "action": "merge", "primary": ID}, "secondary"),
    "relationships missing": (person("add_relationships"), "cio_relationships"),
    "object without type": (
        {"type": "object", "action": "identify", "identifiers": {"object_id": "a"}},
        "identifiers.object_type_id",
    ),
    "object type that is no number": (
        {"type": "object", "action": "identify", "identifiers": {"object_type_id": "x", "object_id": "a"}},
        "identifiers.object_type_id",
    ),
    "delivery with an unknown metric": (
        {"type": "delivery", "action": "event", "identifiers": {"id": "1"}, "name": "sent", "attributes": {}},
        "name",
    ),
}


@pytest.mark.parametrize("item", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_by_both_endpoints(api, item):
    assert (api.entity(item).status_code, api.entity(item).json()) == (200, {})
    api.add(item)
    assert api.stats()["items"]["refused"] == 0


@pytest.mark.parametrize(("item", "field"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_field(api, item, field):
    response = api.entity(item)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["field"] == field
    assert error["reason"]
    assert "batch_index" not in error
    assert api.stats()["people"] == 0


def test_207_names_the_refused_and_applies_the_others(api):
    response = api.batch(api.identify(id="a"), person("explode"), api.identify(id="b"), 7)
    assert response.status_code == 207
    assert [error["batch_index"] for error in response.json()["errors"]] == [1, 3]
    stats = api.stats()
    assert stats["people"] == 2
    counts = {name: stats["items"][name] for name in ("received", "accepted", "refused", "dropped")}
    assert counts == {"received": 4, "accepted": 2, "refused": 2, "dropped": 0}


def test_a_null_identifier_is_called_by_its_name(api):
    (error,) = api.batch(api.identify(id=None)).json()["errors"]
    assert error["message"] == "Invalid identifier: id cannot be null"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"batch":{}}', b'{"batch":"x"}', b"\xff", b'{"batch":["\\ud800", NaN]}', b"null"],
)
def test_a_malformed_batch_is_a_400_without_index(api, body):
    response = api.track.post("/api/v2/batch", content=body)
    assert response.status_code == 400
    assert all("batch_index" not in error for error in response.json()["errors"])
    assert api.stats()["items"]["received"] == 0


def test_an_empty_batch_is_accepted(api):
    api.add()


def test_numbers_are_taken_as_identifiers(api):
    api.add({**person("identify"), "identifiers": {"id": 42}})
    assert api.person("42")["id"] == "42"


def test_phone_identifies_when_the_workspace_says_so(api):
    api.set(phone_identifies=True)
    item = {**person("identify", attributes={"a": 1}), "identifiers": {"phone": "+4915112345"}}
    api.add(item, item)
    assert api.stats()["people"] == 1


def test_one_batch_of_1300_identifies(api):
    items = [api.identify({"email": f"p{i}@example.com", "n": i}, id=f"c{i}") for i in range(1300)]
    api.add(*items)
    api.add(*items)
    assert api.stats()["people"] == 1300
    assert api.person("c1299")["attributes"] == {"n": 1299}


def test_items_of_one_batch_apply_in_order(api):
    api.add(
        api.identify({"step": 1}, id="a"),
        api.act("delete", {"id": "a"}),
        api.identify({"step": 2}, id="a"),
        api.identify({"email": "x@example.com"}, id="b"),
        api.act("merge", {}, primary={"id": "a"}, secondary={"email": "X@example.com"}),
    )
    assert api.stats()["people"] == 1
    found = api.person("a")
    assert (found["email"], found["attributes"]) == ("x@example.com", {"step": 2})


def test_json_is_read_as_bytes_were_sent(api):
    body = json.dumps({"batch": [api.identify({"n": 2**60, "x": 0.1, "t": "naïve ☃"}, id="a")]}, indent=4)
    assert api.track.post("/api/v2/batch", content=body).status_code == 200
    assert api.person("a")["attributes"] == {"n": 2**60, "x": 0.1, "t": "naïve ☃"}
