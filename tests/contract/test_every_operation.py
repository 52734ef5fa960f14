"""Every type and action: valid by Customer.io's OpenAPI document, and done by the sandbox."""

from __future__ import annotations

import json
from typing import Any

import every_identifier
import httpx
import pytest
from every_operation import CASES, UNSENT
from jsonschema import Draft202012Validator
from openapi_shapes import Document, folder

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract.kinds import KINDS
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

FILE = folder() / "track-2026-08.json"
documented = pytest.mark.skipif(not FILE.exists(), reason=f"no {FILE}: set CIO_SPECS to its folder")
OPERATIONS = {name: case.expected for name, case in CASES.items()} | UNSENT
SCHEMAS = ("person_operations", "object_operations", "delivery_operations")


def schema_of(document: Document, kind: str, action: str) -> dict[str, Any]:
    """The schema of one type and action."""
    schemas = document.root["components"]["schemas"]
    whole = schemas[f"{kind}_operations"]
    for each in whole.get("oneOf", [whole]):
        strict = document.strict(each)
        parts = [strict, *strict.get("allOf", [])]
        if any(part.get("properties", {}).get("action", {}).get("enum") == [action] for part in parts):
            return strict
    raise LookupError(f"{kind} {action}")


@documented
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_valid_by_the_document(name: str) -> None:
    operation = OPERATIONS[name]
    schema = schema_of(Document(FILE), operation["type"], operation["action"])
    assert list(Draft202012Validator(schema).iter_errors(operation)) == []
    assert list(Draft202012Validator(schema).iter_errors({**operation, "action": "explode"}))


@documented
def test_the_table_holds_every_type_and_action_of_the_document() -> None:
    document = Document(FILE)
    there = set()
    for kind in ("person", "object", "delivery"):
        whole = document.root["components"]["schemas"][f"{kind}_operations"]
        for each in whole.get("oneOf", [whole]):
            strict = document.strict(each)
            for part in [strict, *strict.get("allOf", [])]:
                action = part.get("properties", {}).get("action", {}).get("enum")
                if action:
                    there.add((kind, action[0]))
    assert {(each["type"], each["action"]) for each in OPERATIONS.values()} == there
    assert len(there) == 18


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with CustomerIOSandbox(tmp_path_factory.mktemp("customerio"), port=None) as running:
        yield running


BEFORE = [
    {"type": "person", "action": "identify", "identifiers": {"id": "c1"}, "attributes": {"plan": "old"}},
    {"type": "person", "action": "identify", "identifiers": {"email": "old@example.com"}},
    {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "2", "object_id": "acme"},
        "cio_relationships": [{"identifiers": {"id": "c1"}}],
    },
    {
        "type": "person",
        "action": "add_device",
        "identifiers": {"id": "c1"},
        "device": {"token": "t1", "platform": "android"},
    },
]
DROPPED = {
    "delivery": {"unknown_delivery": 1},
    "suppression, exit unsuppress": {},
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_sandbox_does_it(name: str, sandbox: CustomerIOSandbox) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/reset")
    httpx.put(f"{sandbox.url}/_sandbox/settings", json={"phone_identifies": True})
    with TrackClient(site_id="sandbox-site", api_key="sandbox-track-key", base_url=sandbox.url) as track:
        assert not track.send_batch(body(BEFORE), len(BEFORE)).errors
        before = look(sandbox)
        assert not track.send_batch(body([OPERATIONS[name]]), 1).errors
    after = look(sandbox)
    stats = httpx.get(f"{sandbox.url}/_sandbox/stats").json()
    assert stats["items"]["dropped_by_reason"] == DROPPED.get(name, {})
    if name not in DROPPED:
        assert after != before, "the operation was accepted and changed nothing"


def body(items: list[dict[str, Any]]) -> bytes:
    return json.dumps({"batch": items}).encode()


def look(sandbox: CustomerIOSandbox) -> Any:
    """Everybody, everything they have, every event, all objects, whoever is suppressed."""
    url = f"{sandbox.url}/_sandbox"
    everybody = httpx.get(f"{url}/people").json()["people"]
    whole = [httpx.get(f"{url}/people/{each['cio_id']}").json() for each in everybody]
    objects = httpx.get(f"{url}/objects").json()
    events = httpx.get(f"{url}/events").json()["events"]
    return whole, objects, events, httpx.get(f"{url}/stats").json()["suppressed"]


def test_the_table_is_that_of_the_contract() -> None:
    assert every_identifier.BASES.keys() == KINDS.keys()


@documented
def test_by_every_identifier_it_is_valid_by_the_document() -> None:
    document = Document(FILE)
    for name, case in every_identifier.CASES.items():
        operation = case.rendered()
        schema = schema_of(document, operation["type"], operation["action"])
        assert list(Draft202012Validator(schema).iter_errors(operation)) == [], name
        assert list(Draft202012Validator(schema).iter_errors({**operation, "action": "explode"})), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_sandbox_does_it_by_every_identifier(kind: str, sandbox: CustomerIOSandbox) -> None:
    idle = []
    for name, case in every_identifier.CASES.items():
        if name.split()[0] != kind:
            continue
        httpx.post(f"{sandbox.url}/_sandbox/reset")
        httpx.put(f"{sandbox.url}/_sandbox/settings", json={"phone_identifies": True})
        with TrackClient(site_id="sandbox-site", api_key="sandbox-track-key", base_url=sandbox.url) as track:
            assert not track.send_batch(body(every_identifier.BEFORE), len(every_identifier.BEFORE)).errors
            before = look(sandbox)
            assert not track.send_batch(body([case.rendered()]), 1).errors, name
        dropped = httpx.get(f"{sandbox.url}/_sandbox/stats").json()["items"]["dropped_by_reason"]
        if dropped or look(sandbox) == before:
            idle.append((name, dropped))
    expected = {"suppressions": "unsuppress"}.get(kind)  # nobody is suppressed before
    assert [each for each in idle if expected is None or not each[0].endswith(expected)] == []
