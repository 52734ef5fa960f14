"""What an attempt at a shard still has to send: everything minus the final outcomes of all attempts."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.engine.attempts import Left
from airflow_provider_cio.engine.outcomes import Recorder
from airflow_provider_cio.warehouse import bulk
from airflow_provider_cio.warehouse.bulk import FINAL, Outcome
from airflow_provider_cio.warehouse.objects import Bucket

log = logging.getLogger(__name__)
MOMENT = pa.timestamp("us")


def open_rows(bucket: Bucket, left: Left, rows: pa.Table) -> pa.Table:
    """The shard's rows without a final outcome; `undecided_since` says when one may have been applied first.

    Batches finish out of order and senders die, so that only the set of ordinals tells what is done.
    """
    if not (left.outcomes or left.in_flight):
        return rows
    outcomes = bulk.read_outcomes(bucket, left.outcomes + left.in_flight)
    final = outcomes.filter(_is_one_of(outcomes, FINAL))["ordinal"].combine_chunks()
    rows = rows.filter(pc.invert(pc.is_in(rows["ordinal"], value_set=final)))
    undecided = outcomes.filter(_is_one_of(outcomes, (Outcome.UNKNOWN, Outcome.IN_FLIGHT)))
    first = undecided.group_by("ordinal").aggregate([("sent_at", "min")])
    found = pc.index_in(rows["ordinal"], value_set=first["ordinal"].combine_chunks())
    sent_at = first["sent_at_min"].combine_chunks().take(found.combine_chunks())
    since = pc.min_element_wise(rows["undecided_since"].cast(MOMENT), pa.chunked_array([sent_at], MOMENT))
    return rows.set_column(rows.schema.get_field_index("undecided_since"), "undecided_since", since)


def quarantine(rows: pa.RecordBatch, horizon: timedelta, recorder: Recorder) -> pa.RecordBatch:
    """The rows that may be sent now.

    An event that was undecided for longer than the horizon is put on record instead: Customer.io may have forgotten
    its id, and would keep a second one. People are idempotent, and never quarantined.
    """
    if recorder.plan.kind != "events":
        return rows
    oldest = (datetime.now(UTC) - horizon).replace(tzinfo=None)
    withheld = pc.fill_null(pc.less(rows["undecided_since"], pa.scalar(oldest, MOMENT)), fill_value=False)
    found = rows.filter(withheld)
    if not found.num_rows:
        return rows
    log.warning("%d undecided events are older than dedupe_horizon and are not sent again", found.num_rows)
    recorder.add(
        found["ordinal"],
        Outcome.QUARANTINED,
        "undecided_beyond_dedupe_horizon",
        as_class="unknown",
        sent_at=found["undecided_since"],
    )
    return rows.filter(pc.invert(withheld))


def _is_one_of(outcomes: pa.Table, those: tuple[Outcome, ...]) -> pa.ChunkedArray:
    return pc.is_in(outcomes["outcome"], value_set=pa.array([int(one) for one in those], pa.int32()))
