"""Send one shard of a plan, each row until it has an outcome."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.batching import Packer, bodies
from airflow_provider_cio.core.operations import render
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.attempts import Claim
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.delivery import Delivery, Load
from airflow_provider_cio.engine.doors import Door, doors
from airflow_provider_cio.engine.lease import LOOKS_PER_LEASE, Lease
from airflow_provider_cio.engine.outcomes import Recorder
from airflow_provider_cio.engine.progress import Progress
from airflow_provider_cio.engine.resume import open_rows, quarantine
from airflow_provider_cio.exceptions import (
    ContractError,
    TransientRejectsError,
    UnknownOutcomeError,
    WarehouseError,
)
from airflow_provider_cio.warehouse import bulk
from airflow_provider_cio.warehouse.bulk import Outcome
from airflow_provider_cio.warehouse.ledger import Plan

log = logging.getLogger(__name__)
ROWS_AT_ONCE = 10_000
ROWS_PER_LANE = 2_000
"""Below this a further lane would only make smaller requests."""
LOADS_ANNOUNCED = 16
"""Requests with events of a lane that are announced together: how many a sender that is killed leaves undecided."""
ROWS_IN_MEMORY = 100_000
"""More rows of a shard than this are read in several parts."""


Tail = tuple[pa.Array, pa.LargeBinaryArray]
"""Ordinals and items."""


class ShardReport(TypedDict):
    """One attempt at one shard: rows, and what its requests came to.

    ``rows = earlier + accepted + rejected + quarantined``, where `earlier` were settled by earlier attempts
    and `rejected` includes rows refused before sending; an attempt with any other outcome raises.
    """

    plan_id: str
    shard: int
    attempt: str
    rows: int
    earlier: int
    accepted: int
    rejected: int
    quarantined: int
    requests: int
    bytes: int
    retries: int
    rate_limited: int
    seconds: float


def send_shard(ctx: SyncContext, plan_id: str, shard: int, attempt: str) -> ShardReport:
    """Send what no earlier attempt settled. Outcomes are in S3 even when this raises.

    :raises UnknownOutcomeError: everything was tried, but some rows got no answer.
    :raises TransientRejectsError: everything was tried, but some rows were refused for now.
    :raises LeaseLostError: another run, or a later attempt at this shard, took over; nothing more was sent.
    :raises RateLimitedError: as the Track client; so DestinationDownError and AuthenticationError.
    """
    if ctx.track is None:
        raise ContractError(
            "There is no Track client.", next_step="give the context a customerio connection."
        )
    # Arrow's own pool, mimalloc, gives pages back and takes them again for every piece of every lane: as much system
    # time as the rendering takes.
    pa.set_memory_pool(pa.system_memory_pool())
    lease = Lease(ctx).acquire()
    plan = plans.load(ctx, plan_id)
    claim = Claim(ctx.bucket, plan, shard, attempt, ctx.lease_seconds / LOOKS_PER_LEASE)
    try:
        recorder = Recorder(ctx.bucket, plan, shard, claim.folder)
        return _attempt(ctx, Delivery(ctx.track, lease, claim, recorder), attempt)
    finally:
        if plan.status == "committed":  # a send that was cleared later: perhaps no commit follows
            lease.release()


def _attempt(ctx: SyncContext, delivery: Delivery, attempt: str) -> ShardReport:
    started = time.monotonic()
    recorder, claim = delivery.recorder, delivery.claim
    plan, shard = recorder.plan, recorder.shard
    earlier, settled = claim.take(), 0
    try:
        rows = _shard(ctx, plan, shard)
        progress = Progress(f"Plan {plan.plan_id} shard {shard}", rows.num_rows)
        for part in rows.parts(ROWS_IN_MEMORY):
            left_open = open_rows(ctx.bucket, earlier, part)
            settled += part.num_rows - left_open.num_rows
            progress.skip(part.num_rows - left_open.num_rows)
            for door, through in doors(ctx.sync, left_open):
                _send_lanes(ctx, plan, through, delivery, door, progress)
    finally:
        try:
            recorder.flush()
        finally:
            claim.end(recorder.traffic)
    tally, traffic = recorder.tally, recorder.traffic
    log.info("Plan %s shard %d: %s", plan.plan_id, shard, tally)
    if tally.unknown:
        raise UnknownOutcomeError(
            f"{tally.unknown:,} rows of shard {shard} of plan {plan.plan_id} got no answer from Customer.io.",
            next_step="run the task again: it sends these rows only, and their ids make it safe.",
        )
    if tally.transient:
        raise TransientRejectsError(
            f"Customer.io refused {tally.transient:,} rows of shard {shard} of plan {plan.plan_id} for now.",
            next_step="run the task again: it sends these rows only; cio_sync.rejects keeps what was said.",
        )
    return {
        "plan_id": plan.plan_id,
        "shard": shard,
        "attempt": attempt,
        "rows": rows.num_rows,
        "earlier": settled,
        "accepted": tally.accepted,
        "rejected": tally.rejected,
        "quarantined": tally.quarantined,
        "requests": traffic.requests,
        "bytes": traffic.bytes,
        "retries": traffic.retries,
        "rate_limited": traffic.rate_limited,
        "seconds": round(time.monotonic() - started, 3),
    }


def _shard(ctx: SyncContext, plan: Plan, number: int) -> bulk.Shard:
    if plan.manifest is None:
        raise WarehouseError(
            f"Plan {plan.plan_id} was not unloaded.", next_step="run the task `unload` of this run again."
        )
    shard = bulk.Shard(ctx.bucket, plan.manifest, number)
    if not shard.num_rows:
        raise WarehouseError(
            f"Plan {plan.plan_id} has no rows for shard {number}.", next_step="start a new run."
        )
    return shard


def _send_lanes(
    ctx: SyncContext, plan: Plan, rows: pa.Table, delivery: Delivery, door: Door, progress: Progress
) -> None:
    """All lanes of a door at once; the first error stops the others before their next request, and is raised.

    What does not fill a body of a lane waits until all lanes are done, and then fills bodies together.
    """
    stop = threading.Event()
    lanes = max(1, min(ctx.lanes, rows.num_rows // ROWS_PER_LANE))
    tails: list[Tail] = []

    def lane(number: int) -> None:
        try:
            loads = _loads(ctx, plan, _lane(rows, number, lanes), delivery.recorder, tails, door)
            _deliver(ctx, loads, delivery, stop, progress)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(lanes, thread_name_prefix="cio-lane") as pool:
        running = [pool.submit(lane, number) for number in range(lanes)]
        try:
            for future in running:
                future.result()
        finally:
            stop.set()
    _deliver(ctx, _together(tails, door), delivery, threading.Event(), progress)


def _deliver(
    ctx: SyncContext, loads: Iterator[Load], delivery: Delivery, stop: threading.Event, progress: Progress
) -> None:
    """One load after another, outcomes on record every few seconds.

    Events are announced some requests at a time: if this process is killed, they are undecided, not merely unsent.
    """
    recorder, events = delivery.recorder, ctx.sync.kind == "events"
    while not stop.is_set() and (group := list(islice(loads, LOADS_ANNOUNCED if events else 1))):
        with _announced(recorder, group) if events else nullcontext():
            for load in group:
                if stop.is_set():
                    return
                delivery.deliver(load)
                progress.add(len(load.items))
                recorder.flush_now_and_then()


def _announced(recorder: Recorder, loads: list[Load]) -> AbstractContextManager[None]:
    return recorder.announced(pa.concat_arrays([load.ordinals for load in loads]))


def _lane(rows: pa.Table, number: int, lanes: int) -> pa.Table:
    """The lane's rows in order: a person's events by time, as the plan numbered them."""
    lane_hash = rows["lane_hash"]
    remainder = pc.subtract(lane_hash, pc.multiply(pc.divide(lane_hash, lanes), lanes))
    return rows.filter(pc.equal(remainder, number)).sort_by("ordinal")


def _loads(
    ctx: SyncContext, plan: Plan, rows: pa.Table, recorder: Recorder, tails: list[Tail], door: Door
) -> Iterator[Load]:
    """Render the lane piece by piece into full bodies; rows that the renderer refuses end here.

    What is left over in the end goes to `tails`.
    """
    packer = Packer(envelope=door.envelope)
    ordinals, items = pa.array([], pa.int64()), pa.array([], pa.large_binary())
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        piece = rows.slice(start, ROWS_AT_ONCE)
        piece = quarantine(piece, ctx.contract.dedupe_horizon, recorder).combine_chunks()
        rendered = render(piece, ctx.sync, plan.columns)
        numbers = piece["ordinal"].combine_chunks()
        if rendered.refusals:
            refused = pa.array([refusal.index for refusal in rendered.refusals], pa.int64())
            reasons = [(refusal.reason, refusal.field) for refusal in rendered.refusals]
            recorder.add(numbers.take(refused), Outcome.REFUSED, reasons)
        ready = rendered.items.drop_null()
        ordinals = pa.concat_arrays([ordinals, numbers.filter(rendered.items.is_valid())])
        items = pa.concat_arrays([items, ready])
        for batch in packer.feed(ready):
            yield Load(ordinals.slice(0, len(batch)), items.slice(0, len(batch)), batch.body, door)
            ordinals, items = ordinals.slice(len(batch)), items.slice(len(batch))
    tails.append((ordinals, items))


def _together(tails: list[Tail], door: Door) -> Iterator[Load]:
    """What the lanes left over, in bodies to be sent one after another: two of them may hold the same person."""
    ordinals = pa.concat_arrays([part for part, _ in tails])
    items = pa.concat_arrays([part for _, part in tails])
    for batch in bodies(items, envelope=door.envelope):
        part = slice(batch.start, batch.stop)
        yield Load(ordinals[part], items[part], batch.body, door)
