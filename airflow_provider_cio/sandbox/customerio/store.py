"""What the sandbox keeps: one SQLite file, one writer, WAL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    cio INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, email TEXT, email_key TEXT, phone TEXT,
    attributes TEXT NOT NULL, changed TEXT NOT NULL,
    created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS people_id ON people (id);
CREATE INDEX IF NOT EXISTS people_email ON people (email_key);
CREATE INDEX IF NOT EXISTS people_phone ON people (phone) WHERE phone IS NOT NULL;
CREATE TABLE IF NOT EXISTS departed (cio INTEGER PRIMARY KEY, id TEXT, email TEXT);
CREATE TABLE IF NOT EXISTS suppressed (
    kind TEXT, value TEXT, cio INTEGER, PRIMARY KEY (kind, value)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activities (
    seq INTEGER PRIMARY KEY, cio INTEGER, anonymous_id TEXT, type TEXT NOT NULL, name TEXT, ulid TEXT,
    timestamp INTEGER NOT NULL, received_at INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS activities_person ON activities (cio, seq);
CREATE INDEX IF NOT EXISTS activities_type ON activities (type, seq);
CREATE INDEX IF NOT EXISTS activities_ulid ON activities (ulid) WHERE ulid IS NOT NULL;
CREATE INDEX IF NOT EXISTS activities_anonymous ON activities (anonymous_id) WHERE anonymous_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS devices (
    cio INTEGER, token TEXT, platform TEXT NOT NULL, last_used INTEGER NOT NULL, attributes TEXT NOT NULL,
    PRIMARY KEY (cio, token)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, description TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS data_driven (segment INTEGER PRIMARY KEY, conditions TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS campaigns (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, definition TEXT NOT NULL, state TEXT NOT NULL,
    created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS journeys (
    id INTEGER PRIMARY KEY AUTOINCREMENT, campaign INTEGER NOT NULL, cio INTEGER NOT NULL,
    started_at INTEGER NOT NULL, event INTEGER, read TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS journeys_campaign ON journeys (campaign, cio);
CREATE TABLE IF NOT EXISTS members (segment INTEGER, cio INTEGER, PRIMARY KEY (segment, cio)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_person ON members (cio);
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, id TEXT NOT NULL, attributes TEXT NOT NULL,
    changed TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE (type, id));
CREATE TABLE IF NOT EXISTS relationships (
    cio INTEGER, object INTEGER, attributes TEXT NOT NULL, changed TEXT NOT NULL,
    PRIMARY KEY (cio, object)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS anonymous_relationships (
    anonymous_id TEXT, object INTEGER, attributes TEXT NOT NULL, changed TEXT NOT NULL,
    PRIMARY KEY (anonymous_id, object)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS newsletters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, topic TEXT, sent_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS broadcasts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS triggers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, broadcast INTEGER NOT NULL, people TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS transactional (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS topics (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, cio INTEGER NOT NULL, customer_id TEXT, email TEXT,
    campaign INTEGER, action INTEGER, journey INTEGER, event TEXT, newsletter INTEGER, content INTEGER,
    broadcast INTEGER, trigger INTEGER, transactional INTEGER,
    channel TEXT NOT NULL, subject TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_created ON deliveries (created_at, seq);
CREATE TABLE IF NOT EXISTS metrics (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, delivery TEXT NOT NULL, metric TEXT NOT NULL,
    at INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS metrics_delivery ON metrics (delivery);
CREATE INDEX IF NOT EXISTS metrics_at ON metrics (at);
CREATE TABLE IF NOT EXISTS held_out (journey INTEGER PRIMARY KEY, campaign INTEGER NOT NULL, cio INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS exports (
    id INTEGER PRIMARY KEY AUTOINCREMENT, asked TEXT NOT NULL, polls INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told (event_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (
    family TEXT, name TEXT, n INTEGER NOT NULL, PRIMARY KEY (family, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
EMPTIED_BY_RESET = (
    "newsletters",
    "broadcasts",
    "triggers",
    "transactional",
    "topics",
    "deliveries",
    "metrics",
    "held_out",
    "exports",
    "told",
    "marks",
    "people",
    "departed",
    "suppressed",
    "activities",
    "devices",
    "segments",
    "members",
    "data_driven",
    "campaigns",
    "journeys",
    "objects",
    "relationships",
    "anonymous_relationships",
    "counters",
    "settings",
    "sqlite_sequence",
)


class Store:
    """The file, opened for this process alone; a crash loses nothing that was committed."""

    def __init__(self, file: Path) -> None:
        self.db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=1)
        try:
            self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = NORMAL")
            self.db.execute("PRAGMA cache_size = -65536")
            self.db.executescript(SCHEMA)
        except sqlite3.OperationalError as error:
            self.db.close()
            if "locked" in str(error):
                raise RuntimeError(
                    f"{file} is in use by another Customer.io sandbox. Stop it, or choose another folder."
                ) from error
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block, or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def count(self, family: str, counts: Mapping[str, int]) -> None:
        """Add ``counts`` to the durable counters of ``family``."""
        self.db.executemany(
            "INSERT INTO counters VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(family, name, n) for name, n in counts.items() if n],
        )

    def counters(self, family: str) -> dict[str, int]:
        rows = self.db.execute("SELECT name, n FROM counters WHERE family = ? ORDER BY name", (family,))
        return dict(rows.fetchall())

    def reset(self) -> None:
        """Forget everybody and everything, settings included."""
        with self.transaction() as db:
            for table in EMPTIED_BY_RESET:
                db.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        self.db.close()
