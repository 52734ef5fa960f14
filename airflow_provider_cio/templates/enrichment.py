"""The Dag that builds the marts: sources -> staging -> checks -> marts -> checks -> publish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, Param, TaskGroup, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.lineage import in_order, lineage, table_parents
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.core.models.sources import degradations
from airflow_provider_cio.engine import enrichment
from airflow_provider_cio.engine.enrichment import Build, EnrichmentContext
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.templates.export import SCHEDULED_SINCE
from airflow_provider_cio.templates.freshness import mart_asset
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy
from airflow_provider_cio.warehouse.shipped import sql_folder as shipped_sql

DAG_ID = "cio_enrichment"
_PARAMS = {
    "as_of": Param(
        None, type=["null", "string"], format="date-time", description="Instead of the run's time"
    ),
    "since": Param(
        None, type=["null", "string"], format="date-time", description="Read events again from this moment on"
    ),
    "full": Param(False, type="boolean", description="Read everything again"),  # noqa: FBT003
}


def enrichment_dag(
    models_file: str | Path,
    *,
    sql_folder: str | Path | None = None,
    schedule: str | None = "15 * * * *",
    owner: str = "data team",
) -> DAG:
    """The Dag of one models.yaml; contract.yaml lies beside it and names the connection.

    A task per model that is a table, after the tasks of the tables that its SQL reads. The last task announces
    every mart as an Asset (`customerio://mart/<name>`), so that syncs run when what they read is fresh.

    :param schedule: cron; None for a Dag that is only triggered.
    :param sql_folder: the models; `sql` beside the folder of models.yaml, or else those that ship.
    :raises ContractError: a file is wrong, or a model reads what is neither a model nor a source.
    """
    file = Path(models_file)
    beside = file.parent.parent / "sql"
    folder = Path(sql_folder) if sql_folder else beside if beside.is_dir() else shipped_sql()
    with DAG(
        DAG_ID,
        description="Builds the retention marts",
        schedule=schedule,
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "marts"},
        params=_PARAMS,
        default_args={"owner": owner},
    ) as dag:
        _tasks(file, folder)
    return dag


def _tasks(file: Path, sql: Path) -> None:  # noqa: C901 - the Dag, task by task
    models, contract = load_models(file), load_contract(file.parent / "contract.yaml")
    folder = load_folder(sql)
    found, reads = folder.models, lineage(folder, models)
    order, parents = in_order(reads), table_parents(folder, reads)
    marts = {name for name, model in found.items() if model.layer == "marts"}
    assets: dict[str, Asset] = {name: mart_asset(name) for name in sorted(marts)}
    retrying: dict[str, Any] = {
        "retries": RETRIES,
        "retry_delay": RETRY_DELAY,
        "retry_policy": retry_policy(),
    }

    @contextmanager
    def opened() -> Iterator[EnrichmentContext]:
        with closing(open_warehouse(contract.connections)) as warehouse:
            yield EnrichmentContext(models, folder, warehouse)

    @task(task_id="sources", **retrying)
    def sources_() -> dict[str, Any]:
        """Are the sources what models.yaml says? Opens the build, and makes its views."""
        airflow = get_current_context()
        asked = airflow["params"]
        since = datetime.fromisoformat(asked["since"]) if asked["since"] else None
        with opened() as ctx:
            build = enrichment.start(ctx, _as_of(airflow), since=since, full=asked["full"])
            enrichment.create_views(ctx, build)
        for name, cost in degradations(build.families).items():
            print(f"degraded, {name} is not there: {cost}")  # noqa: T201 - the task's log
        return build.to_dict()

    def build_task(name: str, build: Any) -> Any:
        @task(task_id=name, **retrying)
        def build_(build: dict[str, Any]) -> int:
            with opened() as ctx:
                return enrichment.build_model(ctx, Build.from_dict(build), name)

        return build_(build)

    def check_task(task_id: str, names: set[str], build: Any) -> Any:
        @task(task_id=task_id, **retrying)
        def check_(build: dict[str, Any]) -> dict[str, int]:
            """Keys, and the queries of sql/checks."""
            with opened() as ctx:
                return enrichment.check(ctx, Build.from_dict(build), sorted(names))

        return check_(build)

    @task(task_id="publish", outlets=list(assets.values()), **retrying)
    def publish_(build: dict[str, Any], rows: dict[str, int]) -> dict[str, int]:
        """Put the build in the place of what is public, and announce the marts."""
        with opened() as ctx:
            if not enrichment.publish(ctx, Build.from_dict(build)):
                raise AirflowSkipException(f"What is public is newer than {build['as_of']}; it stays.")
        events = get_current_context()["outlet_events"]
        for name, asset in assets.items():
            events[asset].extra = {"rows": rows[name], "as_of": build["as_of"], "build_id": build["build_id"]}
        return rows

    build: Any = sources_()
    made: dict[str, Any] = {}
    for group, names in (("staging", found.keys() - marts), ("marts", marts)):
        with TaskGroup(group):
            made |= {name: build_task(name, build) for name in order if name in names & parents.keys()}
    staging_checked = check_task("check_staging", found.keys() - marts, build)
    marts_checked = check_task("check_marts", marts, build)
    for name, instance in made.items():
        for parent in parents[name]:
            if (parent in marts) == (name in marts):
                made[parent] >> instance
        (staging_checked >> instance) if name in marts else (instance >> staging_checked)
        if name in marts:
            instance >> marts_checked
    publish_(build, marts_checked)


def _as_of(airflow: Any) -> datetime:
    """What was asked for; else the end of the run's interval; else the time for which the run was due."""
    asked = airflow["params"]["as_of"]
    if asked:
        return datetime.fromisoformat(asked)
    moment: datetime = airflow.get("data_interval_end") or airflow["dag_run"].run_after
    return moment
