"""The official ``customerio`` client, unmodified, over https."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest
from customerio import CustomerIO, CustomerIOException, Regions

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

ULID = "01HZXJ5V3J6Y8Q1N2B4C5D6E7F"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with CustomerIOSandbox(tmp_path_factory.mktemp("customerio"), port=None, tls_port=0) as running:
        yield running


@pytest.fixture
def control(sandbox):
    with httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer sandbox-app-key"}) as client:
        assert client.post("/_sandbox/reset").status_code == 204
        yield client


@pytest.fixture
def cio(sandbox, control, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(sandbox.ca_file))
    with CustomerIO(
        "sandbox-site", "sandbox-track-key", host=sandbox.host, port=sandbox.tls_port, region=Regions.US
    ) as client:
        yield client


def person(control, identifier):
    return control.get(f"/_sandbox/people/{identifier}").json()


def events(control, **asked):
    return control.get("/_sandbox/events", params=asked).json()["events"]


def test_identify(cio, control):
    cio.identify(id="1", email="ann@example.com", plan="pro", since=datetime(2026, 1, 2, tzinfo=UTC))
    found = person(control, "1")
    assert (found["email"], found["attributes"]) == ("ann@example.com", {"plan": "pro", "since": 1767312000})


@pytest.mark.parametrize("identifier", ["a/b", "a b", "a+b", "ü", 42])
def test_identifiers_of_any_form(cio, control, identifier):
    cio.identify(id=identifier, plan="pro")
    cio.track(customer_id=identifier, name="purchase")
    (found,) = control.get("/_sandbox/people").json()["people"]
    assert found["id"] == str(identifier)


def test_identify_by_email_and_cio_id(cio, control):
    cio.identify(id="ann@example.com", plan="pro")
    cio.identify(id="cio_" + person(control, "ann@example.com")["cio_id"], id_seen=True)
    assert person(control, "ann@example.com")["attributes"] == {"plan": "pro", "id_seen": True}


def test_nan_becomes_null_and_clears(cio, control):
    cio.identify(id="1", ltv=5)
    cio.identify(id="1", ltv=math.nan)
    assert person(control, "1")["attributes"] == {}


def test_track(cio, control):
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=3)))
    cio.track("1", "purchase", {"price": 1.5}, id=ULID, timestamp=moment)
    cio.track("1", "purchase", {"price": 1.5}, id=ULID, timestamp=moment)
    (event,) = events(control, identifier="1")
    assert (event["name"], event["data"], event["timestamp"]) == ("purchase", {"price": 1.5}, 1767312000)


def test_pageview_and_backfill(cio, control):
    cio.pageview("1", "https://example.com/pricing", referrer="x")
    cio.backfill("1", "signup", 1_500_000_000, source="import")
    page, old = events(control, identifier="1")
    assert (page["type"], page["name"]) == ("page", "https://example.com/pricing")
    assert (old["timestamp"], old["data"]) == (1_500_000_000, {"source": "import"})


def test_anonymous_events_join_their_person(cio, control):
    cio.track_anonymous("anon-1", "viewed", {"sku": "s"})
    cio.identify(id="1", anonymous_id="anon-1")
    assert [event["name"] for event in events(control, identifier="1")] == ["viewed"]


def test_devices(cio, control):
    cio.add_device("1", "token/1", "ios", last_used=7)
    assert [each["id"] for each in person(control, "1")["devices"]] == ["token/1"]
    cio.delete_device("1", "token/1")
    assert person(control, "1")["devices"] == []


def test_suppress_and_unsuppress(cio, control):
    cio.identify(id="1", plan="pro")
    cio.suppress("1")
    cio.identify(id="1", plan="pro")
    assert control.get("/_sandbox/stats").json()["people"] == 0
    cio.unsuppress("1")
    cio.identify(id="1", plan="pro")
    assert control.get("/_sandbox/stats").json()["people"] == 1


def test_delete(cio, control):
    cio.identify(id="1")
    cio.delete(customer_id="1")
    assert control.get("/_sandbox/stats").json()["people"] == 0


@pytest.mark.parametrize(("kind", "value"), [("id", "2"), ("email", "two@example.com"), ("cio_id", None)])
def test_merge(cio, control, kind, value):
    cio.identify(id="1", a=1)
    cio.identify(id="2", email="two@example.com", b=2)
    cio.merge_customers("id", "1", kind, value or person(control, "2")["cio_id"])
    assert person(control, "1")["attributes"] == {"a": 1, "b": 2}
    assert control.get("/_sandbox/stats").json()["people"] == 1


def test_batch(cio, control):
    who = {"type": "person", "identifiers": {"id": "1"}}
    response = cio.batch(
        [
            {**who, "action": "identify", "attributes": {"plan": "pro"}},
            {**who, "action": "event", "name": "purchase", "id": ULID},
            {
                "type": "object",
                "action": "identify",
                "identifiers": {"object_type_id": "1", "object_id": "a"},
            },
        ]
    )
    assert (response.status_code, response.json()) == (200, {})
    stats = control.get("/_sandbox/stats").json()
    assert (stats["people"], stats["events"], stats["items"]["accepted"]) == (1, 1, 3)


def test_batch_takes_a_207_for_success(cio, control):
    items = [{"type": "person", "action": "identify", "identifiers": {"id": None}} for _ in range(2)]
    response = cio.batch([*items, {"type": "person", "action": "identify", "identifiers": {"id": "1"}}])
    assert response.status_code == 207
    assert [error["batch_index"] for error in response.json()["errors"]] == [0, 1]
    assert control.get("/_sandbox/stats").json()["people"] == 1


def test_segments_are_filled_beside_the_client(cio, control):
    """Client 3.x has no calls for manual segments: its own session reaches them."""
    cio.identify(id="1")
    segment = control.post("/v1/segments", json={"segment": {"name": "VIP"}}).json()["segment"]["id"]
    cio.send_request("POST", f"{cio.base_url}/segments/{segment}/add_customers", {"ids": ["1"]})
    assert control.get(f"/v1/segments/{segment}/membership").json()["ids"] == ["1"]


def test_errors_are_raised(cio, control):
    with pytest.raises(CustomerIOException, match="400"):
        cio.track("1", "n" * 101)
    control.put("/_sandbox/settings", json={"track_key": "another"})
    with pytest.raises(CustomerIOException, match="401"):
        cio.identify(id="1")


def test_a_server_error_is_retried(cio, control):
    control.post("/_sandbox/faults", json=[{"route": "/api/v1/*", "status": 503, "times": 2}])
    cio.identify(id="1", plan="pro")
    requests = control.get("/_sandbox/stats").json()["requests"]
    assert requests == {"PUT /api/v1/customers/{identifier}": {"200": 1, "503": 2}}


def test_a_429_without_retry_after_is_not_retried(cio, control):
    control.post("/_sandbox/faults", json=[{"route": "/api/v1/*", "status": 429}])
    with pytest.raises(CustomerIOException, match="429"):
        cio.identify(id="1")
