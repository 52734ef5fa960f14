"""The whole of a sync in one call."""

from __future__ import annotations

import logging
from collections.abc import Callable

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine.commit import commit, verdict
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.guard import check
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.preflight import preflight
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import ContractError, FatalError, LeaseLostError, RetriableError

log = logging.getLogger(__name__)


def run_sync(ctx: SyncContext, *, committed: Callable[[RunReport], None] | None = None) -> RunReport:
    """Preflight, plan, guards, unload, send, commit, verdict.

    What was sent is committed before any error of a shard is raised, so that a retry starts from there.

    :param committed: told of the report before the verdict.
    """
    if ctx.sync.approve and ctx.selection is None:
        raise ContractError(
            f"{ctx.file}: approve: nobody can be asked in the middle of one task.",
            next_step="run this sync with its template's Dag, or remove `approve`.",
        )
    preflight(ctx)
    plan = make_plan(ctx)
    check(ctx, plan.plan_id)
    failure: Exception | None = None
    for shard in unload(ctx, plan.plan_id):
        try:
            send_shard(ctx, plan.plan_id, shard["shard"], "run")
        except LeaseLostError:
            raise
        except FatalError as error:
            failure = error
            break
        except RetriableError as error:
            log.warning("Shard %d of plan %s: %s", shard["shard"], plan.plan_id, error)
            failure = failure or error
    report = commit(ctx, plan.plan_id)
    if committed is not None:
        committed(report)
    if failure is not None:
        raise failure
    verdict(report, ctx.sync)
    return report
