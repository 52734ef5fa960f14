"""Data-driven segments: who is in them follows from attributes, events and the clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from airflow_provider_cio.sandbox.customerio import filters
from airflow_provider_cio.sandbox.customerio.payload import decode, encode


@dataclass(frozen=True)
class Entry:
    """Somebody who just came into a segment."""

    segment: int
    cio: int


def update(db: sqlite3.Connection, now: int, people: list[int] | None = None) -> list[Entry]:
    """Work out the members of every data-driven segment anew, among ``people`` or all; who came in."""
    return [entry for row in _conditions(db) for entry in _entered(db, now, row, people)]


def _conditions(db: sqlite3.Connection) -> list[tuple[int, str]]:
    return db.execute("SELECT segment, conditions FROM data_driven ORDER BY segment").fetchall()


def _entered(
    db: sqlite3.Connection, now: int, row: tuple[int, str], people: list[int] | None
) -> Iterator[Entry]:
    segment, conditions = row
    sql, values = filters.condition(decode(conditions), now=now)
    among = "1" if people is None else "cio IN (SELECT value FROM json_each(?))"
    chosen = [] if people is None else [encode(people)]
    db.execute(
        f"DELETE FROM members WHERE segment = ? AND {among}"
        f" AND cio NOT IN (SELECT cio FROM people WHERE {among} AND ({sql}))",
        (segment, *chosen, *chosen, *values),
    )
    entered = db.execute(
        f"INSERT OR IGNORE INTO members SELECT ?, cio FROM people WHERE {among} AND ({sql}) RETURNING cio",
        (segment, *chosen, *values),
    )
    return (Entry(segment, cio) for (cio,) in entered.fetchall())
