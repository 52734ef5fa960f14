"""An Airflow Dag that sends a small sync in one task."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_cio.transfers.redshift_to_customerio import RedshiftToCustomerIO

SYNCS = Path(__file__).parent.parent / "syncs"

with DAG(
    "example_customers_in_one_task",
    description="The sync of customers.yaml, all of it in one task",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags={"customerio", "example"},
):
    RedshiftToCustomerIO(task_id="customers", sync_file=SYNCS / "customers.yaml")
