"""Keys, scopes, regions, rate limits and faults: what happens around a request."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize("auth", [None, ("sandbox-site", "wrong"), ("wrong", "sandbox-track-key"), ("", "")])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v2/batch"), ("PUT", "/api/v1/customers/1"), ("GET", "/api/v1/accounts/region")],
)
def test_track_wants_its_basic_key(api, auth, method, path):
    response = httpx.request(
        method, api.url + path, auth=auth, json={"batch": []} if method == "POST" else None
    )
    assert response.status_code == 401
    assert api.stats()["items"]["received"] == 0


@pytest.mark.parametrize(
    "header", ["", "Bearer wrong", "Bearer sandbox-track-key", "Basic c2FuZGJveA==", "Basic %"]
)
def test_app_wants_its_bearer_key(api, header):
    response = httpx.get(f"{api.url}/v1/segments", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json()["errors"][0]["status"] == 401


def test_track_does_not_take_the_app_key(api):
    assert api.app.post("/api/v2/batch", json={"batch": []}).status_code == 401


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/segments", "segments"),
        ("/v1/activities", "activities"),
        ("/v1/customers?email=a@b.c", "customers"),
    ],
)
def test_a_key_without_the_scope_is_a_403(api, path, scope):
    api.set(app_keys={"narrow": ["workspaces"], "right": [scope]})
    assert httpx.get(api.url + path, headers={"Authorization": "Bearer narrow"}).status_code == 403
    assert httpx.get(api.url + path, headers={"Authorization": "Bearer right"}).status_code == 200
    assert api.app.get(path).status_code == 401


def test_ip_addresses_need_no_key(api):
    assert httpx.get(f"{api.url}/v1/info/ip_addresses").status_code == 200


def test_an_eu_account_on_the_us_host_is_redirected(api):
    api.set(account_region="eu")
    response = api.track.post("/api/v2/batch?x=1", json={"batch": [api.identify(id="1")]})
    assert response.status_code == 301
    assert response.headers["location"] == "https://track-eu.customer.io.invalid/api/v2/batch?x=1"
    assert api.stats()["items"]["received"] == 0
    api.set(redirect_to="http://127.0.0.1:1/")
    assert (
        api.track.put("/api/v1/customers/a%2Fb").headers["location"]
        == "http://127.0.0.1:1/api/v1/customers/a%2Fb"
    )
    assert api.track.get("/api/v1/accounts/region").json()["region"] == "eu"
    assert api.app.get("/v1/segments").status_code == 401


def test_a_us_account_on_the_eu_host_fails(api):
    api.set(region="eu")
    assert api.track.post("/api/v2/batch", json={"batch": []}).status_code == 401
    assert api.track.get("/api/v1/accounts/region").json()["region"] == "us"


@pytest.mark.parametrize("retry_after", [None, 3])
def test_rate_limits(api, retry_after):
    api.set(track_requests_per_second=2, app_requests_per_second=1, retry_after=retry_after)
    track = [api.track.post("/api/v2/batch", json={"batch": []}) for _ in range(20)]
    app = [api.app.get("/v1/segments") for _ in range(10)]
    for responses in (track, app):
        limited = [each for each in responses if each.status_code == 429]
        assert limited
        assert responses[0].status_code == 200
        assert limited[0].headers.get("retry-after") == (str(retry_after) if retry_after else None)
    assert api.stats()["people"] == 0


def test_faults_come_in_order_and_are_used_up(api):
    api.fault(
        {"route": "/api/v2/batch", "status": 429, "times": 2, "after": 1, "retry_after": 5},
        {"route": "/api/*", "status": 503},
    )
    answers = [api.batch(api.identify(id=f"c{i}")) for i in range(5)]
    assert [each.status_code for each in answers] == [200, 429, 429, 503, 200]
    assert [each.headers.get("retry-after") for each in answers] == [None, "5", "5", None, None]
    assert api.stats()["people"] == 2
    assert api.track.get("/_sandbox/faults").json() == []


def test_faults_leave_other_routes_alone_and_can_be_forgotten(api):
    api.fault({"route": "/v1/segments", "status": 500, "times": 9})
    assert api.batch().status_code == 200
    assert api.app.get("/v1/segments").status_code == 500
    assert api.track.delete("/_sandbox/faults").json() == []
    assert api.app.get("/v1/segments").status_code == 200


@pytest.mark.parametrize(("kind", "applied"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_connection(api, kind, applied):
    api.fault({"route": "/api/v2/batch", "status": kind})
    with pytest.raises(httpx.TransportError):
        api.batch(api.identify(id="1"))
    assert api.stats()["people"] == applied
    assert api.batch(api.identify(id="2")).status_code == 200
    assert api.stats()["requests"]["POST /api/v2/batch"] == {kind: 1, "200": 1}


@pytest.mark.parametrize(("kind", "applied"), [("timeout", 0), ("timeout_after", 1)])
def test_an_answer_that_never_comes(api, kind, applied):
    api.fault({"route": "/api/v2/batch", "status": kind})
    with pytest.raises(httpx.ReadTimeout):
        api.track.post("/api/v2/batch", json={"batch": [api.identify(id="1")]}, timeout=0.2)
    assert api.stats()["people"] == applied


def test_a_poisoned_batch_can_be_bisected(api):
    api.fault({"route": "/api/v2/batch", "status": 400, "match": "c2", "times": 9})
    assert api.batch(api.identify(id="c1"), api.identify(id="c2")).status_code == 400
    assert api.batch(api.identify(id="c1")).status_code == 200
    assert api.batch(api.identify(id="c2")).status_code == 400
    assert api.stats()["people"] == 1


def test_a_207_fault_refuses_the_items_that_match(api):
    api.fault({"route": "/api/v2/batch", "status": 207, "match": "c2"})
    response = api.batch(*(api.identify(id=f"c{i}") for i in range(4)))
    assert response.status_code == 207
    assert [error["batch_index"] for error in response.json()["errors"]] == [2]
    assert api.stats()["people"] == 3


@pytest.mark.parametrize(
    "faults",
    [
        {"route": "*", "status": 500},
        [{"route": "*"}],
        [{"route": "*", "status": "explode"}],
        [{"route": "*", "status": 207}],
        [{"route": "*", "status": 500, "colour": "red"}],
        [7],
    ],
)
def test_a_fault_that_is_none_is_refused(api, faults):
    response = api.track.post("/_sandbox/faults", json=faults)
    assert (response.status_code, bool(response.json()["error"])) == (400, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"colour": 1},
        {"region": "mars"},
        {"dedupe_seconds": "1"},
        {"empty_removes": 1},
        {"retry_after": -1},
        [],
    ],
)
def test_a_setting_that_is_none_is_refused(api, changes):
    before = api.track.get("/_sandbox/settings").json()
    response = api.track.put("/_sandbox/settings", json=changes)
    assert (response.status_code, bool(response.json()["error"])) == (400, True)
    assert api.track.get("/_sandbox/settings").json() == before


def test_the_book_of_requests_names_nobody(api):
    api.track.put("/api/v1/customers/secret-person", json={})
    api.app.get("/v1/customers/secret-person/attributes")
    api.track.put("/api/v1/customers/secret-person", auth=None)
    api.track.get("/api/v1/secret-person")
    stats = api.stats()
    assert stats["requests"]["PUT /api/v1/customers/{identifier}"] == {"200": 1, "401": 1}
    assert "secret-person" not in str(stats)
    seen = api.track.get("/_sandbox/requests").json()["requests"]
    assert [each["status"] for each in seen] == ["404", "401", "200", "200"]
    assert "secret-person" not in str(seen)


def test_bytes_and_items_are_counted(api):
    body = b'{"batch":[' + b" " * 90 + b"]}"
    api.track.post("/api/v2/batch", content=body)
    assert api.stats()["bytes"] == len(body)
    api.add(api.identify(id="1"), api.act("event", {"id": "1"}, name="n"))
    assert api.stats()["items"]["accepted_by_action"] == {"event": 1, "identify": 1}


def test_control_reads_by_page(api):
    api.add(*(api.act("event", {"id": f"c{i}"}, name="n") for i in range(5)))
    first = api.track.get("/_sandbox/people", params={"limit": 3}).json()
    rest = api.track.get("/_sandbox/people", params={"limit": 3, "start": first["next"]}).json()
    assert [each["id"] for each in first["people"] + rest["people"]] == [f"c{i}" for i in range(5)]
    assert rest["next"] == ""
    events = api.track.get("/_sandbox/events", params={"limit": 2}).json()
    more = api.track.get("/_sandbox/events", params={"start": events["next"]}).json()["events"]
    assert (len(events["events"]), len(more)) == (2, 3)
    assert api.track.get("/_sandbox/events", params={"identifier": "nobody"}).status_code == 404
