"""What became of the rows of one attempt, written to S3 as the send goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from ulid import ULID

from airflow_provider_cio.warehouse import bulk
from airflow_provider_cio.warehouse.bulk import OUTCOMES, Outcome
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Bucket

FLUSH_BATCHES = 8
MAX_TEXT = 64
"""Characters of a reason or field; four bytes each fit the 256 of `rejects`."""


@dataclass
class Traffic:
    """What an attempt's requests came to."""

    requests: int = 0
    bytes: int = 0
    retries: int = 0
    rate_limited: int = 0

    def add(self, other: Traffic) -> None:
        """Sum up."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Tally:
    """Rows by what became of them."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0


def outcome_prefix(plan: Plan, shard: int | None = None) -> str:
    """Where the outcomes of a plan, or of one shard, lie."""
    return f"{plan.prefix}outcomes/" + ("" if shard is None else f"{shard}/")


def settled_ordinals(bucket: Bucket, plan: Plan, shard: int) -> pa.Array:
    """Ordinals of a shard that need no further attempt: accepted, rejected or refused, in any attempt."""
    table = bulk.read_outcomes(bucket, outcome_prefix(plan, shard))
    return table.filter(pc.field("outcome") != int(Outcome.UNKNOWN)).column("ordinal").combine_chunks()


@dataclass
class Recorder:
    """Collects outcomes of one attempt and flushes them as new objects; threads may share it.

    The folder is unique even when the attempt's name is not, so that no outcome is ever overwritten.
    """

    bucket: Bucket
    plan: Plan
    shard: int
    attempt: str
    tally: Tally = field(default_factory=Tally)
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        self._name = f"{self.attempt}-{str(ULID()).lower()}"
        self._lock = threading.Lock()
        self._waiting: list[pa.Table] = []
        self._batches = 0
        self._sequence = 0

    def add(
        self, ordinals: pa.Array, outcome: Outcome, reasons: Sequence[tuple[str, str]] | None = None
    ) -> None:
        """One outcome for these ordinals; `reasons` gives each its reason and field."""
        count = len(ordinals)
        columns = {
            "shard": pa.repeat(pa.scalar(self.shard, pa.int32()), count),
            "ordinal": ordinals,
            "outcome": pa.repeat(pa.scalar(int(outcome), pa.int32()), count),
            "reason": _texts(reasons, 0, count),
            "field": _texts(reasons, 1, count),
        }
        with self._lock:
            self._waiting.append(pa.table(columns).cast(OUTCOMES))
            match outcome:
                case Outcome.ACCEPTED:
                    self.tally.accepted += count
                case Outcome.UNKNOWN:
                    self.tally.unknown += count
                case _:
                    self.tally.rejected += count

    def answered(self, traffic: Traffic) -> None:
        """A batch is done: count its traffic, and flush now and then."""
        with self._lock:
            self.traffic.add(traffic)
            self._batches += 1
            due = self._batches % FLUSH_BATCHES == 0
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one new object."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            sequence, self._sequence = self._sequence, self._sequence + bool(waiting)
        if waiting:
            key = f"{outcome_prefix(self.plan, self.shard)}{self._name}/{sequence:06d}.parquet"
            bulk.write_outcomes(self.bucket, key, pa.concat_tables(waiting))

    def close(self) -> None:
        """Flush, and leave the attempt's traffic for the commit."""
        self.flush()
        body = json.dumps(asdict(self.traffic)).encode()
        self.bucket.put(f"{self.plan.prefix}attempts/{self.shard}-{self._name}.json", body)


def _texts(reasons: Sequence[tuple[str, str]] | None, part: int, count: int) -> pa.Array:
    if reasons is None:
        return pa.nulls(count, pa.string())
    return pa.array([reason[part][:MAX_TEXT] or None for reason in reasons], pa.string())


def traffic_of(bucket: Bucket, plan: Plan) -> Traffic:
    """The traffic of all attempts of a plan that ended in an orderly way."""
    total = Traffic()
    for stored in bucket.listing(f"{plan.prefix}attempts/"):
        total.add(Traffic(**json.loads(bucket.get(stored.key))))
    return total
