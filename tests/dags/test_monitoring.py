"""The Dag that watches, and what tasks of the others tell."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_provider_cio.core.snapshot import ALERTS, SUMMARY, read_alerts, read_summary

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)
SHIPPED = Path(__file__).parents[2] / "dags/cio_monitoring.py"


@pytest.fixture
def pager(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Connection `pager`: path and JSON of whatever it is told."""
    told: list[tuple[str, Any]] = []

    class Pager(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.do_GET()

        def do_GET(self) -> None:
            if self.command == "GET":
                told.append((self.path, None))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": server.server_address[1]}
    monkeypatch.setenv("AIRFLOW_CONN_PAGER", json.dumps(connection))
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def monitoring(dags: Dags, **more: Any) -> Any:
    file = dags.folder / "monitoring.yaml"
    arguments = {
        "http_conn_id": "pager",
        "endpoint": "/told",
        "json": {"state": "{{ state }}", "text": "{{ message }}"},
    }
    channel = {"notifier": "airflow.providers.http.notifications.HttpNotifier", "arguments": arguments}
    settings = {"owner": "platform", "channels": [channel], "runbook": "https://runbook"}
    file.write_text(yaml.safe_dump(settings | more))
    return file


def alerts_for_the_page() -> set[str]:
    """Names of the open alerts that the monitoring left in the state store of its asset."""
    from airflow.models.asset_state_store import AssetStateStoreModel as Row
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        text = session.scalar(select(Row.value).where(Row.key == ALERTS))
    known = read_alerts(text)
    assert known is not None
    return {f"{each.name}:{each.subject_kind}:{each.subject}" for each in known.alerts}


def alerts_of(asset: str) -> list[str]:
    """Names of the open alerts in a snapshot."""
    from airflow.models.asset import AssetModel
    from airflow.models.asset_state_store import AssetStateStoreModel as Row
    from airflow.utils.session import create_session
    from sqlalchemy import select

    found = select(Row.value).join(AssetModel, AssetModel.id == Row.asset_id).where(AssetModel.name == asset)
    with create_session() as session:
        summary = read_summary(session.scalar(found.where(Row.key == SUMMARY)))
    assert summary is not None
    return [each.name for each in summary.alerts]


def states(told: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """State and first line's alert of each message."""
    return [(body["state"], body["text"].split(": ")[1]) for path, body in told if path == "/told"]


def test_a_run_that_fails_is_told_once_and_its_recovery_once(
    dags: Dags, lab: Any, pager: list[tuple[str, Any]], lineage: dict[str, Any]
) -> None:
    from airflow_provider_cio.templates.export import sync_dag

    monitoring(dags, dead_man={"http_conn_id": "pager", "endpoint": "/alive"}, checks={"no_run": False})
    dag = sync_dag(dags.sync("people", **dags.people | {"guards": {"min_rows": 3}}))
    lab.customers(1)
    assert dags.run(dag).state == "failed"
    assert dags.run(dag).state == "failed"
    assert states(pager) == [("critical", "failed:sync:people")]
    assert "task guards of run" in pager[0][1]["text"]
    assert "GuardStoppedError. Next step: " in pager[0][1]["text"]
    assert "Run-book: https://runbook#guardstoppederror" in pager[0][1]["text"]

    shutil.copy(SHIPPED, dags.folder)
    watch = dags.bag().dags["cio_monitoring"]
    run = dags.run(watch)
    assert run.state == "success"
    assert states(pager)[1:] == [("critical", "failed_run:sync:people")]
    assert {"failed:sync:people", "failed_run:sync:people"} == alerts_for_the_page()
    assert pager[-1] == ("/alive", None)
    tests = {test.name: test for test in lineage["monitor"].run_facets["test"].tests}
    failed = tests["failed_run:sync:people"]
    assert (failed.status, failed.severity, failed.type) == ("fail", "error", "failed_run")
    assert {test.name for test in tests.values() if test.status == "fail"} >= {failed.name}

    lab.customers(3, start=1)
    assert dags.run(dag).state == "success"
    assert alerts_of("customerio_people") == ["failed_run"]  # which the monitoring mends, not the run
    assert states(pager)[2:] == [("recovered", "failed:sync:people")]
    run = dags.run(watch)
    assert states(pager)[3:] == [("recovered", "failed_run:sync:people")]
    assert set(run.xcom("monitor")) <= {"ok", "learning"}


def test_the_operator_shows_its_results_as_checks(dags: Dags, lab: Any, pager: list[tuple[str, Any]]) -> None:
    from airflow_provider_cio.operators.monitor import CustomerIOMonitorOperator

    dags.sync("people", **dags.people | {"cadence": "@hourly"})
    operator = CustomerIOMonitorOperator(task_id="monitor", monitoring_file=monitoring(dags))
    assert operator.execute({}) == {"warning": 1}
    (result,) = operator.check_results
    assert (result.name, result.success, result.severity) == ("no_run:sync:people", False, "warn")
    assert states(pager) == [("warning", "no_run:sync:people")]
    assert operator.execute({}) == {"warning": 1}
    assert len(pager) == 1


def test_without_the_file_and_without_a_deadline_nobody_is_told(dags: Dags) -> None:
    from airflow_provider_cio.templates.export import sync_dag

    dag = sync_dag(dags.sync("people", **dags.people))
    assert all(not task.has_on_failure_callback and not task.has_on_success_callback for task in dag.tasks)
