"""The renderer: rows of a frozen plan -> operations of Customer.io, column by column.

`preview`, the contract's mapping tests and the sender all use :func:`render`: what is shown is what is sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core import pipelines_shapes, track_shapes
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import ExitSegment, Sync
from airflow_provider_cio.core.json_object import join
from airflow_provider_cio.core.plan_rows import PlanRows
from airflow_provider_cio.core.redaction import mask
from airflow_provider_cio.core.refusals import Refusal
from airflow_provider_cio.exceptions import SourceError

ITEM_LIMIT = 32_000
"""Bytes of one item. Customer.io takes 32 KB and does not say which KB (Track API, limits)."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """`items`: one operation a row as UTF-8 JSON, null where refused. `refusals`: one a row, in order."""

    items: pa.LargeBinaryArray
    refusals: list[Refusal]


def render(rows: pa.RecordBatch | pa.Table, sync: Sync, columns: Sequence[Column] = ()) -> Rendered:
    """Render rows of a frozen plan.

    :param rows: `operation` ('upsert', 'exit', 'merge', or 'return' of somebody who had left: an upsert that clears the
        flag of `on_exit`), `identifier` (canonical), `identified_by` where rows go by different ones, `partner` where
        the kind has one, one `f_<position>` for each of `sync.values`; for events also `event_id` and `occurred_at`
        (UTC).
    :param columns: the plan's `f_<position>` columns with their warehouse types, which Arrow cannot tell:
        SUPER arrives as JSON text, TIMESTAMPTZ as a timestamp without a zone, in UTC.
    :raises SourceError: a column is missing or its type cannot become the declared one.
    """
    plan = PlanRows(rows, sync, columns)
    shape = pipelines_shapes.call if sync.transport == "pipelines" else track_shapes.upsert
    items = join(*shape(plan))
    if pc.any(plan.leaving).as_py():
        farewell = track_shapes.farewell(plan)
        if farewell is None:
            raise SourceError(
                f"the plan holds exits, and on_exit: {sync.exit_policy} sends none.",
                next_step="make the plan again",
            )
        items = pc.if_else(plan.leaving, join(*farewell), items)
    if pc.any(plan.merging).as_py():
        items = pc.if_else(plan.merging, join(*track_shapes.merge(plan)), items)
    items = items.cast(pa.large_binary())
    refusals = plan.refusals
    refusals.add(pc.greater(pc.binary_length(items), ITEM_LIMIT), "item_over_32000_bytes", "")
    refused = refusals.listed()
    if refused:
        items = pc.if_else(refusals.mask, pa.scalar(None, pa.large_binary()), items)
    return Rendered(items, refused)


def values_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes or properties of a parsed operation of :func:`render`, by whichever API it goes."""
    match operation:
        case {"cio_relationships": [related, *_]}:
            return dict(related.get("relationship_attributes", {}))
        case {"type": "group"}:
            return dict(operation["traits"].get("relationshipAttributes", {}))
    key = next((name for name in ("attributes", "properties", "traits") if name in operation), None)
    return dict(operation[key]) if key else {}


def preview(
    rows: pa.RecordBatch | pa.Table,
    sync: Sync,
    *,
    redact: bool = True,
    columns: Sequence[Column] = (),
) -> list[dict[str, Any]]:
    """The operations as they would be sent, parsed; a refused row shows `refused` and `field`.

    With `redact`, values are replaced by their kind, and an identifier by its hash.
    """
    rendered = render(rows, sync, columns)
    refused = {refusal.index: refusal for refusal in rendered.refusals}
    shown: list[dict[str, Any]] = []
    for index, item in enumerate(rendered.items.to_pylist()):
        if item is None:
            shown.append({"refused": refused[index].reason, "field": refused[index].field})
        else:
            operation = _whole(json.loads(item), sync)
            shown.append(mask(operation) if redact else operation)
    return shown


def _whole(operation: Any, sync: Sync) -> dict[str, Any]:
    """An element of `ids` is shown with the segment that it leaves."""
    if isinstance(sync.on_exit, ExitSegment) and isinstance(operation, str):
        leave = {"type": "segment", "action": "remove_customers", "segment_id": sync.on_exit.leave_segment.id}
        return {**leave, "identifiers": {sync.identifier: operation}}
    found: dict[str, Any] = operation
    return found
