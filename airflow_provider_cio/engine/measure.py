"""A plan against the guards of its sync."""

from __future__ import annotations

from airflow_provider_cio.core.guards import GuardResult, evaluate
from airflow_provider_cio.core.shape import Shape
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import history
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session


def measure(ctx: SyncContext, session: Session, plan: Plan) -> list[GuardResult]:
    """Every guard's answer, that of the journeys included."""
    last = history.last_shape(session, ctx.schema, ctx.sync.name, before=plan.plan_id)
    return [
        *evaluate(ctx.sync.guards, plan.counts, last.source_rows if last else None),
        *_journeys(ctx, plan, last),
    ]


def _journeys(ctx: SyncContext, plan: Plan, last: Shape | None) -> list[GuardResult]:
    """A first people sync, and a new attribute, can bring everybody into a segment at once."""
    if ctx.sync.kind != "people":
        return []
    backfill = ctx.sync.backfill
    first = last is None and not plan.counts.tracked
    new = [name for name in ctx.sync.fields if last is not None and name not in last.fields]
    rows = plan.counts.to_send if first or new else 0
    ok = not rows or backfill.journeys_paused or backfill.opt_in_flag is not None
    what = f"new attributes ({', '.join(new)})" if new else "a first sync"
    message = (
        "no journey can start for everybody at once"
        if ok
        else f"{what} of {rows:,} people can start every journey that waits for a segment; pause them and say "
        "`backfill: {journeys_paused: true}`, or name the attribute that their segments ask for: "
        "`backfill: {opt_in_flag: ...}`"
    )
    return [GuardResult("journeys", ok, rows, 0, message)]
