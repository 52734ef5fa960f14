"""A person's yes to exactly the frozen rows. No lease is held while they think."""

from __future__ import annotations

import logging
from typing import Any, Literal

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.measure import measure
from airflow_provider_cio.engine.review import NOTHING, digest, review
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.exceptions import NotApprovedError
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session

log = logging.getLogger(__name__)
Decision = Literal["approved", "refused"]


def ask(ctx: SyncContext, plan_id: str, rate: float = 100.0) -> dict[str, Any]:
    """Describe the plan, keep its digest, and free the lease; asked again, it describes the same rows."""
    plan = plans.load(ctx, plan_id)

    def describe(session: Session) -> dict[str, Any]:
        shown = review(
            ctx, session, plan, resolve(ctx, session), rate=rate, guards=measure(ctx, session, plan)
        )
        approvals = state.table(ctx.schema, "approvals")
        session.run(f"DELETE FROM {approvals} WHERE plan_id = {sql.literal(plan_id)}")
        values = map(sql.literal, (ctx.sync.name, plan_id, shown["digest"], "waiting"))
        session.run(
            f"INSERT INTO {approvals} (sync, plan_id, digest, status, asked_at) "
            f"VALUES ({', '.join(values)}, GETDATE())"
        )
        return shown

    shown = ctx.warehouse.transaction(describe)
    Lease(ctx).release()
    return shown


def settle(ctx: SyncContext, plan_id: str, decision: Decision, decided_by: str = "") -> str:
    """Take the lease again and let the plan go on, if it was approved, is young enough, and is still the same.

    :raises NotApprovedError: it was refused, is older than `max_plan_age`, or its rows are not those that were
        shown. The run row says so, nothing is sent, the lease is free.
    :raises FatalError: another run planned meanwhile.
    :raises LeaseLostError: another run of the sync is alive.
    """
    lease = Lease(ctx).acquire()
    try:
        _check(ctx, plans.load(ctx, plan_id), decision, decided_by)
    except BaseException:
        lease.release()
        raise
    _note(ctx, plan_id, "approved", decided_by)
    log.info("Plan %s of sync %s was approved by %s", plan_id, ctx.sync.name, decided_by or "somebody")
    return plan_id


def _check(ctx: SyncContext, plan: Plan, decision: Decision, decided_by: str) -> None:
    who = f" by {decided_by}" if decided_by else ""
    age, shown = _age_and_digest(ctx, plan)
    if decision == "refused":
        said, status, step = (
            f"was refused{who}",
            "refused",
            "correct what it shows; the next run plans afresh.",
        )
    elif age > ctx.sync.max_plan_age.total_seconds():
        said, status = f"is {age / 3600:.1f} h old, older than max_plan_age", "expired"
        step = "plan again: start a new run, which asks for its own approval."
    elif _digest(ctx, plan) != shown:
        said, status, step = "is not what was shown", "expired", "plan again: start a new run."
    else:
        return
    _note(ctx, plan.plan_id, status, decided_by)
    _stop(ctx, plan, f"{status}: the plan {said}")
    raise NotApprovedError(f"Plan {plan.plan_id} of sync '{ctx.sync.name}' {said}.", next_step=step)


def _age_and_digest(ctx: SyncContext, plan: Plan) -> tuple[float, str]:
    rows = ctx.warehouse.fetch(
        "SELECT DATEDIFF(s, p.created_at, GETDATE()), a.digest "
        f"FROM {state.table(ctx.schema, 'plans')} AS p JOIN {state.table(ctx.schema, 'approvals')} AS a "
        f"ON a.plan_id = p.plan_id WHERE p.plan_id = {sql.literal(plan.plan_id)}"
    )
    if not rows:
        raise NotApprovedError(
            f"Nobody was asked about plan {plan.plan_id} of sync '{ctx.sync.name}'.",
            next_step="run the task `review` of this run.",
        )
    return float(rows[0][0]), str(rows[0][1])


def _digest(ctx: SyncContext, plan: Plan) -> str:
    if not plan.counts.to_send:
        return NOTHING
    changes = state.changes_table(ctx.schema, ctx.sync.name, plan.plan_id)
    return ctx.warehouse.transaction(lambda session: digest(session, resolve(ctx, session), changes))


def _note(ctx: SyncContext, plan_id: str, status: str, decided_by: str) -> None:
    ctx.warehouse.run(
        f"UPDATE {state.table(ctx.schema, 'approvals')} SET status = {sql.literal(status)}, "
        f"decided_by = {sql.literal(decided_by or None)}, decided_at = GETDATE() "
        f"WHERE plan_id = {sql.literal(plan_id)}"
    )


def _stop(ctx: SyncContext, plan: Plan, message: str) -> None:
    report = RunReport(
        ctx.sync.name, plan.plan_id, plan.run_id, "stopped", plan.counts, unsent=plan.counts.to_send
    )

    def stop(session: Session) -> None:
        ledger.write_run(session, ctx.schema, report, status="not_approved", message=message)
        ledger.update_plan(session, ctx.schema, plan.plan_id, status="stopped")

    ctx.warehouse.transaction(stop)
