"""Send one shard of a plan, each row until it has an outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.operations import render
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.attempts import Claim
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.delivery import Delivery
from airflow_provider_cio.engine.doors import doors
from airflow_provider_cio.engine.lanes import Lanes
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
ROWS_IN_MEMORY = 200_000
"""More rows of a shard than this are read in several parts."""


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
        with Lanes(max(1, min(ctx.lanes, rows.num_rows // ROWS_PER_LANE)), delivery, progress) as lanes:
            for part in rows.parts(ROWS_IN_MEMORY):
                left_open = open_rows(ctx.bucket, earlier, part)
                settled += part.num_rows - left_open.num_rows
                progress.skip(part.num_rows - left_open.num_rows)
                for door, through in doors(ctx.sync, left_open):
                    for ordinals, items, lane_hash in in_order_rendered(ctx, through, recorder, plan):
                        lanes.send(door, ordinals, items, lane_hash)
            lanes.finish()
    finally:
        delivery.end()
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


def in_order_rendered(
    ctx: SyncContext, rows: pa.Table, recorder: Recorder, plan: Plan
) -> Iterator[tuple[pa.Array, pa.LargeBinaryArray, pa.Array]]:
    """Ordinals, items and lane hashes, piece by piece in order: a person's events by time, as the plan numbered them.

    Rows that may not be sent, or that the renderer refuses, end here.
    """
    for piece in _in_order(rows).to_batches(max_chunksize=ROWS_AT_ONCE):
        piece = quarantine(piece, ctx.contract.dedupe_horizon, recorder)
        rendered = render(piece, ctx.sync, plan.columns)
        numbers, lane_hash = piece["ordinal"], piece["lane_hash"]
        if rendered.refusals:
            refused = pa.array([refusal.index for refusal in rendered.refusals], pa.int64())
            reasons = [(refusal.reason, refusal.field) for refusal in rendered.refusals]
            recorder.add(numbers.take(refused), Outcome.REFUSED, reasons)
            kept = rendered.items.is_valid()
            yield numbers.filter(kept), rendered.items.drop_null(), lane_hash.filter(kept)
        else:
            yield numbers, rendered.items, lane_hash


def _in_order(rows: pa.Table) -> pa.Table:
    """By ordinal; files that lie in order already are not copied."""
    ordinals = rows["ordinal"].combine_chunks()
    ascending = pc.all(pc.less(ordinals[:-1], ordinals[1:]), min_count=0).as_py()
    return rows if ascending else rows.sort_by("ordinal")
