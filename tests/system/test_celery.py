"""Workers on Celery: one of two is killed while it sends, and the sync ends as if nothing had happened."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_provider_cio.sandbox.demo.airflow_stack import COMPONENTS
from airflow_provider_cio.sandbox.ports import free_port

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Redis (package redis-server)"),
]

SHARDS, ROWS_PER_SHARD = 8, 5
PEOPLE = SHARDS * ROWS_PER_SHARD
WIDE = {
    "kind": "people",
    "description": "Eight shards",
    "owner": "system tests",
    "source": "cio_marts.wide",
    "identity": {"id": "customer_id"},
    "attributes": {"score_wide": "score"},
    "backfill": {"journeys_paused": True},
    "rows_per_shard": ROWS_PER_SHARD,
}
WORKERS = ("worker-1", "worker-2")


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that keeps nothing; its address."""
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as server:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, open_world):
    """Airflow with a scheduler, an API server and two Celery workers; one sync."""
    folder = tmp_path_factory.mktemp("cluster")
    options = ["--concurrency", "2", "--skip-serve-logs"]
    workers = {
        name: [
            "celery",
            "worker",
            "--celery-hostname",
            f"{name}@%h",
            "--pid",
            f"{folder}/{name}.pid",
            *options,
        ]
        for name in WORKERS
    }
    with redis(folder) as broker:
        settings = {
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": broker,
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "3",
        }
        with open_world(folder, {"wide": WIDE}, settings=settings, components=COMPONENTS | workers) as world:
            yield world


def test_a_worker_is_killed_while_it_sends(cluster):
    cluster.members("wide", PEOPLE)
    slow = {"route": "/api/v2/batch", "status": "late", "delay": 8, "times": 1000}
    cluster.control("POST", "faults", json=[slow])
    run_id = cluster.airflow.trigger("cio_sync_wide")
    tasks = f"/api/v2/dags/cio_sync_wide/dagRuns/{run_id}/taskInstances"

    def at_work() -> dict[str, str]:
        """Who runs which shard, once both workers send."""
        found = cluster.airflow.get(tasks, limit=200)["task_instances"]
        running = {
            str(task["map_index"]): task["hostname"]
            for task in found
            if (task["task_id"], task["state"]) == ("send", "running")
        }
        return running if len(running) >= len(WORKERS) else {}

    cluster.airflow.wait_for(at_work, "the workers to send")
    cluster.airflow.kill(WORKERS[0])
    cluster.control("DELETE", "faults")

    run = cluster.ended("wide", run_id)
    assert (run["state"], cluster.people("wide")) == ("success", PEOPLE)
    assert cluster.report(run) == ("sent", PEOPLE, 0, 0, PEOPLE, PEOPLE)
    assert cluster.sql("SELECT COUNT(*) FROM cio_sync.leases WHERE expires_at > GETDATE()") == [(0,)]

    again = cluster.run("wide")
    assert again["state"] == "success"
    assert cluster.report(again) == ("nothing_to_send", 0, 0, PEOPLE, 0, 0)
