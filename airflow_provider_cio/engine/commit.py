"""Advance the state by what Customer.io accepted, and account for every row."""

from __future__ import annotations

import logging

from ulid import ULID

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.core.report_text import canonical_line, table
from airflow_provider_cio.engine import attempts
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.attempts import Traffic
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.source import emails_of
from airflow_provider_cio.engine.watch.measured import write_sync_metrics
from airflow_provider_cio.exceptions import FatalError, RejectedRowsError
from airflow_provider_cio.warehouse import bulk, cio_ids, identities, ledger, state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.bulk import UNDECIDED, Outcome
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Stored
from airflow_provider_cio.warehouse.session import Session

log = logging.getLogger(__name__)


def commit(ctx: SyncContext, plan_id: str) -> RunReport:
    """Fold the outcomes of all attempts into state, rejects and runs, in one transaction; free the lease.

    Idempotent: run again, it replaces what it wrote, and folds in outcomes that came since. It works with no
    shard and no outcome at all.

    :raises LeaseLostError: another run took over; it will fold the outcomes in.
    :raises FatalError: the plan is closed, was stopped, or was never unloaded (its run row says so).
    """
    lease = Lease(ctx).acquire()
    plan = plans.load(ctx, plan_id)
    if plan.status == "stopped" or (plan.counts.to_send and plan.manifest is None):
        lease.release()
        raise FatalError(
            f"Plan {plan_id} of sync '{ctx.sync.name}' did not get as far as sending.",
            next_step="start a new run; why this one ended is in cio_sync.runs.",
        )
    report = _settle(ctx, plan, lease)
    _let_go(ctx, plan, lease)
    log.info(canonical_line(report))
    log.info(table(report))
    return report


def _let_go(ctx: SyncContext, plan: Plan, lease: Lease) -> None:
    """Let the next run in: at once, unless a sender of this plan never came to an end and may live."""
    living = attempts.living(ctx.bucket, attempts.left(ctx.bucket, plan))
    if not living:
        lease.release()
        return
    attempts.overtake(ctx.bucket, living)
    seconds = lease.outlast()
    log.warning(
        "%d senders of plan %s never said that they ended; the next run waits %d s, in case one is alive",
        len(living),
        plan.plan_id,
        seconds,
    )


def verdict(report: RunReport, sync: Sync) -> None:
    """Say whether a committed run counts as done.

    :raises RejectedRowsError: more rows were refused than `max_rejected_pct` allows, more are undecided than
        `max_unknown` allows, or some were not sent.
    """
    if report.unsent or report.unknown > sync.max_unknown:
        raise RejectedRowsError(
            f"Plan {report.plan_id} of sync '{sync.name}': {report.unsent:,} rows were not sent and "
            f"{report.unknown:,} got no answer (allowed {sync.max_unknown:,}); {report.accepted:,} were accepted.",
            next_step="run the sync again: it sends what is missing, except events undecided beyond `dedupe_horizon`.",
        )
    settled = report.accepted + report.rejected
    share = 100.0 * report.rejected / settled if settled else 0.0
    if share > sync.max_rejected_pct:
        raise RejectedRowsError(
            f"Plan {report.plan_id} of sync '{sync.name}': {report.rejected:,} of {settled:,} rows were "
            f"refused ({share:.2f} %, allowed {sync.max_rejected_pct:g} %).",
            next_step="SELECT class, reason, field, COUNT(*) FROM cio_sync.rejects of this plan_id tells why.",
        )


def take_over(ctx: SyncContext, plan: Plan) -> None:
    """Commit the outcomes that an earlier run left, and close its plan. The lease is held by the caller."""
    found = attempts.left(ctx.bucket, plan)
    sender_died = bool(found.in_flight)
    left_behind = plan.status == "open" and not _has_run_row(ctx, plan)
    if plan.status != "stopped" and (
        len(found.outcomes) > plan.outcome_objects or sender_died or left_behind
    ):
        log.info("Committing %d outcome objects that run %s left", len(found.outcomes), plan.run_id)
        _settle(ctx, plan, Lease(ctx))
    ctx.warehouse.transaction(
        lambda session: ledger.update_plan(
            session, ctx.schema, plan.plan_id, moment="closed_at", status="closed"
        )
    )


def _settle(ctx: SyncContext, plan: Plan, lease: Lease) -> RunReport:
    found = attempts.left(ctx.bucket, plan)
    if len(found.outcomes) < plan.outcome_objects:
        raise FatalError(
            f"Outcomes of plan {plan.plan_id} that were committed before are no longer in S3.",
            next_step="nothing is lost: they are in the state. Start a new run.",
        )
    traffic = attempts.traffic_of(ctx.bucket, found)
    books = state.Books.of(ctx.schema, plan.sync, plan.plan_id)
    on_record = found.outcomes + found.in_flight

    def advance(session: Session) -> RunReport:
        if on_record:
            _load(ctx, session, books.outcomes, plan, on_record)
            session.run(f"LOCK TABLE {books.state}")
        lease.confirm(session)
        counted = _fold(ctx, session, plan, books) if on_record else {}
        report = _report(plan, counted, traffic)
        return _close_books(ctx, session, plan, report, len(found.outcomes))

    return ctx.warehouse.transaction(advance)


def _load(ctx: SyncContext, session: Session, outcomes: str, plan: Plan, objects: list[Stored]) -> None:
    """COPY exactly the objects that were listed: the manifest is the commit's own."""
    key = f"{plan.prefix}commit/{str(ULID()).lower()}.manifest"
    session.run(f"DROP TABLE IF EXISTS {outcomes}")
    session.run(bulk.create_outcomes(outcomes))
    session.run(bulk.copy_outcomes(outcomes, ctx.bucket, ctx.bucket.write_manifest(key, objects)))


def _fold(ctx: SyncContext, session: Session, plan: Plan, books: state.Books) -> dict[int, int]:
    """Outcomes into state and rejects; how many rows have which."""
    for statement in state.fold(
        books, sync=plan.sync, plan_id=plan.plan_id, run_id=plan.run_id, mapping=plan.mapping
    ):
        session.run(statement)
    if emails := emails_of(ctx, plan.columns):
        settled = state.settled(books.outcomes)
        for statement in identities.remember(emails, books.state, books.changes, settled, Outcome.ACCEPTED):
            session.run(statement)
        if emails.by_cio_id is not None:
            session.run(cio_ids.forget_who_left(emails, books.changes))
    if plan.kind == "events":
        for statement in state.fold_undecided(books, sync=plan.sync, plan_id=plan.plan_id):
            session.run(statement)
    return {int(code): int(rows) for code, rows in session.fetch(state.outcome_counts(books.outcomes))}


def _close_books(
    ctx: SyncContext, session: Session, plan: Plan, report: RunReport, objects: int
) -> RunReport:
    report = ledger.write_run(session, ctx.schema, report, status=report.status)
    write_sync_metrics(ctx, session, plan, report)
    ledger.update_plan(
        session,
        ctx.schema,
        plan.plan_id,
        moment="committed_at",
        status="committed",
        outcome_objects=objects,
    )
    return report


def _report(plan: Plan, counted: dict[int, int], traffic: Traffic) -> RunReport:
    of = {outcome: counted.get(outcome, 0) for outcome in Outcome}
    accepted, by_us = of[Outcome.ACCEPTED], of[Outcome.REFUSED]
    by_them = of[Outcome.REJECTED] + of[Outcome.TRANSIENT]
    unknown = sum(of[outcome] for outcome in UNDECIDED)
    unsent = plan.counts.to_send - accepted - by_them - by_us - unknown
    complete = not (by_them or by_us or unknown or unsent)
    return RunReport(
        sync=plan.sync,
        plan_id=plan.plan_id,
        run_id=plan.run_id,
        status=("sent" if plan.counts.to_send else "nothing_to_send") if complete else "partial",
        counts=plan.counts,
        sent=accepted + by_them + unknown - of[Outcome.QUARANTINED],
        accepted=accepted,
        rejected=by_them + by_us,
        unknown=unknown,
        unsent=unsent,
        requests=traffic.requests,
        bytes=traffic.bytes,
        retries=traffic.retries,
        rate_limited=traffic.rate_limited,
    )


def _has_run_row(ctx: SyncContext, plan: Plan) -> bool:
    runs = state.table(ctx.schema, "runs")
    return bool(ctx.warehouse.fetch(f"SELECT 1 FROM {runs} WHERE plan_id = {sql.literal(plan.plan_id)}"))
