"""The workspace: its store, its settings, and one transaction for each request."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_provider_cio.sandbox.customerio import journeys
from airflow_provider_cio.sandbox.customerio import settings as settings_module
from airflow_provider_cio.sandbox.customerio.activities import ActivityLog
from airflow_provider_cio.sandbox.customerio.operations import Operation
from airflow_provider_cio.sandbox.customerio.people import People
from airflow_provider_cio.sandbox.customerio.settings import Settings
from airflow_provider_cio.sandbox.customerio.store import Store

WORKSPACE_NAME = "Sandbox"


@dataclass
class Session:
    """One request's unit of work. ``dropped`` counts what was answered with 200 and not done."""

    db: sqlite3.Connection
    settings: Settings
    now: int
    people: People
    log: ActivityLog
    received: int = 0
    refused: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def load(self, operations: list[Operation]) -> None:
        """Fetch everything that ``operations`` mention, with one query for each kind."""
        self.people.load(who for operation in operations for who in operation.mentions())
        self.log.load(ulid for operation in operations if (ulid := operation.ulid()) is not None)

    def flush(self) -> None:
        self.people.flush()
        self.log.flush()


class Workspace:
    """What all handlers share."""

    def __init__(self, folder: Path, base: Settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.store = Store(folder / "customerio.sqlite3")
        self._base = base
        try:
            self.settings = settings_module.load(self.store, base)
        except BaseException:
            self.store.close()
            raise

    def now(self) -> int:
        """Unix seconds, moved by the setting ``clock_offset``."""
        return int(time.time()) + self.settings.clock_offset

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction; what was counted is stored with what was done."""
        with self.store.transaction() as db:
            now, settings = self.now(), self.settings
            session = Session(
                db=db,
                settings=settings,
                now=now,
                people=People(db, email_identifies=settings.email_identifies),
                log=ActivityLog(db, now=now, dedupe_seconds=settings.dedupe_seconds),
            )
            before = journeys.last_activity(db)
            yield session
            session.flush()
            journeys.react(db, now, before)
            totals = {"received": session.received, "accepted": session.accepted.total()}
            totals |= {"refused": session.refused, "dropped": session.dropped.total()}
            self.store.count("items", totals)
            self.store.count("action", session.accepted)
            self.store.count("dropped", session.dropped)
            self.store.count("event", session.log.events)

    def let_time_pass(self) -> None:
        """Members of segments that depend on the clock are worked out when somebody looks."""
        with self.store.transaction() as db:
            journeys.let_time_pass(db, self.now())

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change settings and keep them over a restart; ValueError says what is wrong with them."""
        self.settings = self.settings.updated(changes)
        settings_module.save(self.store, changes)

    def reset(self) -> None:
        self.store.reset()
        self.settings = self._base

    def close(self) -> None:
        self.store.close()
