"""History, day by day; and what is held back so that it starts no journey."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.dry_run import dry_run
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.selection import Selection
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import statements as sql


def days(ctx: SyncContext, since: date | None = None, until: date | None = None) -> list[str]:
    """The days of the window, oldest first, as ISO dates; from `since` to `until` where those are given.

    :raises ContractError: the sync has no window, or a day lies outside of it.
    """
    window = ctx.sync.backfill.window
    if window is None:
        raise ContractError(
            f"{ctx.file}: there is no backfill.window.",
            next_step="write `backfill: {window: {since: 2024-01-01, until: 2024-03-31}}`.",
        )
    first, last = since or window.since, until or window.until
    for name, day in (("since", first), ("until", last)):
        if not window.since <= day <= window.until:
            raise ContractError(
                f"params.{name}: {day} is not among {window.since} to {window.until}, the window of {ctx.file}.",
                next_step="choose a day of it, or widen `backfill.window` in the file.",
            )
    if last < first:
        raise ContractError(
            f"params.until: {last} lies before {first}, the first day.", next_step="choose a later one."
        )
    return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def backfill_day(ctx: SyncContext, day: str) -> RunReport:
    """Send the events of one day that were not accepted yet; done again, it sends what is missing.

    They keep their time and id; their name may be `backfill.event`.
    """
    return run_sync(_of_day(ctx, day))


def describe_day(ctx: SyncContext, day: str, rate: float = 100.0) -> dict[str, Any]:
    """Log what :func:`backfill_day` would send, and return it; nothing is kept. `rate`: requests a second."""
    return dry_run(_of_day(ctx, day), rate)


def _of_day(ctx: SyncContext, day: str) -> SyncContext:
    first = date.fromisoformat(day)
    bounds = (sql.literal(str(first)), sql.literal(str(first + timedelta(days=1))))
    selection = Selection(
        "occurred_at >= CAST({} AS TIMESTAMP) AND occurred_at < CAST({} AS TIMESTAMP)".format(*bounds),
        any_age=True,
    )
    name = ctx.sync.backfill.event or ctx.sync.event
    sync = ctx.sync.model_copy(update={"event": name})
    return replace(ctx, sync=sync, selection=selection, run_id=f"{ctx.run_id} {day}")
