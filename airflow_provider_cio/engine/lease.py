"""One run of a sync at a time: a lease in Redshift that the sender renews."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from airflow_provider_cio.exceptions import LeaseLostError
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse.session import Session, Warehouse

RENEW_BELOW = 2 / 3
"""A batch starts with at least this share of the lease left, which is more than a request may take."""
GRACE_SECONDS = 60
"""How long after the holder's own deadline the lease still keeps others out."""


class Named(Protocol):
    """A sync, or an audience."""

    @property
    def name(self) -> str:
        """Under which the lease is kept."""


class Holder(Protocol):
    """What a lease needs to know of the run that takes it: a `SyncContext`, or an `AudienceContext`."""

    @property
    def sync(self) -> Named:
        """What is leased."""

    @property
    def warehouse(self) -> Warehouse:
        """Where the lease is kept."""

    @property
    def schema(self) -> str:
        """Of the package's tables."""

    @property
    def run_id(self) -> str:
        """The holder."""

    @property
    def lease_seconds(self) -> int:
        """How long it lasts."""


class Lease:
    """Held by a run of a sync; threads may share it."""

    def __init__(self, ctx: Holder) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._until = 0.0

    def acquire(self) -> Lease:
        """Take or prolong the lease.

        :raises LeaseLostError: another run holds it; the message names it and when its lease ends.
        """
        started = time.monotonic()
        self._ctx.warehouse.transaction(self._take)
        self._until = started + self._ctx.lease_seconds
        return self

    def hold(self) -> None:
        """Make sure that a request may start now; asks Redshift only when a third of the lease has passed.

        :raises LeaseLostError: another run took over.
        """
        with self._lock:
            if self._until - time.monotonic() < RENEW_BELOW * self._ctx.lease_seconds:
                self.acquire()

    def release(self) -> None:
        """Let the next run in at once."""
        ctx = self._ctx
        ctx.warehouse.transaction(
            lambda session: ledger.end_lease(session, ctx.schema, ctx.sync.name, ctx.run_id)
        )

    def shorten(self) -> None:
        """Let the next run in once no request of this one can be under way any more: it was killed."""
        ctx = self._ctx

        def cut(session: Session) -> None:
            row = ledger.read_lease(session, ctx.schema, ctx.sync.name)
            if row is not None and row.holder == ctx.run_id and row.remaining > GRACE_SECONDS:
                ledger.write_lease(session, ctx.schema, ctx.sync.name, ctx.run_id, GRACE_SECONDS)

        ctx.warehouse.transaction(cut)

    def confirm(self, session: Session) -> None:
        """Inside a transaction: the lease is still this run's.

        :raises LeaseLostError: it is not.
        """
        row = ledger.read_lease(session, self._ctx.schema, self._ctx.sync.name)
        if row is None or row.holder != self._ctx.run_id:
            raise LeaseLostError(
                f"Run {self._ctx.run_id} no longer holds the lease of sync '{self._ctx.sync.name}'.",
                next_step="let the other run finish; it accounts for what this one sent.",
            )

    def _take(self, session: Session) -> None:
        ctx = self._ctx
        session.run(f"LOCK TABLE {state.table(ctx.schema, 'leases')}")
        row = ledger.read_lease(session, ctx.schema, ctx.sync.name)
        if row is not None and row.holder != ctx.run_id and row.remaining > 0:
            raise LeaseLostError(
                f"Sync '{ctx.sync.name}' is held by run {row.holder} until {row.expires_at:%H:%M:%S} UTC "
                f"({row.remaining:.0f} s from now).",
                next_step="wait for that run; if it died, its lease ends by itself.",
            )
        seconds = ctx.lease_seconds + GRACE_SECONDS
        ledger.write_lease(session, ctx.schema, ctx.sync.name, ctx.run_id, seconds)
