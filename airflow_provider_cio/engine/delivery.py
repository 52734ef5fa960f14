"""One body to Customer.io, and an outcome for each of its items."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from airflow_provider_cio.clients.track import BatchResult, Sender
from airflow_provider_cio.core.batching import bodies
from airflow_provider_cio.core.rejection import RejectClass, classify
from airflow_provider_cio.engine.attempts import Claim, Traffic
from airflow_provider_cio.engine.doors import BATCH_DOOR, Door
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.outcomes import Recorder
from airflow_provider_cio.exceptions import CustomerIOProviderError, RequestRefusedError, UnknownOutcomeError
from airflow_provider_cio.warehouse.bulk import Outcome

ABOUT_ITS_ITEMS = frozenset({400, 413, 422})
"""Statuses that may be the fault of one item; any other refusal is about the request and ends the send."""
MAX_UNKNOWN_BATCHES = 5
MAX_POISON_WITHOUT_SUCCESS = 25


@dataclass(frozen=True)
class Load:
    """Items, their ordinals in the shard, and the body that carries them."""

    ordinals: pa.Array
    items: pa.LargeBinaryArray
    body: bytes
    door: Door = BATCH_DOOR

    def part(self, positions: pa.Array) -> list[Load]:
        """Some of the items, in bodies of their own."""
        ordinals, items = self.ordinals.take(positions), self.items.take(positions)
        return [
            Load(ordinals.slice(batch.start, len(batch)), batch.items, batch.body, self.door)
            for batch in bodies(items, envelope=self.door.envelope)
        ]


class Delivery:
    """Delivers the loads of one attempt; threads may share it."""

    def __init__(self, track: Sender, lease: Lease, claim: Claim, recorder: Recorder) -> None:
        self.recorder = recorder
        self.claim = claim
        self._track = track
        self._lease = lease
        self._lock = threading.Lock()
        self._unknown = 0
        self._poison = 0
        track.before_each(self._may_send)

    def deliver(self, load: Load) -> None:
        """Send a load; what is refused as a whole is taken apart until the guilty items stand alone.

        :raises UnknownOutcomeError: too many loads of this attempt got no answer.
        :raises RequestRefusedError: the request itself is wrong, or nothing but poison was found.
        :raises LeaseLostError: another run, or another attempt at this shard, took over.
        """
        started = datetime.now(UTC)
        try:
            result = load.door.send(self._track, load.body, len(load.items))
        except CustomerIOProviderError as error:
            self._failed(load, error, started)
        else:
            self._record(load, result, started)

    def end(self) -> None:
        """Whoever uses the client next need not hold this attempt's lease and claim."""
        self._track.before_each(lambda: None)

    def _may_send(self) -> None:
        self._lease.hold()
        self.claim.hold()

    def _failed(self, load: Load, error: CustomerIOProviderError, started: datetime) -> None:
        if isinstance(error, UnknownOutcomeError):
            self.recorder.unanswered(load.ordinals, started)
        elif error.maybe_applied:
            self.recorder.unanswered(load.ordinals, started, tallied=False)
        self.recorder.answered(_traffic(load, error.requests, error.rate_limited))
        match error:
            case UnknownOutcomeError():
                self._count_unknown()
            case RequestRefusedError() if error.status in ABOUT_ITS_ITEMS:
                self._take_apart(load, error)
            case _:
                raise error

    def _record(self, load: Load, result: BatchResult, started: datetime) -> None:
        refused = {error.index: (error.reason, error.field) for error in result.errors}
        self._reject(load, refused)
        if refused and result.maybe_applied:
            named = load.ordinals.take(pa.array(list(refused), pa.int64()))
            self.recorder.unanswered(named, started, tallied=False)
        accepted = load.ordinals.take(_others(load, refused)) if refused else load.ordinals
        self.recorder.add(accepted, Outcome.ACCEPTED)
        self.recorder.answered(_traffic(load, result.requests, result.rate_limited))

    def _take_apart(self, load: Load, error: RequestRefusedError) -> None:
        named = {
            int(entry["batch_index"]): (entry["reason"], entry["field"])
            for entry in error.errors
            if entry.get("batch_index", "").isdigit() and int(entry["batch_index"]) < len(load.items)
        }
        if named:
            self._reject(load, named)
            parts = [_others(load, named)]
        elif len(load.items) == 1:
            reason = error.errors[0] if error.errors else {"reason": f"status {error.status}", "field": ""}
            self._reject(load, {0: (reason["reason"], reason["field"])})
            self._count_poison(error)
            return
        else:
            middle = len(load.items) // 2
            parts = [pa.array(range(middle)), pa.array(range(middle, len(load.items)))]
        for positions in parts:
            for smaller in load.part(positions):
                self.deliver(smaller)

    def _reject(self, load: Load, refused: dict[int, tuple[str, str]]) -> None:
        """On record by class: what may pass is no final outcome."""
        by_class: dict[RejectClass, list[int]] = {}
        for position, (reason, _) in refused.items():
            by_class.setdefault(classify(reason), []).append(position)
        for as_class, positions in by_class.items():
            self.recorder.add(
                load.ordinals.take(pa.array(positions, pa.int64())),
                Outcome.TRANSIENT if as_class == "transient" else Outcome.REJECTED,
                [refused[position] for position in positions],
                as_class=as_class,
            )

    def _count_unknown(self) -> None:
        with self._lock:
            self._unknown += 1
            too_many = self._unknown >= MAX_UNKNOWN_BATCHES
        if too_many:
            raise UnknownOutcomeError(
                f"{MAX_UNKNOWN_BATCHES} requests of one attempt got no answer from Customer.io.",
                next_step="run the task again later: it sends what has no outcome.",
            )

    def _count_poison(self, error: RequestRefusedError) -> None:
        with self._lock:
            self._poison += 1
            hopeless = self._poison >= MAX_POISON_WITHOUT_SUCCESS and not self.recorder.tally.accepted
        if hopeless:
            raise error


def _traffic(load: Load, requests: int, rate_limited: int) -> Traffic:
    return Traffic(requests, requests * len(load.body), max(0, requests - 1), rate_limited)


def _others(load: Load, refused: dict[int, tuple[str, str]]) -> pa.Array:
    """Positions of the items that are not named."""
    return pa.array([position for position in range(len(load.items)) if position not in refused], pa.int64())
