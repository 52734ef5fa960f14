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

DAG_ID = "cio_reporting"


def reporting_dag(file: str | Path) -> DAG:
    """The Dag of one reporting.yaml; contract.yaml lies beside it and names connections and staging.

    :raises ContractError: a file is wrong.
    """
    path = Path(file)
    settings, contract = load_reporting(path), load_contract(path.parent / "contract.yaml")
    watched = Watched(settings, contract.connections, path.parent, kind="reporting")
    with DAG(
        DAG_ID,
        description="Brings Customer.io's reporting into Redshift",
        schedule=settings.cadence,
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "reporting"},
        default_args={"owner": settings.owner, **watched.every_task},
        deadline=watched.deadline,
    ) as dag:
        routes = [
            CustomerIOReportingToRedshift(
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
            )
            for source, route in settings.routes.items()
        ]
        person = settings.validate_person
        if person is not None:

            @task(task_id="follow_known_person", trigger_rule="none_failed")
            def follow_() -> dict[str, Any]:
                """Profile -> message -> outcome -> order."""
                with closing(open_warehouse(contract.connections)) as warehouse:
                    return follow(warehouse, person).to_dict()

            routes >> follow_()
        if watched.last_task:
            routes >> EmptyOperator(task_id="done", **watched.last_task)
    return dag
