"""The activity log: events, page and screen views, and what happened to profiles."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import encode

EVENT_TYPES = ("event", "page", "screen")
CROCKFORD = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
MERGE_WINDOW = 30 * 86_400


def is_ulid(text: str | None) -> bool:
    return text is not None and len(text) == 26 and text[0] < "8" and CROCKFORD.issuperset(text.upper())


class ActivityLog:
    """What one request adds to the log."""

    def __init__(self, db: sqlite3.Connection, *, now: int, dedupe_seconds: int) -> None:
        self._db = db
        self._now = now
        self._dedupe_seconds = dedupe_seconds
        self._rows: list[tuple[Any, ...]] = []
        self._seen: set[str] = set()
        self.events: Counter[str] = Counter()

    def load(self, ulids: Iterable[str]) -> None:
        """Look up which of ``ulids`` were received within the de-duplication window."""
        values = [ulid.upper() for ulid in ulids]
        if not values or not self._dedupe_seconds:
            return
        found = self._db.execute(
            "SELECT ulid FROM activities WHERE ulid IN (SELECT value FROM json_each(?)) AND received_at > ?",
            (encode(values), self._now - self._dedupe_seconds),
        )
        self._seen.update(ulid for (ulid,) in found)

    def event(
        self,
        kind: str,
        name: str,
        *,
        cio: int | None,
        anonymous_id: str | None = None,
        ulid: str | None = None,
        timestamp: int | None = None,
        data: dict[str, Any],
    ) -> bool:
        """Record an event; False when its ULID was seen. An id that is no ULID does not de-duplicate."""
        key = ulid.upper() if ulid is not None and is_ulid(ulid) else None
        if key is not None and self._dedupe_seconds:
            if key in self._seen:
                return False
            self._seen.add(key)
        at = self._now if timestamp is None else timestamp
        self._rows.append((cio, anonymous_id, kind, name, key, at, self._now, encode(data)))
        self.events[name] += 1
        return True

    def note(self, kind: str, cio: int | None, data: dict[str, Any] | None = None) -> None:
        self._rows.append((cio, None, kind, None, None, self._now, self._now, encode(data or {})))

    def claim_anonymous(self, cio: int, anonymous_id: str) -> int:
        """Anonymous events of the last 30 days become this person's; returns how many."""
        self.flush()
        return self._db.execute(
            "UPDATE activities SET cio = ? WHERE anonymous_id = ? AND cio IS NULL AND received_at > ?",
            (cio, anonymous_id, self._now - MERGE_WINDOW),
        ).rowcount

    def hand_over(self, old: int, new: int) -> None:
        """A merge: the last 30 days of events move to the primary."""
        self.flush()
        self._db.execute(
            "UPDATE activities SET cio = ? WHERE cio = ? AND received_at > ?"
            " AND type IN ('event', 'page', 'screen')",
            (new, old, self._now - MERGE_WINDOW),
        )

    def flush(self) -> None:
        self._db.executemany(
            "INSERT INTO activities (cio, anonymous_id, type, name, ulid, timestamp, received_at, data)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            self._rows,
        )
        self._rows = []
