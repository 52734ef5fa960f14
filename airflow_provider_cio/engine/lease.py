"""One run of a sync at a time: a lease in Redshift that the sender renews."""

from __future__ import annotations

import logging
import math
import threading
import time
from typing import Protocol

from airflow_provider_cio.exceptions import LeaseLostError, RetriableError, StoppedError
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse.session import Session, Warehouse

log = logging.getLogger(__name__)
RENEW_BELOW = 2 / 3
"""The share of the lease below which it is prolonged before the next request."""
STOP_BELOW = 1 / 2
"""No request starts with less than this share left, which is more than a request with its repeats may take."""
LOOKS_PER_LEASE = 90
"""How often in the time of a lease a sender looks whether a later attempt has begun: every 10 s of 900."""


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

    @property
    def grace_seconds(self) -> int:
        """How long it keeps others out after that."""

    @property
    def stop(self) -> threading.Event:
        """Set when the task is told to end."""


class Lease:
    """Held by a run of a sync; threads may share it."""

    def __init__(self, ctx: Holder) -> None:
        self._ctx = ctx
        self._lock = threading.Lock()
        self._until = 0.0

    def acquire(self) -> Lease:
        """Take or prolong the lease.

        :raises LeaseLostError: another run holds it; the message names it and when its lease ends.
        :raises StoppedError: the task was told to end.
        """
        if self._ctx.stop.is_set():
            raise StoppedError(
                f"The task of sync '{self._ctx.sync.name}' was told to end.",
                next_step="clear it, or start a new run: either goes on from here.",
            )
        started = time.monotonic()
        self._ctx.warehouse.transaction(self._take)
        self._until = started + self._ctx.lease_seconds
        return self

    def hold(self) -> None:
        """Make sure that a request may start now; asks Redshift only when a third of the lease has passed.

        While Redshift is away, the lease that was taken still holds.

        :raises LeaseLostError: another run took over.
        :raises StoppedError: the task was told to end.
        """
        with self._lock:
            left, whole = self._until - time.monotonic(), self._ctx.lease_seconds
            if left >= RENEW_BELOW * whole and not self._ctx.stop.is_set():
                return
            try:
                self.acquire()
            except (LeaseLostError, StoppedError):
                raise
            except RetriableError as error:
                if left < STOP_BELOW * whole:
                    raise
                log.warning("The lease of sync %s was not prolonged yet: %s", self._ctx.sync.name, error)

    def release(self) -> None:
        """Let the next run in at once."""
        ctx = self._ctx
        ctx.warehouse.transaction(
            lambda session: ledger.end_lease(session, ctx.schema, ctx.sync.name, ctx.run_id)
        )

    def outlast(self) -> int:
        """Keep others out until no request can be under way any more, should a sender be alive; the seconds.

        It sees that its claim is gone before its next request, or a look later.
        """
        ctx = self._ctx
        seconds = ctx.grace_seconds + math.ceil(ctx.lease_seconds / LOOKS_PER_LEASE)
        ctx.warehouse.transaction(
            lambda session: ledger.write_lease(session, ctx.schema, ctx.sync.name, ctx.run_id, seconds)
        )
        return seconds

    def shorten(self) -> None:
        """Let the next run in once no request of this one can be under way any more: it was killed."""
        ctx = self._ctx

        def cut(session: Session) -> None:
            row = ledger.read_lease(session, ctx.schema, ctx.sync.name)
            if row is not None and row.holder == ctx.run_id and row.remaining > ctx.grace_seconds:
                ledger.write_lease(session, ctx.schema, ctx.sync.name, ctx.run_id, ctx.grace_seconds)

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
        seconds = ctx.lease_seconds + ctx.grace_seconds
        ledger.write_lease(session, ctx.schema, ctx.sync.name, ctx.run_id, seconds)
