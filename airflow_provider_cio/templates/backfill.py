"""A Dag that sends the history of an event sync, day after day; pause it, clear it, run it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.templates.asked import DRY_RUN, SINCE, UNTIL, backfill_params, day, flag
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy


def backfill_id_of(name: str) -> str:
    """The Dag of a sync's backfill."""
    return f"cio_backfill_{name}"


def backfill_dag(sync: Sync, contract: Contract, *, folder: Path) -> DAG:
    """`days` lists the window, and `send` is mapped over it, one day at a time, started by hand."""
    retrying: dict[str, Any] = {
        "retries": RETRIES,
        "retry_delay": RETRY_DELAY,
        "retry_policy": retry_policy(),
    }

    def open_context(*, sending: bool) -> Any:
        from airflow_provider_cio.hooks.warehouse import sync_context

        airflow = get_current_context()
        return sync_context(
            sync,
            contract,
            run_id=str(airflow["run_id"]),
            folder=folder,
            with_track=sending,
            pool_slots=airflow["task"].pool_slots,
            share=sync.backfill.rate_share,
            render=lambda text: str(airflow["task"].render_template(text, airflow)),
        )

    with DAG(
        backfill_id_of(sync.name),
        description=f"History of {sync.name}, day by day",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "backfill"},
        default_args={"owner": sync.owner},
        params=backfill_params(sync),
    ) as dag:

        @task(task_id="days")
        def days_() -> list[str]:
            """The days of the window, or those of them that the run is asked for."""
            from airflow_provider_cio.engine.backfill import days

            asked = get_current_context()
            first, last = day(asked, SINCE), day(asked, UNTIL)
            with open_context(sending=False) as ctx:
                return days(ctx, first, last)

        @task(
            task_id="send",
            map_index_template="{{ task.op_kwargs['day'] }}",
            max_active_tis_per_dagrun=1,
            pool=contract.send_pool,
            pool_slots=sync.pool_slots,
            **retrying,
        )
        def send_(day: str) -> dict[str, Any]:
            """The events of one day that were not accepted yet; in a dry run how many they are."""
            from airflow_provider_cio.engine.backfill import backfill_day, describe_day
            from airflow_provider_cio.hooks.customerio import requests_per_second

            if flag(get_current_context(), DRY_RUN):
                rate = requests_per_second(contract.connections.customerio) * sync.backfill.rate_share
                with open_context(sending=False) as ctx:
                    return describe_day(ctx, day, rate)
            with open_context(sending=True) as ctx:
                return backfill_day(ctx, day).to_dict()

        send_.expand(day=days_())
    return dag
