"""The numbers of one run, out of its report and out of the tables that it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.core.watch.metrics import REPORTING, SYNC, Measured, Subject
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import changes_table, table
from airflow_provider_cio.warehouse.watch.metrics import write_metrics

DRIFT = ("drift_sampled", "drift_rows", "drift_pct")
LATE_HOURS = 24
_FROM_COUNTS = ("source_rows", "added", "changed", "exited")
_FROM_REPORT = (
    *("sent", "accepted", "rejected", "unknown", "unsent", "requests", "bytes", "retries", "rate_limited"),
    "seconds",
)


def write_sync_metrics(ctx: SyncContext, session: Session, plan: Plan, report: RunReport) -> None:
    """Within the commit of the run; its run row is written already."""
    measured = [
        *(Measured(name, getattr(report.counts, name)) for name in _FROM_COUNTS),
        Measured("withheld", report.counts.unidentified),
        *(Measured(name, getattr(report, name)) for name in _FROM_REPORT),
        Measured("rejected_pct", percent(report.rejected, report.accepted + report.rejected)),
        *_reasons(ctx, session, plan),
        Measured("oldest_unsent_seconds", _oldest_unsent(ctx, session, plan, report)),
        *_identities(ctx, session, plan),
        *_shape(ctx, session, plan),
    ]
    if report.counts.to_send:
        measured += _rows_to_send(ctx, session, plan)
    write_metrics(
        session,
        ctx.schema,
        Subject("sync", plan.sync),
        run_id=plan.run_id,
        plan_id=plan.plan_id,
        measured=measured,
        replacing=SYNC.keys() - set(DRIFT),
    )


def write_drift_metrics(session: Session, schema: str, plan: Plan, sampled: int, drifted: int) -> None:
    """What `reconcile` found."""
    values = (sampled, drifted, percent(drifted, sampled))
    write_metrics(
        session,
        schema,
        Subject("sync", plan.sync),
        run_id=plan.run_id,
        plan_id=plan.plan_id,
        measured=[Measured(name, value) for name, value in zip(DRIFT, values, strict=True)],
        replacing=DRIFT,
    )


def write_stream_metrics(
    session: Session, schema: str, *, stream: str, source: str, run_id: str, values: dict[str, float]
) -> None:
    """What one route brought of one stream."""
    write_metrics(
        session,
        schema,
        Subject("reporting", stream),
        run_id=run_id,
        measured=[Measured(name, value, source) for name, value in values.items()],
        replacing=REPORTING,
        part=source,
    )


def percent(part: float, whole: float) -> float:
    """0 of nothing is 0 %."""
    return 100.0 * part / whole if whole else 0.0


def _reasons(ctx: SyncContext, session: Session, plan: Plan) -> Iterator[Measured]:
    rows = session.fetch(
        f"SELECT class, reason, COUNT(*) FROM {table(ctx.schema, 'rejects')} "
        f"WHERE plan_id = {sql.literal(plan.plan_id)} AND class <> 'unknown' GROUP BY class, reason"
    )
    for reject_class, reason, count in rows:
        yield Measured("rejected_by_reason", int(count), f"{reject_class}/{reason}")


def _oldest_unsent(ctx: SyncContext, session: Session, plan: Plan, report: RunReport) -> float:
    """Since the start of the first run after the last one that delivered everything."""
    if not (report.unsent or report.unknown or report.rejected):
        return 0.0
    runs, name = table(ctx.schema, "runs"), sql.literal(plan.sync)
    complete = (
        f"SELECT MAX(plan_id) FROM {runs} WHERE sync = {name} AND plan_id < {sql.literal(plan.plan_id)} "
        "AND status IN ('sent', 'nothing_to_send')"
    )
    rows = session.fetch(
        f"SELECT DATEDIFF(second, MIN(started_at), GETDATE()) FROM {runs} WHERE sync = {name} "
        f"AND plan_id > COALESCE(({complete}), '')"
    )
    return float(rows[0][0] or 0)


def _identities(ctx: SyncContext, session: Session, plan: Plan) -> Iterator[Measured]:
    rows = session.fetch(
        f"SELECT rows, identified, with_email FROM {table(ctx.schema, 'identity_shares')} "
        f"WHERE plan_id = {sql.literal(plan.plan_id)}"
    )
    for count, identified, with_email in rows:
        if int(count):
            yield Measured("identified_pct", percent(int(identified), int(count)))
            if "email" in ctx.sync.attributes or ctx.sync.identifier == "email":
                yield Measured("email_pct", percent(int(with_email), int(count)))


def _shape(ctx: SyncContext, session: Session, plan: Plan) -> Iterator[Measured]:
    rows = session.fetch(
        f"SELECT fingerprint FROM {table(ctx.schema, 'shapes')} WHERE sync = {sql.literal(plan.sync)} "
        f"AND plan_id <= {sql.literal(plan.plan_id)} ORDER BY plan_id DESC LIMIT 2"
    )
    if len(rows) == 2:
        yield Measured("schema_changed", float(rows[0] != rows[1]))


def _rows_to_send(ctx: SyncContext, session: Session, plan: Plan) -> Iterator[Measured]:
    """One scan of the frozen plan: nulls by field, and how late its events are."""
    changes = changes_table(ctx.schema, plan.sync, plan.plan_id)
    events = plan.kind == "events"
    fields = list(ctx.sync.values) if len(ctx.sync.values) == len(plan.columns) else []
    began = (
        f"(SELECT created_at FROM {table(ctx.schema, 'plans')} WHERE plan_id = {sql.literal(plan.plan_id)})"
    )
    late = f"COUNT(CASE WHEN occurred_at < DATEADD(hour, -{LATE_HOURS}, {began}) THEN 1 END)"
    wanted = ["COUNT(*)"]
    wanted += [late, f"DATEDIFF(second, MAX(occurred_at), {began})"] if events else ["0", "NULL"]
    wanted += [f"COUNT({sql.identifier(column.name)})" for column in plan.columns if fields]
    [(count, late_rows, newest, *filled)] = session.fetch(
        f"SELECT {', '.join(wanted)} FROM {changes} WHERE operation IN ('upsert', 'return')"
    )
    for field, present in zip(fields, filled, strict=True):
        if int(count):
            yield Measured("null_pct", percent(int(count) - int(present), int(count)), field)
    if events and int(count):
        yield Measured("late_rows", int(late_rows))
        yield Measured("late_pct", percent(int(late_rows), int(count)))
        yield Measured("newest_seconds", float(newest))
