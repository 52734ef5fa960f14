"""A Dag per sync: preflight -> plan -> guards -> unload -> send (mapped over shards) -> commit -> verdict, reconcile.

The verbs are imported by the tasks that call them: a Dag file is parsed often, and needs neither Arrow nor a driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Asset, TaskGroup, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.exceptions import CustomerIOProviderError, EndedEarlyError
from airflow_provider_cio.templates.asked import COHORT, DRY_RUN, flag, sync_params
from airflow_provider_cio.templates.description import describe
from airflow_provider_cio.templates.freshness import schedule_of
from airflow_provider_cio.templates.watched import Watched
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy
from airflow_provider_cio.transfers.redshift_to_customerio import contract_beside, sync_asset

if TYPE_CHECKING:
    from airflow_provider_cio.engine.context import SyncContext

SCHEDULED_SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def dag_id_of(name: str) -> str:
    """The Dag of a sync."""
    return f"cio_sync_{name}"


def sync_dag(sync_file: str | Path) -> DAG:
    """The Dag of one sync file; its contract lies in the folder above.

    :raises ContractError: the file, or the contract, is wrong.
    """
    file = Path(sync_file)
    sync, contract = load_sync(file), load_contract(contract_beside(file))
    with DAG(
        dag_id_of(sync.name),
        description=sync.description,
        doc_md=describe(sync),
        schedule=_after(sync) or schedule_of(sync, contract_beside(file).parent),
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", sync.kind},
        default_args={"owner": sync.owner},
        params=sync_params(sync),
        deadline=Watched(sync, contract.connections, contract_beside(file).parent).deadline,
    ) as dag:
        sync_task_group(sync, contract, folder=file.parent)
    return dag


def sync_task_group(
    sync: Sync, contract: Contract, *, folder: Path, group_id: str | None = None
) -> TaskGroup | None:
    """The tasks of one sync, in the Dag that is being defined; with `group_id` in a group of their own.

    What it reads of `params` are `dry_run` and `cohort` of :mod:`~airflow_provider_cio.templates.asked`.

    How it ends: nothing to send skips `send` and is green; a failed shard is committed around and turns `verdict`
    red; a guard or a failed unload ends before `commit`.
    """
    if group_id is None:
        _tasks(sync, contract, folder)
        return None
    with TaskGroup(group_id) as group:
        _tasks(sync, contract, folder)
    return group


def _after(sync: Sync) -> list[Asset] | None:
    return None if sync.after is None else [sync_asset(sync.after)]


@contextmanager
def _context(
    sync: Sync, contract: Contract, folder: Path, *, with_track: bool, with_app: bool
) -> Iterator[SyncContext]:
    """What the current task works in: the run's id holds the lease for all its tasks."""
    from airflow_provider_cio.engine.selection import of_cohort
    from airflow_provider_cio.engine.stop import stop
    from airflow_provider_cio.hooks.warehouse import sync_context

    airflow = get_current_context()
    file = folder / f"{sync.name}.yaml"
    selection = of_cohort(sync, str(file)) if flag(airflow, COHORT) else None

    def render(text: str) -> str:
        return str(airflow["task"].render_template(text, airflow))

    with sync_context(
        sync,
        contract,
        run_id=str(airflow["run_id"]),
        folder=folder,
        with_track=with_track,
        with_app=with_app,
        pool_slots=airflow["task"].pool_slots,
        render=render,
    ) as ctx:
        task_of_a_function: Any = airflow["task"]  # which has no other way to be told
        task_of_a_function.on_kill = lambda: stop(ctx)
        yield replace(ctx, selection=selection)


def _tell_openlineage(sync: Sync, contract: Contract, report: RunReport) -> None:
    """Answer Airflow's OpenLineage provider when it asks the current task, once that has ended."""

    def facets(_: Any) -> Any:
        from airflow_provider_cio.transfers.lineage import lineage_of

        return lineage_of(sync, contract, report)

    task_of_a_function: Any = get_current_context()["task"]
    task_of_a_function.get_openlineage_facets_on_complete = facets


def _tasks(sync: Sync, contract: Contract, folder: Path) -> None:  # noqa: C901 - seven tasks, one after another
    watched = Watched(sync, contract.connections, folder.parent)
    retrying: dict[str, Any] = {
        "retries": RETRIES,
        "retry_delay": RETRY_DELAY,
        "retry_policy": retry_policy(),
        **watched.every_task,
    }
    asset = sync_asset(sync.name)

    def open_context(*, with_track: bool = False, with_app: bool = False) -> Any:
        return _context(sync, contract, folder, with_track=with_track, with_app=with_app)

    @task(task_id="preflight", **retrying)
    def preflight_() -> list[dict[str, Any]]:
        """Source, columns, types, bucket and keys, before anything is planned."""
        from airflow_provider_cio.engine.preflight import preflight

        with open_context(with_track=True) as ctx:
            return [found.to_dict() for found in preflight(ctx)]

    @task(task_id="plan", **retrying)
    def plan_() -> str:
        """Diff inside Redshift, freeze what will be sent; the plan's id. A dry run freezes nothing."""
        from airflow_provider_cio.engine.dry_run import dry_run
        from airflow_provider_cio.engine.plan import make_plan
        from airflow_provider_cio.hooks.customerio import requests_per_second

        airflow = get_current_context()
        if flag(airflow, DRY_RUN):
            with open_context() as ctx:
                shown = dry_run(ctx, requests_per_second(contract.connections.customerio))
            airflow["ti"].xcom_push(DRY_RUN, shown)
            return ""
        with open_context() as ctx:
            return make_plan(ctx).plan_id

    @task(task_id="guards", **retrying)
    def guards_(plan_id: str) -> list[dict[str, Any]]:
        """Stop a plan that is larger or stranger than it may be; and a dry run."""
        from airflow_provider_cio.engine.guard import check

        if flag(get_current_context(), DRY_RUN):
            raise AirflowSkipException("A dry run ends here; the log of task plan says what would be sent.")
        with open_context() as ctx:
            return [asdict(result) for result in check(ctx, plan_id)]

    @task(task_id="unload", **retrying)
    def unload_(plan_id: str) -> list[dict[str, Any]]:
        """Bring the plan to S3, cut into shards."""
        from airflow_provider_cio.engine.unload import unload

        with open_context() as ctx:
            return [dict(shard) for shard in unload(ctx, plan_id)]

    @task(
        task_id="send",
        map_index_template="shard {{ task.op_kwargs['shard']['shard'] }}",
        **retrying,
        pool=contract.send_pool,
        pool_slots=sync.pool_slots,
    )
    def send_(shard: dict[str, Any]) -> dict[str, Any]:
        """Send what has no outcome yet."""
        from airflow_provider_cio.engine.send import send_shard

        attempt = str(get_current_context()["ti"].try_number)
        with open_context(with_track=True) as ctx:
            return dict(send_shard(ctx, shard["plan_id"], shard["shard"], attempt))

    def keep_snapshot(ctx: SyncContext) -> None:
        from airflow_provider_cio.hooks.snapshots import keep, of_sync

        keep(get_current_context(), asset, ctx.warehouse, of_sync(sync, contract))

    @task(task_id="commit", trigger_rule="all_done", inlets=[asset], **retrying)
    def commit_(plan_id: str, shards: list[dict[str, Any]] | None) -> dict[str, Any]:
        """Fold the outcomes into state, rejects and runs, whatever became of the shards."""
        from airflow_provider_cio.engine.commit import commit

        if shards is None:
            with suppress(CustomerIOProviderError), open_context() as ctx:
                keep_snapshot(ctx)
            raise AirflowSkipException(
                "A dry run, or a guard stopped the plan, or it was not unloaded: there is nothing to commit."
            )
        with open_context() as ctx:
            report = commit(ctx, plan_id)
            keep_snapshot(ctx)
        _tell_openlineage(sync, contract, report)
        return report.to_dict()

    @task(task_id="reconcile", inlets=[asset], **retrying)
    def reconcile_(report: dict[str, Any]) -> dict[str, Any]:
        """Read a sample back and name what is not there as it was accepted."""
        from airflow_provider_cio.engine.reconcile import reconcile
        from airflow_provider_cio.hooks.metrics import emit_drift

        with open_context(with_app=True) as ctx:
            if ctx.app is None:
                raise AirflowSkipException("The connection has no App API key, so nothing can be read back.")
            drifted = reconcile(ctx, report["plan_id"])
            keep_snapshot(ctx)
        emit_drift(sync.name, drifted)
        return drifted

    ending = {**watched.every_task, **watched.last_task, **watched.ended_apart}

    @task(task_id="verdict", trigger_rule="all_done", outlets=[asset], retries=0, **ending)
    def verdict_(report: dict[str, Any] | None) -> dict[str, Any]:
        """Say whether the run counts as done, and announce it if so: neither a dry run nor a cohort is."""
        from airflow_provider_cio.engine.commit import verdict
        from airflow_provider_cio.hooks.metrics import emit

        airflow = get_current_context()
        if flag(airflow, DRY_RUN):
            raise AirflowSkipException("A dry run: nothing was sent.")
        if report is None:
            raise EndedEarlyError(
                f"Sync '{sync.name}' ended before its commit; nothing is lost.",
                next_step="read the log of the first red task of this run.",
            )
        told = RunReport.from_dict(report)
        emit(told)
        verdict(told, sync)
        if flag(airflow, COHORT):
            raise AirflowSkipException(
                "The cohort alone was sent, so nobody who waits for this sync is told."
            )
        airflow["outlet_events"][asset].extra = report
        return report

    planned: Any = plan_()
    ready, guarded = planned, guards_(planned)
    if sync.approve:
        from airflow_provider_cio.templates.approval import approval_tasks

        reviewed, ready = approval_tasks(sync, contract, planned, open_context, retrying)
        guarded >> reviewed
    shards: Any = unload_(ready)
    report: Any = commit_(planned, shards)
    preflight_() >> planned
    guarded >> shards
    send_.expand(shard=shards) >> report
    if sync.reconcile.sample:
        reconcile_(report)
    verdict_(report)
