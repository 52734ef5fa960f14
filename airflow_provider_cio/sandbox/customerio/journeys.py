"""What starts a journey: an event, or coming into a segment."""

from __future__ import annotations

import sqlite3
from typing import Any

from airflow_provider_cio.sandbox.customerio import data_driven, filters
from airflow_provider_cio.sandbox.customerio.data_driven import Entry
from airflow_provider_cio.sandbox.customerio.payload import decode, encode

TOO_OLD = 72 * 3600
"""Seconds after which an event triggers nothing (Track API, events)."""


def last_activity(db: sqlite3.Connection) -> int:
    """Where :func:`react` starts to look."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM activities").fetchone()[0])


def react(db: sqlite3.Connection, now: int, since: int) -> None:
    """Start the journeys that follow from the activities after ``since``."""
    rows = db.execute("SELECT DISTINCT cio FROM activities WHERE seq > ? AND cio IS NOT NULL", (since,))
    people = [cio for (cio,) in rows.fetchall()]
    if not people:
        return
    _start_by_segment(db, now, data_driven.update(db, now, people))
    _start_by_event(db, now, since)


def let_time_pass(db: sqlite3.Connection, now: int) -> None:
    """Who comes into a segment because days went by starts a journey too."""
    _start_by_segment(db, now, data_driven.update(db, now))


def _running(db: sqlite3.Connection) -> list[tuple[int, dict[str, Any]]]:
    rows = db.execute("SELECT id, definition FROM campaigns WHERE state = 'running' ORDER BY id")
    return [(number, decode(definition)) for number, definition in rows]


def _start_by_segment(db: sqlite3.Connection, now: int, entries: list[Entry]) -> None:
    """Once a person and campaign."""
    for campaign, definition in _running(db) if entries else ():
        people = [entry.cio for entry in entries if entry.segment == definition["trigger"].get("segment")]
        known = db.execute("SELECT cio FROM journeys WHERE campaign = ?", (campaign,)).fetchall()
        for cio in sorted(set(people) - {cio for (cio,) in known}):
            _start(db, now, campaign, definition, cio, None)


def _start_by_event(db: sqlite3.Connection, now: int, since: int) -> None:
    """Each time; not for events of more than 72 hours ago."""
    for campaign, definition in _running(db):
        name = definition["trigger"].get("event")
        events = db.execute(
            "SELECT seq, cio FROM activities WHERE seq > ? AND type = 'event' AND name = ?"
            " AND cio IS NOT NULL AND timestamp >= ? ORDER BY seq",
            (since, name, now - TOO_OLD),
        )
        for seq, cio in events.fetchall() if name else ():
            _start(db, now, campaign, definition, cio, seq)


def _start(
    db: sqlite3.Connection, now: int, campaign: int, definition: dict[str, Any], cio: int, event: int | None
) -> None:
    sql, values = filters.condition(definition["filter"], now=now) if definition["filter"] else ("1", [])
    row = db.execute(f"SELECT attributes FROM people WHERE cio = ? AND ({sql})", (cio, *values)).fetchone()
    if row is None:
        return
    attributes = decode(row[0])
    read = {name: attributes.get(name) for name in definition["reads"]}
    db.execute(
        "INSERT INTO journeys (campaign, cio, started_at, event, read) VALUES (?, ?, ?, ?, ?)",
        (campaign, cio, now, event, encode(read)),
    )
