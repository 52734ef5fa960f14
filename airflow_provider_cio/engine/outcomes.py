"""What became of the rows of one attempt, written to S3 as the send goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa
from ulid import ULID

from airflow_provider_cio.core.rejection import RejectClass
from airflow_provider_cio.engine.attempts import Traffic
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse import bulk
from airflow_provider_cio.warehouse.bulk import OUTCOMES, Outcome
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Bucket

MAX_TEXT = 64
"""Characters of a reason or field; four bytes each fit the 256 of `rejects`."""
FLUSH_SECONDS = 2.0
"""Between two objects of an attempt: how much a sender that is killed leaves without an outcome on record."""


@dataclass
class Tally:
    """Rows by what became of them."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    transient: int = 0
    quarantined: int = 0


@dataclass
class Recorder:
    """Collects outcomes of one attempt and writes them as new objects, few and large; threads may share it.

    :param folder: of this attempt alone, so that no outcome is ever overwritten.
    """

    bucket: Bucket
    plan: Plan
    shard: int
    folder: str
    tally: Tally = field(default_factory=Tally)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._waiting: list[pa.Table] = []
        self._accepted: list[pa.Array] = []
        self._decided: list[str] = []
        self._sequence = 0
        self._flushed = time.monotonic()

    def add(
        self,
        ordinals: pa.Array,
        outcome: Outcome,
        reasons: Sequence[tuple[str, str]] | str | None = None,
        *,
        as_class: RejectClass | None = None,
        sent_at: datetime | pa.Array | None = None,
    ) -> None:
        """One outcome for these ordinals; `reasons` gives each its reason and field, or all the same reason.

        :param sent_at: when the first request that may have applied them was sent, in UTC.
        """
        with self._lock:
            if outcome == Outcome.ACCEPTED:
                self._accepted.append(ordinals)
            else:
                self._waiting.append(self._table(ordinals, outcome, reasons, as_class, sent_at))
            count = len(ordinals)
            match outcome:
                case Outcome.ACCEPTED:
                    self.tally.accepted += count
                case Outcome.QUARANTINED:
                    self.tally.quarantined += count
                case Outcome.TRANSIENT:
                    self.tally.transient += count
                case _:
                    self.tally.rejected += count

    def unanswered(self, ordinals: pa.Array, sent_at: datetime, *, tallied: bool = True) -> None:
        """A request with these was written and not answered; `tallied` unless it was told something later."""
        with self._lock:
            self._waiting.append(self._table(ordinals, Outcome.UNKNOWN, "no_answer", "unknown", sent_at))
            self.tally.unknown += len(ordinals) if tallied else 0

    def answered(self, traffic: Traffic) -> None:
        """A batch is done: count its traffic."""
        with self._lock:
            self.traffic.add(traffic)

    def announce(self, ordinals: pa.Array) -> str:
        """Say on record what is about to be sent: if the sender dies, these rows are undecided, not merely unsent.

        :returns: what :meth:`decided` takes back.
        """
        key = f"{self.folder}in_flight-{str(ULID()).lower()}.parquet"
        table = self._table(ordinals, Outcome.IN_FLIGHT, "sender_died", "unknown", datetime.now(UTC))
        bulk.write_outcomes(self.bucket, key, table)
        return key

    def decided(self, announcement: str) -> None:
        """What became of these rows was added: once that is on record, take the announcement back."""
        with self._lock:
            self._decided.append(announcement)

    def flush_now_and_then(self) -> None:
        """Write what waits, if the last object was written `FLUSH_SECONDS` ago."""
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one new object; then take back the announcements of what is decided now."""
        with self._flushing:
            with self._lock:
                waiting, self._waiting = self._waiting, []
                accepted, self._accepted = self._accepted, []
                decided, self._decided = self._decided, []
                self._flushed = time.monotonic()
            try:
                self._write(waiting, accepted)
            except CustomerIOProviderError:
                with self._lock:  # the last flush tries again
                    self._waiting, self._accepted = waiting + self._waiting, accepted + self._accepted
                    self._decided = decided + self._decided
                raise
            for key in decided:
                self.bucket.delete_one(key)

    def _write(self, waiting: list[pa.Table], accepted: list[pa.Array]) -> None:
        if accepted:
            ordinals = pa.concat_arrays(accepted)
            waiting = [*waiting, self._table(ordinals, Outcome.ACCEPTED, None, None, None)]
        if waiting:
            key = f"{self.folder}outcomes-{self._sequence:06d}.parquet"
            bulk.write_outcomes(self.bucket, key, pa.concat_tables(waiting))
            self._sequence += 1

    def _table(
        self,
        ordinals: pa.Array,
        outcome: Outcome,
        reasons: Sequence[tuple[str, str]] | str | None,
        as_class: RejectClass | None,
        sent_at: datetime | pa.Array | None,
    ) -> pa.Table:
        count = len(ordinals)
        if not isinstance(sent_at, pa.Array):
            moment = None if sent_at is None else sent_at.astimezone(UTC).replace(tzinfo=None)
            sent_at = pa.repeat(pa.scalar(moment, pa.timestamp("us")), count)
        columns = {
            "shard": pa.repeat(pa.scalar(self.shard, pa.int32()), count),
            "ordinal": ordinals,
            "outcome": pa.repeat(pa.scalar(int(outcome), pa.int32()), count),
            "reason": _texts(reasons, 0, count),
            "field": _texts(reasons, 1, count),
            "class": pa.repeat(pa.scalar(as_class, pa.string()), count),
            "sent_at": sent_at,
        }
        return pa.table(columns).cast(OUTCOMES)


def _texts(reasons: Sequence[tuple[str, str]] | str | None, part: int, count: int) -> pa.Array:
    if reasons is None or isinstance(reasons, str):
        return pa.repeat(pa.scalar(reasons if part == 0 else None, pa.string()), count)
    return pa.array([reason[part][:MAX_TEXT] or None for reason in reasons], pa.string())
