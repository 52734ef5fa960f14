"""Events from before a sync went live that are so young that they would start journeys."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import history
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source, mapped

TRIGGERS_FOR_HOURS = 72
"""Older events start nothing in Customer.io (Track API, events)."""


def what_may_go(ctx: SyncContext, session: Session) -> str | None:
    """SQL of the rows that may be sent; None when nothing can be held.

    An event is held until it is 72 hours old, if it happened before the first plan that was carried out.
    """
    on_purpose = ctx.selection is not None and not ctx.selection.hold
    if ctx.sync.kind != "events" or ctx.sync.backfill.live or on_purpose:
        return None
    first, long_ago = session.fetch(history.live_since(ctx.schema, ctx.sync.name, TRIGGERS_FOR_HOURS))[0]
    if long_ago:
        return None
    live_since = f"CAST({sql.literal(first)} AS TIMESTAMP)" if first else "GETDATE()"
    young = f"DATEADD(hour, -{TRIGGERS_FOR_HOURS}, GETDATE())"
    return f"(occurred_at IS NULL OR occurred_at < {young} OR occurred_at >= {live_since})"


def find_held(ctx: SyncContext, session: Session, source: Source) -> list[PreflightFinding]:
    """How many events are held."""
    if source.allowed is None:
        return []
    only = f" AND {source.only}" if source.only else ""
    rows = session.fetch(
        f"SELECT COUNT(*) FROM ({mapped(source)}) AS mapped WHERE NOT {source.allowed}{only}"
    )
    held = int(rows[0][0])
    if not held:
        return []
    return [
        PreflightFinding(
            "event_held",
            "warning",
            f"{ctx.file}: {held:,} events happened before this sync went live and are younger than "
            f"{TRIGGERS_FOR_HOURS} hours: they would start journeys.",
            rows=held,
            next_step="they are sent once they are older; `backfill: {live: true}` sends them at once.",
        )
    ]
