"""One operation on one profile, whichever API it came through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_cio.sandbox.customerio.activities import is_ulid
from airflow_provider_cio.sandbox.customerio.limits import ID_BYTES, check_text
from airflow_provider_cio.sandbox.customerio.payload import RefusedError
from airflow_provider_cio.sandbox.customerio.people import NOBODY, Identifier
from airflow_provider_cio.sandbox.customerio.settings import Settings

KINDS = ("id", "email", "phone", "cio_id")


@dataclass(slots=True)
class Operation:
    """``who`` is NOBODY for anonymous events, objects and deliveries. ``other`` is a merge's secondary."""

    entity: str
    action: str
    who: Identifier = NOBODY
    attributes: dict[str, Any] = field(default_factory=dict)
    timestamp: int | None = None
    name: str = ""
    event_id: str | None = None
    anonymous_id: str | None = None
    device: dict[str, Any] = field(default_factory=dict)
    relationships: list[dict[str, Any]] = field(default_factory=list)
    other: Identifier = NOBODY
    object: dict[str, Any] = field(default_factory=dict)
    update_only: bool = False
    v1: bool = False

    def mentions(self) -> Iterator[Identifier]:
        """Everybody whom this operation may concern."""
        if self.who is not NOBODY:
            yield self.who
        if self.other is not NOBODY:
            yield self.other
        if self.action == "identify" and self.entity == "person":
            for kind in ("id", "email", "phone"):
                value = self.attributes.get(kind)
                if value is not None and value != "":
                    yield Identifier(kind, str(value))
        if self.entity == "object":
            for each in self.relationships:
                if each["who"] is not NOBODY:
                    yield each["who"]

    def ulid(self) -> str | None:
        return self.event_id if is_ulid(self.event_id) else None


def read_identifier(value: Any, field: str, settings: Settings) -> Identifier:
    """Exactly one of id, email, phone, cio_id: one that this workspace has, not null and not empty."""
    if not isinstance(value, dict):
        raise RefusedError("required", field, f"{field} must be an object with one identifier")
    given = [kind for kind in value if kind in KINDS]
    if len(given) != 1 or len(value) != 1:
        raise RefusedError("invalid", field, f"{field} must hold exactly one of {', '.join(KINDS)}")
    kind = given[0]
    enabled = {"phone": settings.phone_identifies, "email": settings.email_identifies}
    if not enabled.get(kind, True):
        raise RefusedError("invalid", f"{field}.{kind}", f"{kind} is not an identifier in this workspace")
    return Identifier(kind, read_id(value[kind], f"{field}.{kind}", kind))


def read_id(value: Any, field: str, kind: str = "id", limit: int = ID_BYTES) -> str:
    if value is None or value == "":
        reason = f"Invalid identifier: {kind} cannot be {'null' if value is None else 'blank'}"
        raise RefusedError(reason, field, reason)
    if type(value) is int:
        value = str(value)
    if not isinstance(value, str):
        raise RefusedError("invalid", field, f"{field} must be a string")
    check_text(value, limit, field)
    return value
