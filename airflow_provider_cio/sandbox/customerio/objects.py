"""Objects and relationships: enough of them that every documented operation does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_cio.sandbox.customerio.operations import Operation
from airflow_provider_cio.sandbox.customerio.payload import decode, encode
from airflow_provider_cio.sandbox.customerio.people import Person
from airflow_provider_cio.sandbox.customerio.workspace import Session


def add_to_person(session: Session, operation: Operation) -> str | None:
    """Relate a person to objects; objects that do not exist yet are created."""
    who = session.people.get(operation.who)
    if who is None:
        return "unknown_person"
    for each in operation.relationships:
        target = _find(session, each["object"]) or _create(session, each["object"])
        if target is not None:
            _relate(session, "relationships", who.cio, target, each["attributes"])
            session.log.note("add_relationship", who.cio, {"object": target})
    return None


def delete_from_person(session: Session, operation: Operation) -> str | None:
    who = session.people.get(operation.who)
    if who is None:
        return "unknown_person"
    for each in operation.relationships:
        _unrelate(session, who, _find(session, each["object"]))
    return None


def _identify(session: Session, operation: Operation) -> str | None:
    target = _find(session, operation.object) or _create(session, operation.object)
    if target is None:
        return "unknown_cio_object_id"
    old = session.db.execute("SELECT attributes, changed FROM objects WHERE number = ?", (target,)).fetchone()
    written = _written(old, operation.attributes, session.now)
    session.db.execute("UPDATE objects SET attributes = ?, changed = ? WHERE number = ?", (*written, target))
    _relate_people(session, operation, target)
    return None


def _identify_anonymous(session: Session, operation: Operation) -> str | None:
    target = _find(session, operation.object) or _create(session, operation.object)
    if target is None:
        return "unknown_cio_object_id"
    for each in operation.relationships:
        _relate(session, "anonymous_relationships", each["anonymous_id"], target, each["attributes"])
    return None


def _delete(session: Session, operation: Operation) -> str | None:
    target = _find(session, operation.object)
    if target is None:
        return "unknown_object"
    for table, column in (
        ("objects", "number"),
        ("relationships", "object"),
        ("anonymous_relationships", "object"),
    ):
        session.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (target,))
    return None


def _add_people(session: Session, operation: Operation) -> str | None:
    target = _find(session, operation.object)
    if target is None:
        return "unknown_object"
    _relate_people(session, operation, target)
    return None


def _delete_people(session: Session, operation: Operation) -> str | None:
    target = _find(session, operation.object)
    if target is None:
        return "unknown_object"
    for who, _ in _people(session, operation):
        _unrelate(session, who, target)
    return None


def _find(session: Session, identifiers: dict[str, str]) -> int | None:
    if "cio_object_id" in identifiers:
        number = int(identifiers["cio_object_id"].removeprefix("ob") or "0", 16)
        row = session.db.execute("SELECT number FROM objects WHERE number = ?", (number,)).fetchone()
    else:
        key = (identifiers["object_type_id"], identifiers["object_id"])
        row = session.db.execute("SELECT number FROM objects WHERE type = ? AND id = ?", key).fetchone()
    return row[0] if row else None


def _create(session: Session, identifiers: dict[str, str]) -> int | None:
    if "cio_object_id" in identifiers:
        return None
    key = (identifiers["object_type_id"], identifiers["object_id"], session.now)
    return session.db.execute(
        "INSERT INTO objects (type, id, attributes, changed, created_at) VALUES (?, ?, '{}', '{}', ?)", key
    ).lastrowid


def _people(session: Session, operation: Operation) -> Iterator[tuple[Person, dict[str, Any]]]:
    for each in operation.relationships:
        who = session.people.get(each["who"])
        if who is not None:
            yield who, each["attributes"]


def _relate_people(session: Session, operation: Operation, target: int) -> None:
    for who, attributes in _people(session, operation):
        _relate(session, "relationships", who.cio, target, attributes)
        session.log.note("add_relationship", who.cio, {"object": target})


def _relate(session: Session, table: str, who: int | str, target: int, attributes: dict[str, Any]) -> None:
    column = "cio" if table == "relationships" else "anonymous_id"
    row = session.db.execute(
        f"SELECT attributes, changed FROM {table} WHERE {column} = ? AND object = ?", (who, target)
    ).fetchone()
    written = _written(row or ("{}", "{}"), attributes, session.now)
    session.db.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", (who, target, *written))


def _unrelate(session: Session, who: Person, target: int | None) -> None:
    gone = session.db.execute("DELETE FROM relationships WHERE cio = ? AND object = ?", (who.cio, target))
    if gone.rowcount:
        session.log.note("delete_relationship", who.cio, {"object": target})


def _written(stored: tuple[str, str], new: dict[str, Any], now: int) -> tuple[str, str]:
    """Attributes and the second of each one's last change, as stored before and after `new`.

    Null and "" remove an attribute of an object or a relationship, as documented.
    """
    old, changed = map(decode, stored)
    merged = {name: value for name, value in {**old, **new}.items() if value is not None and value != ""}
    differs = [name for name in new if merged.get(name) != old.get(name)]
    return encode(merged), encode(changed | dict.fromkeys(differs, now))


ACTIONS: dict[str, Callable[[Session, Operation], str | None]] = {
    "identify": _identify,
    "identify_anonymous": _identify_anonymous,
    "delete": _delete,
    "add_relationships": _add_people,
    "delete_relationships": _delete_people,
}
