"""The Dag that watches all others."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_cio.core.watch.monitoring_file import load_monitoring
from airflow_provider_cio.hooks.notifiers import notifier_of
from airflow_provider_cio.operators.monitor import CustomerIOMonitorOperator
from airflow_provider_cio.templates.export import SCHEDULED_SINCE
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy

DAG_ID = "cio_monitoring"


def monitoring_dag(file: str | Path) -> DAG:
    """The Dag of one monitoring.yaml; contract.yaml, syncs and audiences lie beside it.

    :raises ContractError: the file is wrong, or a notifier cannot be used.
    """
    path = Path(file)
    monitoring = load_monitoring(path)
    for channel in monitoring.channels:
        notifier_of(channel)
    with DAG(
        DAG_ID,
        description="Checks syncs, audiences and what comes back; tells owners",
        schedule=monitoring.cadence,
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "monitoring"},
        default_args={"owner": monitoring.owner},
    ) as dag:
        CustomerIOMonitorOperator(
            task_id="monitor",
            monitoring_file=path,
            retries=RETRIES,
            retry_delay=RETRY_DELAY,
            retry_policy=retry_policy(),
        )
    return dag
