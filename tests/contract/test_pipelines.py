"""Calls of the Pipelines API: as its OpenAPI document says, and as the sandbox takes them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from every_operation import EVENT, RELATED, ULID, Case
from jsonschema import Draft202012Validator
from openapi_shapes import Document, folder

from airflow_provider_cio.clients.pipelines import PipelinesClient
from airflow_provider_cio.exceptions import AuthenticationError, RequestRefusedError
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

FILE = folder() / "pipelines-2026-08.json"
documented = pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE}: set CIO_SPECS to its folder")
PIPELINES = {"transport": "pipelines"}
TRACK = {**EVENT, **PIPELINES, "event": "Order Completed", "properties": {"total": "total"}}
MOMENT = {"messageId": ULID, "timestamp": "2024-03-01T12:00:00.000Z"}
CASES = {
    "identify": Case(
        {"kind": "people", "attributes": {"plan": "plan"}, **PIPELINES},
        {"type": "identify", "userId": "c1", "traits": {"plan": "pro"}},
        ["pro"],
    ),
    "track": Case(
        TRACK,
        {"type": "track", "userId": "c1", "event": "Order Completed", **MOMENT, "properties": {"total": 9.5}},
        [9.5],
    ),
    "track of somebody anonymous": Case(
        {**TRACK, "identity": {"anonymous_id": "visitor"}},
        {
            "type": "track",
            "anonymousId": "v1",
            "event": "Order Completed",
            **MOMENT,
            "properties": {"total": 9.5},
        },
        [9.5],
        identifier="v1",
    ),
    "page": Case(
        {**EVENT, **PIPELINES, "page": "url"},
        {"type": "page", "userId": "c1", "name": "/cart", **MOMENT, "properties": {}},
        ["/cart"],
    ),
    "screen": Case(
        {**EVENT, **PIPELINES, "screen": "name"},
        {"type": "screen", "userId": "c1", "name": "Cart", **MOMENT, "properties": {}},
        ["Cart"],
    ),
    "group": Case(
        {**RELATED, **PIPELINES, "attributes": {"role": "role"}},
        {
            "type": "group",
            "userId": "c1",
            "groupId": "acme",
            "traits": {"object_type_id": "2", "relationshipAttributes": {"role": "owner"}},
        },
        ["owner"],
        partner="acme",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_row_becomes_its_call(case: Case) -> None:
    assert case.rendered() == case.expected


@documented
@pytest.mark.parametrize("name", CASES)
def test_a_call_is_valid_by_the_document(name: str) -> None:
    document, expected = Document(FILE), CASES[name].expected
    schema = document.strict(document.root["components"]["schemas"][expected["type"]])
    assert list(Draft202012Validator(schema).iter_errors(expected)) == []
    batch = document.strict(document.root["components"]["schemas"]["batch"])
    assert list(Draft202012Validator(batch).iter_errors({"batch": [expected]})) == []
    broken = {**expected, "messageId": 7, "timestamp": 7, "userId": 7, "anonymousId": 7}
    assert list(Draft202012Validator(schema).iter_errors(broken))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with CustomerIOSandbox(tmp_path_factory.mktemp("customerio"), port=None) as running:
        yield running


@pytest.fixture
def client(sandbox: CustomerIOSandbox) -> Any:
    httpx.post(f"{sandbox.url}/_sandbox/reset")
    with PipelinesClient(api_key="sandbox-pipelines-key", base_url=sandbox.url, attempts=1) as client:
        yield client


def batch(*calls: Any) -> bytes:
    return json.dumps({"batch": calls}).encode()


def dropped(sandbox: CustomerIOSandbox) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{sandbox.url}/_sandbox/stats").json()["items"]["dropped_by_reason"]
    return found


def test_the_sandbox_does_what_the_calls_say(sandbox: CustomerIOSandbox, client: PipelinesClient) -> None:
    client.send_batch(batch(*(case.expected for case in CASES.values())), len(CASES))
    assert dropped(sandbox) == {}
    person = httpx.get(f"{sandbox.url}/_sandbox/people/c1").json()
    assert person["attributes"] == {"plan": "pro"}
    assert [each["relationship_attributes"] for each in person["relationships"]] == [{"role": "owner"}]
    events = httpx.get(f"{sandbox.url}/_sandbox/events").json()["events"]
    assert [(each["type"], each["name"], each["timestamp"]) for each in events] == [
        ("event", "Order Completed", 1709294400),
        ("event", "Order Completed", 1709294400),
        ("page", "/cart", 1709294400),
        ("screen", "Cart", 1709294400),
    ]
    assert events[1]["anonymous_id"] == "v1"


WRONG = [{"type": "track", "userId": "c1"}, {"type": "identify"}, {"type": "pet", "userId": "c1"}, 7]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_strict_mode_refuses_what_permissive_mode_drops(
    wrong: Any, sandbox: CustomerIOSandbox, client: PipelinesClient
) -> None:
    good = CASES["identify"].expected
    with pytest.raises(RequestRefusedError) as raised:
        client.send_batch(batch(good, wrong), 2)
    assert raised.value.status == 400
    assert httpx.get(f"{sandbox.url}/_sandbox/stats").json()["people"] == 0
    lax = httpx.post(
        f"{sandbox.url}/v1/batch", content=batch(good, wrong), auth=("sandbox-pipelines-key", "")
    )
    assert (lax.status_code, lax.json()) == (200, {})
    assert dropped(sandbox) == {"pipelines_invalid": 1}


def test_a_call_by_itself_and_a_body_that_is_too_large(sandbox: CustomerIOSandbox) -> None:
    key = ("sandbox-pipelines-key", "")
    httpx.post(f"{sandbox.url}/v1/identify", json={"userId": "solo", "traits": {"a": 1}}, auth=key)
    assert httpx.get(f"{sandbox.url}/_sandbox/people/solo").json()["attributes"] == {"a": 1}
    large = {
        "batch": [{"type": "identify", "userId": str(n), "traits": {"t": "x" * 900}} for n in range(600)]
    }
    assert httpx.post(f"{sandbox.url}/v1/batch", json=large, auth=key).status_code == 200
    assert httpx.get(f"{sandbox.url}/_sandbox/people/1").status_code == 404
    strict = httpx.post(f"{sandbox.url}/v1/batch", json=large, auth=key, headers={"X-Strict-Mode": "1"})
    assert strict.status_code == 400


def test_a_wrong_key_is_told(sandbox: CustomerIOSandbox) -> None:
    with (
        PipelinesClient(api_key="wrong", base_url=sandbox.url) as client,
        pytest.raises(AuthenticationError, match="401"),
    ):
        client.region()


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "deletions", **PIPELINES}, "takes people, events and relationships"),
    (
        {"kind": "people", "attributes": {"a": "a"}, "identity": {"email": "e"}, **PIPELINES},
        "identifies by `id`",
    ),
    ({"kind": "people", "attributes": {"a": "a"}, "on_exit": "delete", **PIPELINES}, "`on_exit: keep` only"),
    ({**EVENT, "event": "A", "identity": {"anonymous_id": "v"}}, "write `transport: pipelines`"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_what_does_not_go_through_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Case(given, {}).rendered()
