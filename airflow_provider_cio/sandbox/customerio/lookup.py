"""Reading: people, their belongings and their activities, for the App API, the page and the tests."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import decode
from airflow_provider_cio.sandbox.customerio.people import COLUMNS, Person, cio_id, number, person
from airflow_provider_cio.sandbox.customerio.store import Store

COLUMN_OF = {"id": "id", "email": "email_key", "phone": "phone", "cio_id": "cio"}


def by_kind(store: Store, kind: str, value: str) -> list[Person]:
    """Everybody whose identifier of this ``kind`` is ``value``; emails compare without case."""
    wanted: str | int = number(value) if kind == "cio_id" else value
    if kind == "email":
        wanted = value.lower()
    rows = store.db.execute(
        f"SELECT {COLUMNS} FROM people WHERE {COLUMN_OF[kind]} = ? ORDER BY cio", (wanted,)
    )
    return [person(row) for row in rows]


def find(store: Store, identifier: str) -> Person | None:
    """Whoever has ``identifier`` as id, email or cio_id, in this order."""
    for kind in ("id", "email", "cio_id"):
        found = by_kind(store, kind, identifier)
        if found:
            return found[0]
    return None


def page_of_people(store: Store, start: str, limit: int) -> list[Person]:
    rows = store.db.execute(
        f"SELECT {COLUMNS} FROM people WHERE cio > ? ORDER BY cio LIMIT ?", (number(start), limit)
    )
    return [person(row) for row in rows]


def devices(store: Store, cio: int) -> list[dict[str, Any]]:
    rows = store.db.execute(
        "SELECT token, platform, last_used, attributes FROM devices WHERE cio = ? ORDER BY token", (cio,)
    )
    return [
        {"id": token, "platform": platform, "last_used": last_used, "attributes": decode(attributes)}
        for token, platform, last_used, attributes in rows
    ]


def segments(store: Store, cio: int) -> list[dict[str, Any]]:
    rows = store.db.execute(
        "SELECT id, name FROM members JOIN segments ON segments.id = segment WHERE cio = ? ORDER BY id",
        (cio,),
    )
    return [{"id": segment, "name": name} for segment, name in rows]


def relationships(store: Store, cio: int) -> list[dict[str, Any]]:
    rows = store.db.execute(
        "SELECT objects.type, objects.id, number, relationships.attributes, relationships.changed FROM relationships"
        " JOIN objects ON number = object WHERE cio = ? ORDER BY number",
        (cio,),
    )
    return [
        {
            "object_type_id": kind,
            "identifiers": {"object_id": identifier, "cio_object_id": f"ob{target:x}"},
            "relationship_attributes": decode(attributes),
            "timestamps": decode(changed),
        }
        for kind, identifier, target, attributes, changed in rows
    ]


def objects(store: Store) -> list[dict[str, Any]]:
    """All objects, with the people and the anonymous visitors related to them."""
    people = store.db.execute("SELECT object, cio, attributes FROM relationships ORDER BY object, cio")
    related: dict[int, list[dict[str, Any]]] = {}
    for target, cio, attributes in people:
        who = {"cio_id": cio_id(cio)}
        related.setdefault(target, []).append({"identifiers": who, "attributes": decode(attributes)})
    visitors = store.db.execute(
        "SELECT object, anonymous_id, attributes FROM anonymous_relationships ORDER BY object, anonymous_id"
    )
    for target, anonymous_id, attributes in visitors:
        who = {"anonymous_id": anonymous_id}
        related.setdefault(target, []).append({"identifiers": who, "attributes": decode(attributes)})
    rows = store.db.execute("SELECT number, type, id, attributes, changed FROM objects ORDER BY number")
    return [
        {
            "object_type_id": kind,
            "identifiers": {"object_id": identifier, "cio_object_id": f"ob{number_:x}"},
            "attributes": decode(attributes),
            "timestamps": decode(changed),
            "relationships": related.get(number_, []),
        }
        for number_, kind, identifier, attributes, changed in rows
    ]


def events(
    store: Store, cio: int | None, anonymous_id: str | None, name: str | None, start: int, limit: int
) -> list[dict[str, Any]]:
    """Events, page and screen views in the order of receipt, after the sequence number ``start``."""
    conditions, values = ["seq > ?", "type IN ('event', 'page', 'screen')"], [start]
    given: list[Any] = list(values)
    for column, value in (("cio", cio), ("anonymous_id", anonymous_id), ("name", name)):
        if value is not None:
            conditions.append(f"{column} = ?")
            given.append(value)
    rows = store.db.execute(
        "SELECT seq, type, name, ulid, timestamp, received_at, anonymous_id, data FROM activities"
        f" WHERE {' AND '.join(conditions)} ORDER BY seq LIMIT ?",
        (*given, limit),
    )
    names = ("seq", "type", "name", "id", "timestamp", "received_at", "anonymous_id")
    return [{**dict(zip(names, row, strict=False)), "data": decode(row[7])} for row in rows]


def latest(store: Store, cio: int, limit: int, *, events: bool) -> list[dict[str, Any]]:
    """The newest events of a person, or what else happened to them."""
    rows = store.db.execute(
        "SELECT type, name, timestamp, data FROM activities WHERE cio = ?"
        f" AND type {'' if events else 'NOT '}IN ('event', 'page', 'screen') ORDER BY seq DESC LIMIT ?",
        (cio, limit),
    )
    return [
        {"type": kind, "name": name, "timestamp": timestamp, "data": decode(data)}
        for kind, name, timestamp, data in rows
    ]


def newest(store: Store, limit: int) -> list[Person]:
    rows = store.db.execute(f"SELECT {COLUMNS} FROM people ORDER BY cio DESC LIMIT ?", (limit,))
    return [person(row) for row in rows]
