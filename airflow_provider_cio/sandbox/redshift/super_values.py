"""SUPER on the wire: PostgreSQL's jsonb under Redshift's type number, as compact text."""

from __future__ import annotations

import re

from airflow_provider_cio.sandbox.redshift.backend import row_description
from airflow_provider_cio.sandbox.redshift.wire import Message

SUPER = 4000
_JSON_TYPES = frozenset({114, 3802})
_STRING_OR_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|\s+')


class SuperColumns:
    """Knows which columns of the rows that pass are SUPER.

    A driver describes a prepared statement once and executes it again later, so the positions belong to the
    statement, not to the last description.
    """

    def __init__(self) -> None:
        self._positions: dict[str | None, frozenset[int]] = {}

    def shown(self, message: Message, statement: str | None) -> Message:
        """A reply to ``statement`` (None: to a simple query) as Redshift would send it."""
        match message.kind:
            case b"T":
                message, self._positions[statement] = renumber(message)
            case b"n":
                self._positions[statement] = frozenset()
            case b"D":
                positions = self._positions.get(statement)
                return compact(message, positions) if positions else message
        return message


def renumber(description: Message) -> tuple[Message, frozenset[int]]:
    """The RowDescription with SUPER's number, and the positions of SUPER columns."""
    positions = frozenset(
        position
        for position, (_, oid, _) in enumerate(row_description(description.body))
        if oid in _JSON_TYPES
    )
    if not positions:
        return description, positions
    body, at = bytearray(description.body), 2
    for position in range(int.from_bytes(body[:2], "big")):
        at = body.index(b"\0", at) + 1
        if position in positions:
            body[at + 6 : at + 10] = SUPER.to_bytes(4, "big")
        at += 18
    return Message(description.kind, bytes(body)), positions


def compact(row: Message, positions: frozenset[int]) -> Message:
    """The DataRow with the JSON of those columns stripped of white space; numbers keep their digits."""
    parts, at = [row.body[:2]], 2
    for position in range(int.from_bytes(row.body[:2], "big")):
        length = int.from_bytes(row.body[at : at + 4], "big", signed=True)
        value = row.body[at + 4 : at + 4 + max(length, 0)]
        at += 4 + max(length, 0)
        if length > 0 and position in positions:
            value = _STRING_OR_SPACE.sub(rb"\1", value)
            length = len(value)
        parts.append(length.to_bytes(4, "big", signed=True) + value)
    return Message(row.kind, b"".join(parts))
