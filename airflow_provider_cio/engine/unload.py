"""Bring a plan out of the warehouse, cut into shards."""

from __future__ import annotations

from typing import TypedDict

from ulid import ULID

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse import bulk, ledger, state
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session


class ShardRef(TypedDict):
    """One piece of a plan for one sender."""

    plan_id: str
    shard: int
    rows: int


def unload(ctx: SyncContext, plan_id: str) -> list[ShardRef]:
    """UNLOAD the plan, each attempt to a fresh folder, and say which shards hold rows.

    The manifest of the attempt that succeeded is stored with the plan; asked again, it is kept. A plan
    without rows has no shards.

    :raises WarehouseError: UNLOAD failed; the run row says so, and the plan can be unloaded again.
    """
    lease = Lease(ctx).acquire()
    plan = plans.load(ctx, plan_id)
    if not plan.counts.to_send:
        return []
    changes = state.changes_table(ctx.schema, ctx.sync.name, plan_id)
    if plan.manifest is None:
        try:
            _unload(ctx, plan, changes)
        except CustomerIOProviderError as error:
            _failed(ctx, plan, error)
            lease.release()
            raise
    rows = ctx.warehouse.fetch(f"SELECT shard, COUNT(*) FROM {changes} GROUP BY shard ORDER BY shard")
    return [{"plan_id": plan_id, "shard": int(shard), "rows": int(count)} for shard, count in rows]


def _unload(ctx: SyncContext, plan: Plan, changes: str) -> None:
    folder = f"{plan.prefix}unload/{str(ULID()).lower()}/"
    names = [column.name for column in plan.columns]

    def out(session: Session) -> None:
        session.run(bulk.unload(changes, names, ctx.bucket, folder))
        ledger.update_plan(session, ctx.schema, plan.plan_id, manifest=f"{folder}manifest", status="open")

    ctx.warehouse.transaction(out)


def _failed(ctx: SyncContext, plan: Plan, error: CustomerIOProviderError) -> None:
    report = RunReport(
        ctx.sync.name, plan.plan_id, plan.run_id, "failed", plan.counts, unsent=plan.counts.to_send
    )
    ctx.warehouse.transaction(
        lambda session: ledger.write_run(
            session, ctx.schema, report, status="unload_failed", message=error.message
        )
    )
