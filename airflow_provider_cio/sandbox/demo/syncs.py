"""The part of the demo that Airflow plays: connections set, Dags unpaused, runs awaited."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from airflow_provider_cio.sandbox.demo.airflow_stack import AirflowStack, StackError
from airflow_provider_cio.sandbox.demo.screen import Steps

MARTS, REPORTING = "cio_enrichment", "cio_reporting_messages"
FINISHED = frozenset({"success", "failed"})
TASK_DONE = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})


@dataclass(frozen=True)
class SyncRun:
    """A sync and the Dag run that carried it."""

    name: str
    kind: str
    run_id: str
    state: str


def set_connections(airflow: AirflowStack, endpoints: dict[str, Any]) -> None:
    """Point the three connections of the shipped contract at the sandbox."""
    redshift, s3, customerio = endpoints["redshift"], endpoints["s3"], endpoints["customerio"]
    airflow.set_connection(
        "redshift_default",
        "redshift",
        host=redshift["host"],
        port=redshift["port"],
        schema=redshift["database"],
        login=redshift["user"],
        password=redshift["password"],
        extra=json.dumps({"ssl": False}),
    )
    airflow.set_connection(
        "aws_default",
        "aws",
        login=s3["access_key"],
        password=s3["secret_key"],
        extra=json.dumps({"endpoint_url": s3["endpoint_url"], "region_name": "us-east-1"}),
    )
    keys = {name: customerio[name] for name in ("site_id", "track_api_key", "app_api_key")}
    airflow.set_connection(
        "customerio_default",
        "customerio",
        extra=json.dumps({"region": "us", "base_url": customerio["url"]} | keys),
    )


def hold_syncs(airflow: AirflowStack, folder: Path, steps: Steps) -> dict[str, dict[str, Any]]:
    """The syncs of the folder by name, paused: an earlier demo left them running."""
    syncs = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))}
    for name in syncs:
        steps.show(name, 0, 1, "waiting to be parsed")
        airflow.wait_for_dag(_dag_id(name))
        airflow.pause(_dag_id(name))
    return syncs


def run_dag(airflow: AirflowStack, dag_id: str, steps: Steps) -> None:
    """Let the scheduler run a Dag once, and wait for it.

    :raises StackError: it failed; its tasks' logs say why.
    """
    steps.show(dag_id, 0, 1, "waiting to be parsed")
    airflow.wait_for_dag(dag_id)
    started = datetime.now(UTC)
    airflow.trigger(dag_id)
    airflow.unpause(dag_id)
    states: list[str] = []

    def ended() -> bool:
        run = _first_run(airflow, dag_id, started, steps, dag_id)
        states[:] = [run["state"]] if run is not None else []
        return bool(states) and states[0] in FINISHED

    airflow.wait_for(ended, f"{dag_id} to end", seconds=1800)
    if states != ["success"]:
        raise StackError(
            f"the Dag {dag_id} failed. Next step: read its tasks' logs in the Airflow UI or folder"
        )


def run_syncs(airflow: AirflowStack, syncs: dict[str, dict[str, Any]], steps: Steps) -> list[SyncRun]:
    """Trigger the people syncs, and wait for them and for the event syncs that their assets start.

    One run each: the tick that has passed and the marts' assets would have made two.
    """
    started = datetime.now(UTC)
    for name, sync in syncs.items():
        airflow.forget_assets(_dag_id(name))
        if not sync.get("after"):
            airflow.trigger(_dag_id(name))
        airflow.unpause(_dag_id(name))
    ended = await_runs(airflow, {name: _dag_id(name) for name in syncs}, started, steps)
    return [
        SyncRun(name, sync["kind"], ended[name]["dag_run_id"], ended[name]["state"])
        for name, sync in syncs.items()
    ]


def await_runs(
    airflow: AirflowStack, dag_ids: dict[str, str], started: datetime, steps: Steps
) -> dict[str, dict[str, Any]]:
    """The first run of each Dag since `started`, by name, once all of them have ended."""
    ended: dict[str, dict[str, Any]] = {}

    def all_ended() -> bool:
        for name in dag_ids.keys() - ended.keys():
            run = _first_run(airflow, dag_ids[name], started, steps, name)
            if run is not None and run["state"] in FINISHED:
                ended[name] = run
        return len(ended) == len(dag_ids)

    airflow.wait_for(all_ended, f"{', '.join(dag_ids)} to end", seconds=3600)
    return {name: ended[name] for name in dag_ids}


def _dag_id(name: str) -> str:
    return f"cio_sync_{name}"


def _first_run(
    airflow: AirflowStack, dag_id: str, started: datetime, steps: Steps, name: str
) -> dict[str, Any] | None:
    runs = f"/api/v2/dags/{dag_id}/dagRuns"
    latest: list[dict[str, Any]] = airflow.get(runs, order_by="-id", limit=10)["dag_runs"]
    found = [
        run for run in latest if run["queued_at"] and datetime.fromisoformat(run["queued_at"]) >= started
    ]
    if not found:
        steps.show(name, 0, 1, "waiting")
        return None
    run = found[-1]
    tasks = airflow.get(f"{runs}/{run['dag_run_id']}/taskInstances", limit=1000)["task_instances"]
    done = sum(task["state"] in TASK_DONE for task in tasks)
    running = sorted({str(task["task_display_name"]) for task in tasks if task["state"] == "running"})
    steps.show(name, done, len(tasks), ", ".join(running) or run["state"])
    return run
