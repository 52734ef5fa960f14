"""What the rows of a source get wrong, named while it is planned."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import diff
from airflow_provider_cio.warehouse.diff import Source
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session


def find_duplicates(ctx: SyncContext, session: Session) -> PreflightFinding | None:
    """Keys on more than one row, which stop a run."""
    keys, rows = session.fetch(diff.duplicate_counts())[0]
    if not keys:
        return None
    events = ctx.sync.kind == "events"
    key = "key" if events else f"identity.{ctx.sync.identifier}"
    if ctx.sync.partner is not None:
        key += f" and {ctx.sync.partner[0]}"
    thing = {"people": "person", "objects": "object"}.get(ctx.sync.kind, "thing")
    what = "event, so one of them would be lost" if events else f"{thing}, so attributes would flap"
    return PreflightFinding(
        "duplicate_key",
        "stop",
        f"{ctx.file}: {key}: {int(keys):,} keys occur on {int(rows):,} rows: several rows are one {what}.",
        field=key,
        rows=int(rows),
        samples=_samples(session, diff.duplicate_samples()),
        next_step="make the source unique by this key; a sample is SUBSTRING(SHA2(key, 256), 1, 12).",
    )


_FIELD_OF = (("occurred_at", "occurred_at"), ("key", "key"))


def find_withheld(ctx: SyncContext, session: Session, reason: str, rows: int) -> PreflightFinding:
    """Rows that are not sent, and why."""
    partner = ctx.sync.partner[0] if ctx.sync.partner else "identity"
    field = next(
        (field for start, field in (*_FIELD_OF, ("partner", partner)) if reason.startswith(start)), "identity"
    )
    return PreflightFinding(
        reason,
        "warning",
        f"{ctx.file}: {rows:,} rows are withheld: {reason.replace('_', ' ')}.",
        field=field,
        rows=rows,
        samples=_samples(session, diff.withheld_samples(reason)),
        next_step="correct them in the source; the next run sends them.",
    )


def find_altered(ctx: SyncContext, session: Session, source: Source, rows: int) -> PreflightFinding:
    """Events that are no longer what was sent."""
    return PreflightFinding(
        "event_changed_after_send",
        "warning",
        f"{ctx.file}: {rows:,} events changed after they were sent; an event is never sent twice.",
        rows=rows,
        samples=_samples(session, diff.change_samples(source, ctx.state, "altered")),
        next_step="a correction is an event of its own.",
    )


def _samples(session: Session, query: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in session.fetch(query))
