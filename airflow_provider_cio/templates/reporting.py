"""The Dag that brings Customer.io's reporting back: a task a route, then one known person is followed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, task

from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.core.reporting_file import load_reporting
from airflow_provider_cio.engine.reporting.validate import follow
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.templates.export import SCHEDULED_SINCE
from airflow_provider_cio.templates.watched import Watched
from airflow_provider_cio.transfers.customerio_reporting_to_redshift import CustomerIOReportingToRedshift
from airflow_provider_cio.transfers.redshift_to_customerio import contract_beside

APP_API = ("app_api", "export")


def reporting_dag_id(name: str) -> str:
    """Of a file in `reporting`."""
    return f"cio_reporting_{name}"


def reporting_dag(file: str | Path) -> DAG:
    """The Dag of one file in `reporting`; `contract.yaml` in the folder above names connections and staging.

    :raises ContractError: a file is wrong.
    """
    path = Path(file)
    settings, contract = load_reporting(path), load_contract(contract_beside(path))
    watched = Watched(settings, contract.connections, contract_beside(path).parent, kind="reporting")
    with DAG(
        reporting_dag_id(path.stem),
        description="Brings Customer.io's reporting into Redshift",
        schedule=settings.cadence,
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "reporting"},
        default_args={"owner": settings.owner, **watched.every_task},
        deadline=watched.deadline,
    ) as dag:
        routes = {
            source: CustomerIOReportingToRedshift(
                task_id=source,
                source=source,
                streams=route.streams,
                files=route.files,
                first_day=f"{settings.first_day}",
                staging=contract.staging.s3,
                iam_role=contract.staging.iam_role,
                customerio_conn_id=contract.connections.customerio,
                redshift_conn_id=contract.connections.redshift,
                aws_conn_id=contract.connections.aws,
                pool=contract.send_pool,
                pool_slots=settings.pool_slots,
                trigger_rule="all_done",
            )
            for source, route in settings.routes.items()
        }
        if routes.keys() >= set(APP_API):  # they share one limit
            routes["app_api"] >> routes["export"]
        person = settings.validate_person
        if person is not None:

            @task(task_id="follow_known_person", trigger_rule="none_failed")
            def follow_() -> dict[str, Any]:
                """Profile -> message -> outcome -> order."""
                with closing(open_warehouse(contract.connections)) as warehouse:
                    return follow(warehouse, person).to_dict()

            list(routes.values()) >> follow_()
        if watched.last_task:
            list(routes.values()) >> EmptyOperator(task_id="done", **watched.last_task)
    return dag
