"""Every action of a person: what it does, or why it is dropped."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_cio.sandbox.customerio import objects
from airflow_provider_cio.sandbox.customerio.identify import create, identify
from airflow_provider_cio.sandbox.customerio.operations import Operation
from airflow_provider_cio.sandbox.customerio.payload import encode
from airflow_provider_cio.sandbox.customerio.people import NOBODY, Identifier, Person
from airflow_provider_cio.sandbox.customerio.workspace import Session

Action = Callable[[Session, Operation], str | None]


def apply(session: Session, operations: list[Operation]) -> None:
    """Do ``operations`` in order. Each is counted as accepted, or as dropped with its reason."""
    session.load(operations)
    for operation in operations:
        reason = _apply(session, operation)
        if reason is None:
            session.accepted[operation.action] += 1
        else:
            session.dropped[reason] += 1


def _apply(session: Session, operation: Operation) -> str | None:
    if operation.entity == "delivery":
        return "unknown_delivery"
    if operation.entity == "object":
        return objects.ACTIONS[operation.action](session, operation)
    if operation.who is NOBODY:
        return _anonymous_event(session, operation)
    if operation.action != "unsuppress" and session.people.is_suppressed(operation.who):
        return "suppressed"
    reason = PERSON_ACTIONS[operation.action](session, operation)
    if reason is None and operation.action == "identify" and operation.relationships:
        objects.add_to_person(session, operation)
    return reason


def _found_or_created(session: Session, who: Identifier) -> Person | None:
    found = session.people.get(who)
    if found is None and who.kind != "cio_id":
        return create(session, who)
    return found


def _delete(session: Session, operation: Operation) -> str | None:
    who = session.people.get(operation.who)
    if who is None:
        return "unknown_person"
    session.people.remove(who)
    session.log.note("profile_delete", who.cio)
    return None


def _suppress(session: Session, operation: Operation) -> str | None:
    """Delete the profile and block all its identifiers, and the one that was named."""
    who = session.people.get(operation.who)
    if who is None:
        session.people.suppress([operation.who], cio=-_next_group(session))
        return None
    session.people.suppress({*who.known_as(), operation.who.key}, cio=who.cio)
    session.people.remove(who)
    session.log.note("profile_delete", who.cio)
    return None


def _next_group(session: Session) -> int:
    """A number for identifiers that were blocked although nobody had them."""
    row = session.db.execute("SELECT coalesce(-min(cio), 0) + 1 FROM suppressed WHERE cio < 0").fetchone()
    return int(row[0] or 1)


def _unsuppress(session: Session, operation: Operation) -> str | None:
    session.people.unsuppress(operation.who)
    return None


def _event(session: Session, operation: Operation) -> str | None:
    who = _found_or_created(session, operation.who)
    if who is None:
        return "unknown_cio_id"
    stored = session.log.event(
        operation.action,
        operation.name,
        cio=who.cio,
        anonymous_id=operation.anonymous_id,
        ulid=operation.event_id,
        timestamp=operation.timestamp,
        data=operation.attributes,
    )
    return None if stored else "duplicate_event"


def _anonymous_event(session: Session, operation: Operation) -> str | None:
    stored = session.log.event(
        operation.action,
        operation.name,
        cio=None,
        anonymous_id=operation.anonymous_id,
        ulid=operation.event_id,
        timestamp=operation.timestamp,
        data=operation.attributes,
    )
    return None if stored else "duplicate_event"


def _add_device(session: Session, operation: Operation) -> str | None:
    who = _found_or_created(session, operation.who)
    if who is None:
        return "unknown_cio_id"
    device = operation.device
    last_used = device.get("last_used") or session.now
    session.db.execute(
        "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?)",
        (who.cio, device["token"], device["platform"], last_used, encode(device.get("attributes") or {})),
    )
    session.log.note("device_change", who.cio, {"device": {"from": "", "to": device["token"]}})
    return None


def _delete_device(session: Session, operation: Operation) -> str | None:
    who = session.people.get(operation.who)
    if who is None:
        return "unknown_person"
    token = operation.device["token"]
    gone = session.db.execute("DELETE FROM devices WHERE cio = ? AND token = ?", (who.cio, token))
    if not gone.rowcount:
        return "unknown_device"
    session.log.note("device_change", who.cio, {"device": {"from": token, "to": ""}})
    return None


def _merge(session: Session, operation: Operation) -> str | None:
    """The primary keeps what it has; gaps, events, devices and segments come from the secondary."""
    primary, secondary = session.people.get(operation.who), session.people.get(operation.other)
    if primary is None:
        return "unknown_primary"
    if secondary is None:
        return "unknown_secondary"
    if primary is secondary:
        return "merge_with_itself"
    session.people.remove(secondary)
    for name, value in secondary.attributes.items():
        if primary.attributes.setdefault(name, value) is value:
            primary.changed.setdefault(name, session.now)
    for kind in ("id", "email", "phone"):
        if getattr(primary, kind) is None and getattr(secondary, kind) is not None:
            session.people.rename(primary, kind, getattr(secondary, kind))
    session.people.touch(primary)
    session.log.hand_over(secondary.cio, primary.cio)
    for table in ("devices", "members", "relationships"):
        session.db.execute(
            f"UPDATE OR IGNORE {table} SET cio = ? WHERE cio = ?", (primary.cio, secondary.cio)
        )
    session.log.note("profile_merge", primary.cio, {"secondary": secondary.identifiers()})
    return None


PERSON_ACTIONS: dict[str, Action] = {
    "identify": identify,
    "delete": _delete,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
    "event": _event,
    "page": _event,
    "screen": _event,
    "add_device": _add_device,
    "delete_device": _delete_device,
    "merge": _merge,
    "add_relationships": objects.add_to_person,
    "delete_relationships": objects.delete_from_person,
}
