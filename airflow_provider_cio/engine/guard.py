"""Stop a plan that is larger or stranger than its guards allow."""

from __future__ import annotations

import logging

from airflow_provider_cio.core.guards import GuardResult
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.measure import measure
from airflow_provider_cio.exceptions import GuardStoppedError
from airflow_provider_cio.warehouse import history, ledger
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session

log = logging.getLogger(__name__)


def check(ctx: SyncContext, plan_id: str) -> list[GuardResult]:
    """Measure the plan against the sync's guards.

    :raises GuardStoppedError: one of them says no. The run row is written, nothing is sent, the lease is
        free; the next run plans afresh.
    """
    plan = plans.load(ctx, plan_id)
    if ctx.selection is not None:  # shares of a part say nothing about the whole
        return []
    results, granted = ctx.warehouse.transaction(lambda session: _measure(ctx, session, plan))
    for result in results:
        log.info("Guard %s: %s", result.name, result.message)
    refused = [result for result in results if not result.ok and result.name not in granted]
    if not refused:
        return results
    message = "; ".join(f"{result.name}: {result.message}" for result in refused)
    if plan.status == "open":
        report = RunReport(
            ctx.sync.name, plan_id, plan.run_id, "stopped", plan.counts, unsent=plan.counts.to_send
        )

        def stop(session: Session) -> None:
            ledger.write_run(session, ctx.schema, report, status="guard_stopped", message=message)
            ledger.update_plan(session, ctx.schema, plan_id, status="stopped")

        ctx.warehouse.transaction(stop)
        Lease(ctx).release()
    raise GuardStoppedError(
        f"Plan {plan_id} of sync '{ctx.sync.name}' was stopped: {message}.",
        next_step=f"look at `airflow cio plan {ctx.sync.name}`; correct the source, raise the limit under "
        f"`guards` in {ctx.file}, or let it through once: `airflow cio let-through {ctx.sync.name} "
        f"{' '.join(result.name for result in refused)}`; then start a new run.",
    )


def _measure(ctx: SyncContext, session: Session, plan: Plan) -> tuple[list[GuardResult], set[str]]:
    results = measure(ctx, session, plan)
    granted = history.granted(session, ctx.schema, ctx.sync.name, plan.plan_id)
    used = {result.name for result in results if not result.ok} & granted
    history.use(session, ctx.schema, ctx.sync.name, plan.plan_id, used)
    return results, granted
