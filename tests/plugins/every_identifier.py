"""A case of every kind, by every identifier it knows, with every exit; and who is there before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from every_operation import DEVICE, EVENT, OBJECT, PEOPLE, RELATED, Case

from airflow_provider_cio.core.contract.kinds import KINDS

WHO = {
    "id": "c1",
    "email": "c1@example.com",
    "phone": "+441632960961",
    "cio_id": "a0000001",
    "anonymous_id": "v1",
    "object_id": "acme",
    "cio_object_id": "ob1",
}
SECOND = {"id": "c2", "email": "c2@example.com", "cio_id": "a0000002"}
BASES: dict[str, list[tuple[str, dict[str, Any], list[Any], str | None]]] = {
    "people": [("", PEOPLE, ["pro"], None)],
    "events": [
        ("event", {**EVENT, "event": "Order Completed"}, [], None),
        ("page", {**EVENT, "page": "url"}, ["/cart"], None),
        ("screen", {**EVENT, "screen": "name"}, ["Cart"], None),
    ],
    "objects": [("", {**OBJECT, "attributes": {"name": "name"}}, ["New name"], None)],
    "relationships": [
        (by, {**RELATED, "related": {by: "account"}, "attributes": {"role": "role"}}, ["owner"], WHO[by])
        for by in ("object_id", "cio_object_id")
    ],
    "devices": [("", DEVICE, ["ios", 1709294400], "t1")],
    "merges": [(f"with {by}", {"kind": "merges", "secondary": {by: "b"}}, [], SECOND[by]) for by in SECOND],
    "suppressions": [("", {"kind": "suppressions"}, [], None)],
    "deletions": [("", {"kind": "deletions"}, [], None)],
}
EXITS: dict[str, Any] = {"set_flag": {"set_flag": {"attribute": "is_gone"}}}


def cases() -> Iterator[tuple[str, Case]]:
    """Whatever the contract knows, but anonymous events, which go by Pipelines, and segments, which are Track v1."""
    for kind, rules in KINDS.items():
        for what, base, values, partner in BASES[kind]:
            for by in rules.identifiers:
                if kind == "events" and by == "anonymous_id":
                    continue
                for exit_ in rules.exits:
                    if exit_ == "leave_segment" or (by == "anonymous_id" and exit_ != "keep"):
                        continue
                    sync = {**base, "identity": {by: "who"}, "on_exit": EXITS.get(exit_, exit_)}
                    operation = "upsert" if exit_ == "keep" else "exit"
                    name = " ".join(filter(None, (kind, what, "by", by, exit_)))
                    yield name, Case(sync, {}, values, WHO[by], partner, operation)


CASES = dict(cases())
BEFORE = [
    {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "c1"},
        "attributes": {"plan": "old", "email": WHO["email"], "phone": WHO["phone"]},
    },
    {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "c2"},
        "attributes": {"email": SECOND["email"]},
    },
    {
        "type": "object",
        "action": "identify",
        "identifiers": {"object_type_id": "2", "object_id": "acme"},
        "attributes": {"name": "Acme"},
        "cio_relationships": [{"identifiers": {"id": "c1"}}],
    },
    {
        "type": "object",
        "action": "identify_anonymous",
        "identifiers": {"object_type_id": "2", "object_id": "acme"},
        "cio_relationships": [{"identifiers": {"anonymous_id": "v1"}}],
    },
    {
        "type": "person",
        "action": "add_device",
        "identifiers": {"id": "c1"},
        "device": {"token": "t1", "platform": "android"},
    },
]
