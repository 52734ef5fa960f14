"""Columns that came, went or changed since the last run, judged by the sync's `columns`."""

from __future__ import annotations

import re

from airflow_provider_cio.core.columns import FAMILIES
from airflow_provider_cio.core.shape import ColumnChange, Shape, compare
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import history
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

_SAID = {
    "column_added": "column '{name}' ({now}) is new",
    "column_dropped": "column '{name}' ({was}) is gone",
    "column_retyped": "column '{name}' was {was} and is {now}",
    "column_renamed": "column '{name}' is gone, and '{now}' looks like its new name",
}


def shape_of(ctx: SyncContext, session: Session, source: Source, rows: int) -> Shape:
    """What the source looks like now."""
    described = session.describe(f"SELECT * FROM {source.relation} AS source LIMIT 0")
    columns = {name: FAMILIES.get(oid, f"oid {oid}") for name, oid in described}
    return Shape(columns, tuple(ctx.sync.fields), rows)


def find_changes(ctx: SyncContext, session: Session, plan_id: str, now: Shape) -> list[PreflightFinding]:
    """A finding for each changed column: a stop, or a notice where it is allowed or was let through."""
    before = history.last_shape(session, ctx.schema, ctx.sync.name)
    changes = compare(before, now) if before else []
    if not changes:
        return []
    allowed = history.granted(session, ctx.schema, ctx.sync.name, plan_id)
    stopping = [change for change in changes if _stops(ctx, change)]
    used = {str(change.kind) for change in stopping} & allowed
    history.use(session, ctx.schema, ctx.sync.name, plan_id, used)
    return [
        _finding(ctx, change, stop=change in stopping and change.kind not in allowed) for change in changes
    ]


def _stops(ctx: SyncContext, change: ColumnChange) -> bool:
    if ctx.sync.columns == "strict":
        return True
    return change.kind == "column_retyped" and _is_read(ctx, change.name)


def _is_read(ctx: SyncContext, column: str) -> bool:
    sync = ctx.sync
    fields = [*sync.values.values(), *([sync.occurred_at] if sync.occurred_at else [])]
    partner = sync.partner[2] if sync.partner else None
    if column in {*sync.identity.values(), partner, sync.key, *(field.column for field in fields)}:
        return True
    word = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
    return any(field.expression and word.search(field.expression) for field in fields)


def _finding(ctx: SyncContext, change: ColumnChange, *, stop: bool) -> PreflightFinding:
    said = _SAID[change.kind].format(name=change.name, was=change.was, now=change.now)
    return PreflightFinding(
        change.kind,
        "stop" if stop else "notice",
        f"{ctx.file}: {ctx.sync.source or ctx.sync.sql}: {said}.",
        field=change.name,
        next_step=f"correct the source, or let it through once: `airflow cio let-through {ctx.sync.name} "
        f"{change.kind}`."
        if stop
        else "no attribute is removed in Customer.io for it; map it, or leave it.",
    )
