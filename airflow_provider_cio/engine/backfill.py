"""History, day by day; and what is held back so that it starts no journey."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.selection import Selection
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import statements as sql


def days(ctx: SyncContext) -> list[str]:
    """The days of the window, oldest first, as ISO dates.

    :raises ContractError: the sync has no window.
    """
    window = ctx.sync.backfill.window
    if window is None:
        raise ContractError(
            f"{ctx.file}: there is no backfill.window.",
            next_step="write `backfill: {window: {since: 2024-01-01, until: 2024-03-31}}`.",
        )
    return [str(window.since + timedelta(days=n)) for n in range((window.until - window.since).days + 1)]


def backfill_day(ctx: SyncContext, day: str) -> RunReport:
    """Send the events of one day that were not accepted yet; done again, it sends what is missing.

    They keep their time and id; their name may be `backfill.event`.
    """
    first = date.fromisoformat(day)
    bounds = (sql.literal(str(first)), sql.literal(str(first + timedelta(days=1))))
    selection = Selection(
        "occurred_at >= CAST({} AS TIMESTAMP) AND occurred_at < CAST({} AS TIMESTAMP)".format(*bounds),
        any_age=True,
    )
    name = ctx.sync.backfill.event or ctx.sync.event
    return run_sync(
        replace(
            ctx,
            sync=ctx.sync.model_copy(update={"event": name}),
            selection=selection,
            run_id=f"{ctx.run_id} {day}",
        )
    )
