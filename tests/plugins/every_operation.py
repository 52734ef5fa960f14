"""Every type and action of Track v2: the sync that makes it, the row, and the operation expected of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.operations import render

ULID = "01HF7YAT00YMXJ1N5TJ9K6G5QF"
WHEN = datetime(2024, 3, 1, 12)
SECONDS = 1709294400
ACME = {"object_type_id": "2", "object_id": "acme"}
ID = {"id": "c1"}
COMMON = {"description": "d", "owner": "o", "source": "cio_marts.v", "identity": {"id": "customer_id"}}
EVENT = {"kind": "events", "key": "k", "occurred_at": "at", "lookback": "30d"}
PREFERENCE = "cio_subscription_preferences.topics.topic_3"


@dataclass(frozen=True)
class Case:
    """One row of a sync, and what becomes of it."""

    sync: dict[str, Any]
    expected: dict[str, Any]
    values: list[Any] = field(default_factory=list)
    identifier: str = "c1"
    partner: str | None = None
    operation: str = "upsert"

    def rendered(self) -> dict[str, Any]:
        """The operation, parsed."""
        rows: dict[str, pa.Array] = {
            "operation": pa.array([self.operation]),
            "identifier": pa.array([self.identifier]),
            "partner": pa.array([self.partner], pa.string()),
            "event_id": pa.array([ULID]),
            "occurred_at": pa.array([WHEN], pa.timestamp("us")),
        }
        rows |= {f"f_{place}": pa.array([value]) for place, value in enumerate(self.values)}
        rendered = render(pa.table(rows), Sync.model_validate({"name": "s", **COMMON, **self.sync}))
        assert rendered.refusals == []
        operation: dict[str, Any] = json.loads(rendered.items[0].as_py())
        return operation


def person(action: str, **rest: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": ID, **rest}


RELATED = {"kind": "relationships", "object_type_id": "2", "related": {"object_id": "account"}}
DEVICE = {"kind": "devices", "device": {"token": "token", "platform": "platform", "last_used": "seen"}}
OBJECT = {"kind": "objects", "identity": {"object_id": "account"}, "object_type_id": "2"}
PEOPLE = {"kind": "people", "attributes": {"plan": "plan"}}

CASES: dict[str, Case] = {
    "people": Case(
        {"kind": "people", "attributes": {"plan": "plan", PREFERENCE: "topic"}},
        person("identify", attributes={"plan": "pro", PREFERENCE: False}),
        ["pro", False],
    ),
    "people by phone": Case(
        {**PEOPLE, "identity": {"phone": "phone"}},
        {**person("identify", attributes={"plan": "pro"}), "identifiers": {"phone": "+441632960961"}},
        ["pro"],
        identifier="+441632960961",
    ),
    "people by cio_id": Case(
        {**PEOPLE, "identity": {"cio_id": "cio"}},
        {**person("identify", attributes={"plan": "pro"}), "identifiers": {"cio_id": "a0000001"}},
        ["pro"],
        identifier="a0000001",
    ),
    "people, exit clear_attributes": Case(
        {**PEOPLE, "on_exit": "clear_attributes"},
        person("identify", attributes={"plan": "", "_update": True}),
        [None],
        operation="exit",
    ),
    "people, exit suppress": Case(
        {**PEOPLE, "on_exit": "suppress"}, person("suppress"), [None], operation="exit"
    ),
    "people, exit delete": Case({**PEOPLE, "on_exit": "delete"}, person("delete"), [None], operation="exit"),
    "event": Case(
        {**EVENT, "event": "Order Completed", "properties": {"total": "total"}},
        person("event", name="Order Completed", id=ULID, timestamp=SECONDS, attributes={"total": 9.5}),
        [9.5],
    ),
    "page": Case(
        {**EVENT, "page": "url", "properties": {"referrer": "referrer"}},
        person("page", name='/a?q="b"', id=ULID, timestamp=SECONDS, attributes={"referrer": "x"}),
        ['/a?q="b"', "x"],
    ),
    "screen": Case(
        {**EVENT, "screen": "name"},
        person("screen", name="Cart", id=ULID, timestamp=SECONDS, attributes={}),
        ["Cart"],
    ),
    "object": Case(
        {**OBJECT, "attributes": {"name": "name"}},
        {"type": "object", "action": "identify", "identifiers": ACME, "attributes": {"name": "Acme"}},
        ["Acme"],
        identifier="acme",
    ),
    "object by cio_object_id": Case(
        {**OBJECT, "identity": {"cio_object_id": "o"}, "attributes": {"name": "name"}},
        {
            "type": "object",
            "action": "identify",
            "identifiers": {"cio_object_id": "ob1"},
            "attributes": {"name": "Acme"},
        },
        ["Acme"],
        identifier="ob1",
    ),
    "object, exit delete": Case(
        {**OBJECT, "attributes": {"name": "name"}, "on_exit": "delete"},
        {"type": "object", "action": "delete", "identifiers": ACME},
        [None],
        identifier="acme",
        operation="exit",
    ),
    "object, exit set_flag": Case(
        {**OBJECT, "attributes": {"name": "name"}, "on_exit": {"set_flag": {"attribute": "closed"}}},
        {"type": "object", "action": "identify", "identifiers": ACME, "attributes": {"closed": True}},
        [None],
        identifier="acme",
        operation="exit",
    ),
    "relationship": Case(
        {**RELATED, "attributes": {"role": "role"}},
        person(
            "add_relationships",
            cio_relationships=[{"identifiers": ACME, "relationship_attributes": {"role": "owner"}}],
        ),
        ["owner"],
        partner="acme",
    ),
    "relationship of somebody anonymous": Case(
        {**RELATED, "identity": {"anonymous_id": "visitor"}},
        {
            "type": "object",
            "action": "identify_anonymous",
            "identifiers": ACME,
            "cio_relationships": [{"identifiers": {"anonymous_id": "v1"}, "relationship_attributes": {}}],
        },
        identifier="v1",
        partner="acme",
    ),
    "relationship, exit delete": Case(
        {**RELATED, "on_exit": "delete"},
        person("delete_relationships", cio_relationships=[{"identifiers": ACME}]),
        partner="acme",
        operation="exit",
    ),
    "device": Case(
        {**DEVICE, "attributes": {"app_version": "version"}},
        person(
            "add_device",
            device={
                "platform": "ios",
                "last_used": SECONDS,
                "token": "t1",
                "attributes": {"app_version": "1.2"},
            },
        ),
        ["ios", SECONDS, "1.2"],
        partner="t1",
    ),
    "device, exit delete": Case(
        {**DEVICE, "on_exit": "delete"},
        person("delete_device", device={"token": "t1"}),
        [None, None],
        partner="t1",
        operation="exit",
    ),
    "merge": Case(
        {"kind": "merges", "secondary": {"email": "old_email"}},
        {"type": "person", "action": "merge", "primary": ID, "secondary": {"email": "old@example.com"}},
        partner="old@example.com",
    ),
    "suppression": Case({"kind": "suppressions"}, person("suppress")),
    "suppression, exit unsuppress": Case(
        {"kind": "suppressions", "on_exit": "unsuppress"}, person("unsuppress"), operation="exit"
    ),
    "deletion": Case({"kind": "deletions"}, person("delete")),
}

UNSENT: dict[str, dict[str, Any]] = {
    "object, add_relationships": {
        "type": "object",
        "action": "add_relationships",
        "identifiers": ACME,
        "cio_relationships": [{"identifiers": ID, "relationship_attributes": {"role": "owner"}}],
    },
    "object, delete_relationships": {
        "type": "object",
        "action": "delete_relationships",
        "identifiers": ACME,
        "cio_relationships": [{"identifiers": ID}],
    },
    "delivery": {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": "RPILAgUB"},
        "name": "opened",
        "attributes": {"device_token": "t1"},
    },
}
"""What Customer.io takes and no sync makes: the first two say what `relationships` say from the person's side,
and metrics of deliveries come from devices."""
