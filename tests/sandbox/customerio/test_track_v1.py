"""Track v1: paths, bodies, envelopes."""

from __future__ import annotations

from urllib.parse import quote

import pytest


@pytest.mark.parametrize("identifier", ["42", "a b", "a/b", "a+b", "100%", "ünï", "ann+x@example.com"])
def test_identifiers_are_percent_encoded(api, identifier):
    path = f"/api/v1/customers/{quote(identifier, safe='')}"
    assert api.track.put(path, json={"a": 1}).status_code == 200
    kind = "email" if "@" in identifier else "id"
    found = api.track.get(f"/_sandbox/people/{quote(identifier, safe='')}").json()
    assert found[kind] == identifier
    assert api.track.post(f"{path}/events", json={"name": "n"}).status_code == 200
    assert len(api.events(identifier=identifier)) == 1
    assert api.track.delete(path).status_code == 200
    assert api.stats()["people"] == 0


def test_identify_keeps_control_fields_out_of_the_profile(api):
    body = {
        "email": "a@example.com",
        "created_at": 5,
        "_timestamp": 1_700_000_000,
        "_update": False,
        "x": "y",
    }
    body["cio_relationships"] = {
        "action": "add_relationships",
        "relationships": [{"identifiers": {"object_type_id": "1", "object_id": "acme"}}],
    }
    assert api.track.put("/api/v1/customers/1", json=body).json() == {}
    found = api.person("1")
    assert found["attributes"] == {"created_at": 5, "x": "y"}
    assert (found["email"], found["changed_at"], len(found["relationships"])) == (
        "a@example.com",
        1_700_000_000,
        1,
    )


def test_stale_identify(api):
    api.track.put("/api/v1/customers/1", json={"a": 2, "_timestamp": 1_700_000_000})
    assert api.track.put("/api/v1/customers/1", json={"a": 1, "_timestamp": 1_600_000_000}).status_code == 200
    assert api.person("1")["attributes"] == {"a": 2}


def test_events_carry_data_not_attributes(api):
    api.track.post("/api/v1/customers/1/events", json={"name": "n", "data": {"a": 1}, "attributes": {"b": 2}})
    api.track.post("/api/v1/customers/1/events", json={"name": "/p", "type": "page"})
    first, second = api.events(identifier="1")
    assert (first["data"], second["type"]) == ({"a": 1}, "page")


def test_devices(api):
    device = {"device": {"id": "t/1", "platform": "android", "last_used": 7}}
    assert api.track.put("/api/v1/customers/1/devices", json=device).status_code == 200
    assert api.person("1")["devices"] == [
        {"id": "t/1", "platform": "android", "last_used": 7, "attributes": {}}
    ]
    assert api.track.delete("/api/v1/customers/1/devices/t%2F1").status_code == 200
    assert api.person("1")["devices"] == []


def test_suppress_and_unsuppress(api):
    api.track.put("/api/v1/customers/1", json={})
    assert api.track.post("/api/v1/customers/1/suppress").status_code == 200
    assert api.track.put("/api/v1/customers/1", json={}).status_code == 200
    assert api.person("1") is None
    assert api.track.post("/api/v1/customers/1/unsuppress").status_code == 200
    api.track.put("/api/v1/customers/1", json={})
    assert api.person("1") is not None


def test_merge(api):
    api.add(api.identify({"a": 1}, id="1"), api.identify({"b": 2}, email="x@example.com"))
    body = {"primary": {"id": "1"}, "secondary": {"email": "X@example.com"}}
    assert api.track.post("/api/v1/merge_customers", json=body).json() == {}
    assert api.person("x@example.com")["attributes"] == {"a": 1, "b": 2}


def test_form_makes_a_person(api):
    body = {"data": {"email": "a@example.com", "food": "pizza"}}
    response = api.track.post("/api/v1/forms/f1/submit", json=body)
    assert (response.status_code, response.content) == (204, b"")
    assert api.person("a@example.com")["attributes"] == {"food": "pizza"}


REFUSED = {
    "event without a name": ("POST", "/customers/1/events", {}, "errors"),
    "event whose data is no object": ("POST", "/customers/1/events", {"name": "n", "data": []}, "errors"),
    "anonymous event without a name": ("POST", "/events", {"anonymous_id": "a"}, "errors"),
    "device with the v2 key": (
        "PUT",
        "/customers/1/devices",
        {"device": {"token": "t", "platform": "ios"}},
        "errors",
    ),
    "device of an unknown platform": (
        "PUT",
        "/customers/1/devices",
        {"device": {"id": "t", "platform": "fax"}},
        "errors",
    ),
    "merge without secondary": ("POST", "/merge_customers", {"primary": {"id": "1"}}, "error"),
    "merge with two identifiers": (
        "POST",
        "/merge_customers",
        {"primary": {"id": "1", "email": "a@b.c"}, "secondary": {"id": "2"}},
        "error",
    ),
    "form without identifier": ("POST", "/forms/1/submit", {"data": {"food": "pizza"}}, "errors"),
    "array for a body": ("PUT", "/customers/1", [1], "errors"),
    "id of 151 bytes": ("PUT", "/customers/" + "i" * 151, {}, "errors"),
}


@pytest.mark.parametrize(("method", "path", "body", "envelope"), REFUSED.values(), ids=REFUSED)
def test_refused_in_the_envelope_of_the_call(api, method, path, body, envelope):
    response = api.track.request(method, f"/api/v1{path}", json=body)
    assert response.status_code == 400
    assert response.json()["meta"][envelope]
    assert api.stats()["people"] == 0


def test_body_that_is_not_json(api):
    response = api.track.put("/api/v1/customers/1", content=b"{")
    assert (response.status_code, response.json()) == (400, {"meta": {"errors": ["the body is not JSON"]}})


@pytest.mark.parametrize("path", ["/api/v1/metrics", "/api/v1/push/events", "/unsubscribe/RPILAgUB"])
def test_delivery_reports_need_no_key(api, path):
    response = api.track.post(path, json={"delivery_id": "RPILAgUB", "metric": "opened"}, auth=None)
    assert response.status_code == 200
    assert api.dropped() == {"unknown_delivery": 1}


def test_region(api):
    assert api.track.get("/api/v1/accounts/region").json() == {
        "url": "https://track.customer.io",
        "region": "us",
        "environment_id": 1,
    }
