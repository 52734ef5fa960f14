"""Identify: who is meant, which identifiers may change, which attributes are written."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.sandbox.customerio.limits import ATTRIBUTES
from airflow_provider_cio.sandbox.customerio.operations import Operation
from airflow_provider_cio.sandbox.customerio.payload import as_text
from airflow_provider_cio.sandbox.customerio.people import Identifier, Person
from airflow_provider_cio.sandbox.customerio.workspace import Session

IDENTIFIERS = ("id", "email", "phone")
READ_ONLY = frozenset(
    {"cio_id", "_created_in_customerio_at", "_cio_subscription_preferences_computed", "_last_emailed"}
)
PREFERENCES = "cio_subscription_preferences"
TAKEN = "The identifier is already associated with a different profile."
NEEDS_CIO_ID = "The identifier is set already; changing it needs the cio_id."
TOO_MANY = f"A profile holds at most {ATTRIBUTES} attributes."
_MISSING = object()


def identify(session: Session, operation: Operation) -> str | None:
    """Apply ``operation``; the reason when it is dropped, silently, with a 200."""
    found = session.people.get(operation.who)
    at = session.now if operation.timestamp is None else min(operation.timestamp, session.now)
    if found is None:
        if operation.who.kind == "cio_id":
            return "unknown_cio_id"
        if operation.update_only:
            if operation.v1:
                change = _failure(None, operation.who.value, "No profile has this identifier (_update).")
                session.log.note("failed_attribute_change", None, {operation.who.kind: change})
            return "update_unknown_person"
        found = _adopt(session, operation)
    elif at < found.changed_at:
        return "stale_timestamp"
    who = found or create(session, operation.who)
    _write(session, who, operation, at, log=found is not None)
    if operation.anonymous_id and session.settings.event_merging:
        _claim(session, who, operation.anonymous_id)
    return None


def create(session: Session, identifier: Identifier) -> Person:
    """A new profile with one identifier. Its first attributes are not logged one by one."""
    who = session.people.create(identifier, session.now)
    who.changed[identifier.kind] = session.now
    session.log.note("profile_create", who.cio)
    return who


def _adopt(session: Session, operation: Operation) -> Person | None:
    """A new id with the email of somebody who has no id (or the other way round) is that person."""
    for kind in IDENTIFIERS:
        value = operation.attributes.get(kind)
        if kind == operation.who.kind or not value:
            continue
        found = session.people.get(Identifier(kind, str(value)))
        if found is not None and getattr(found, operation.who.kind) is None:
            session.people.rename(found, operation.who.kind, operation.who.value)
            found.changed[operation.who.kind] = session.now
            return found
    return None


def _write(session: Session, who: Person, operation: Operation, at: int, *, log: bool) -> None:
    changes: dict[str, Any] = {}
    failures: dict[str, Any] = {}
    attributes = who.attributes
    for name, value in operation.attributes.items():
        old = attributes.get(name, _MISSING)
        if type(old) is type(value) and old == value:
            continue
        if name in {"id", "email"} or (name == "phone" and session.settings.phone_identifies):
            _set_identifier(session, who, operation, name, value, changes, failures)
        elif name not in READ_ONLY:
            _set_attribute(session, who, name, value, changes, failures)
    if changes:
        who.changed.update(dict.fromkeys(changes, at))
        who.changed_at = max(at, who.changed_at)
        session.people.touch(who)
        if log:
            session.log.note("attribute_change", who.cio, changes)
    if failures:
        session.log.note("failed_attribute_change", who.cio, failures)


def _set_identifier(
    session: Session,
    who: Person,
    operation: Operation,
    kind: str,
    value: Any,
    changes: dict[str, Any],
    failures: dict[str, Any],
) -> None:
    old: str | None = getattr(who, kind)
    new = str(value) if value is not None and value != "" else None
    if old == new:
        return
    same = old is not None and new is not None and Identifier(kind, old).key == Identifier(kind, new).key
    shared = kind == "email" and not session.settings.email_identifies
    may_change = (
        old is None
        or shared
        or same
        or operation.who.kind == "cio_id"
        or (kind == "email" and operation.who.kind == "id" and session.settings.email_update_by_id)
    )
    if not may_change:
        failures[kind] = _failure(old, new, NEEDS_CIO_ID)
    elif new is not None and not same and not shared and not _is_free(session, Identifier(kind, new)):
        failures[kind] = _failure(old, new, TAKEN)
    elif new is None and all(getattr(who, each) is None for each in IDENTIFIERS if each != kind):
        failures[kind] = _failure(old, new, "The last identifier of a profile cannot be removed.")
    else:
        session.people.rename(who, kind, new)
        changes[kind] = {"from": old or "", "to": new or ""}


def _is_free(session: Session, identifier: Identifier) -> bool:
    return session.people.get(identifier) is None and not session.people.is_suppressed(identifier)


def _set_attribute(
    session: Session, who: Person, name: str, value: Any, changes: dict[str, Any], failures: dict[str, Any]
) -> None:
    attributes = who.attributes
    if name.startswith(f"{PREFERENCES}."):
        name, value = PREFERENCES, _with_path(attributes.get(PREFERENCES), name.split(".")[1:], value)
    old = attributes.get(name, _MISSING)
    if value is None or value == "":
        if not session.settings.empty_removes and value is None:
            return
        if session.settings.empty_removes:
            if old is not _MISSING:
                del attributes[name]
                changes[name] = {"from": as_text(old), "to": ""}
            return
    if type(old) is type(value) and old == value:
        return
    if old is _MISSING and len(attributes) >= ATTRIBUTES:
        failures[name] = _failure(None, value, TOO_MANY)
        return
    attributes[name] = value
    changes[name] = {"from": "" if old is _MISSING else as_text(old), "to": as_text(value)}


def _with_path(old: Any, path: list[str], value: Any) -> dict[str, Any]:
    """``old`` with the value at a dotted path replaced; the other topics stay."""
    copy = dict(old) if isinstance(old, dict) else {}
    copy[path[0]] = value if len(path) == 1 else _with_path(copy.get(path[0]), path[1:], value)
    return copy


def _claim(session: Session, who: Person, anonymous_id: str) -> None:
    claimed = session.log.claim_anonymous(who.cio, anonymous_id)
    if claimed:
        session.log.note("anon_merge", who.cio, {"anonymous_id": anonymous_id, "events": claimed})


def _failure(old: str | None, new: Any, reason: str) -> dict[str, str]:
    return {"from": old or "", "to": "" if new is None else as_text(new), "reason": reason}
