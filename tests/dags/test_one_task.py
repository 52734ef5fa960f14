"""RedshiftToCustomerIO: the whole sync in one task of a Dag run."""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from dag_lab import Dags, Run

pytest_plugins = ("dag_lab",)

DAG_FILE = """
from datetime import datetime, UTC
from airflow.sdk import DAG
from airflow_provider_cio.transfers.redshift_to_customerio import RedshiftToCustomerIO

with DAG("one_task", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
    RedshiftToCustomerIO(task_id="people", sync_file={file!r}, retry_delay=0.01)
"""


@pytest.fixture
def one_task(dags: Dags) -> Any:
    """Run a Dag of one task over the people sync."""

    def run(**changes: Any) -> Run:
        file = dags.sync("people", **dags.people | changes)
        (dags.folder / "cio_syncs.py").unlink(missing_ok=True)
        (dags.folder / "one_task.py").write_text(DAG_FILE.format(file=str(file)))
        return dags.run(dags.bag().dags["one_task"])

    return run


def test_it_sends_and_reports_counts(lab: Any, one_task: Any) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    lab.customers(12)
    run = one_task()
    assert (run.state, lab.stats()["people"]) == ("success", 12)
    report = run.xcom("people")
    assert (report["status"], report["accepted"], report["counts"]["added"]) == ("sent", 12, 12)
    assert "Name 1" not in json.dumps(report)
    assert run.xcom("people", key="_link_CustomerIOLink") == lab.customerio.url
    with create_session() as session:
        of_run = select(AssetEvent, AssetModel).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        ((event, asset),) = session.execute(
            of_run.where(
                AssetEvent.source_run_id == run.record.run_id, AssetEvent.source_dag_id == "one_task"
            )
        ).all()
    assert (asset.uri, event.extra) == ("customerio://sync/people", report)

    again = one_task()
    assert (again.state, again.xcom("people")["status"], lab.received()) == ("success", "nothing_to_send", 12)


def test_what_is_fatal_is_not_tried_again(lab: Any, one_task: Any) -> None:
    lab.customers(2)
    run = one_task(guards={"max_added": 1})
    assert (run.state, run.instance("people").try_number) == ("failed", 1)
    assert lab.received() == 0


def test_what_may_pass_is_tried_again(lab: Any, one_task: Any) -> None:
    lab.customers(2)
    lab.faults({"status": 500, "times": 5})  # as often as the client tries one request
    run = one_task()
    assert (run.state, run.instance("people").try_number) == ("success", 2)
    assert (run.xcom("people")["accepted"], lab.stats()["people"]) == (2, 2)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("connection", "change", "message"),
    [
        (
            "REDSHIFT_DEFAULT",
            {"host": "nowhere.invalid"},
            "Connection 'redshift_default' to nowhere.invalid:",
        ),
        ("REDSHIFT_DEFAULT", {"password": "wrong-secret"}, "Redshift refused the login"),
        (
            "REDSHIFT_DEFAULT",
            {"extra": {"ssl": False, "bucket": "b"}},
            "extras that redshift_connector does not take: bucket",
        ),
        ("CUSTOMERIO_DEFAULT", {"extra": {"regoin": "eu"}}, "write `region`"),
        ("CUSTOMERIO_DEFAULT", {"extra": {}}, "has no site_id"),
    ],
)
def test_a_bad_connection_is_one_clear_message(
    connection: str,
    change: dict[str, Any],
    message: str,
    lab: Any,
    one_task: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import tenacity
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

    monkeypatch.setattr(RedshiftSQLHook.get_conn.retry, "wait", tenacity.wait_none())
    lab.customers(1)
    known = json.loads(os.environ[f"AIRFLOW_CONN_{connection}"])
    monkeypatch.setenv(f"AIRFLOW_CONN_{connection}", json.dumps(known | change))
    run = one_task()
    printed = capfd.readouterr().out
    assert run.state == "failed"
    assert message in printed
    assert "Next step: " in printed
    assert "wrong-secret" not in printed
    gc.collect()  # the driver leaves the socket of a refused login open


def test_an_absent_bucket_is_one_clear_message(
    lab: Any, dags: Dags, one_task: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    lab.customers(1)
    dags.contract("s3://no-such-bucket/cio")
    run = one_task()
    assert (run.state, run.instance("people").try_number) == ("failed", 1)
    assert "The S3 bucket 'no-such-bucket' does not exist. Next step: create it" in capfd.readouterr().out


def test_killed_it_lets_the_next_run_in_soon(lab: Any, dags: Dags) -> None:
    """Airflow calls `on_kill` in the task's process while the sync is under way."""
    lab.customers(2)
    lab.faults({"status": 500, "times": 1000})
    operator = one_operator(dags.sync("people", **dags.people))
    context = {"run_id": "manual__killed", "outlet_events": {}}

    def work() -> None:
        with pytest.raises(Exception, match=r"500|told to end|cancelled"):
            operator.execute(context)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: lab.stats()["requests"].get("POST /api/v2/batch"))
    operator.on_kill()
    ((seconds,),) = lab.rows("SELECT DATEDIFF(second, GETDATE(), expires_at) FROM cio_sync.leases")
    thread.join()
    assert 0 < seconds <= 60


def test_defaults_of_the_dag_come_before_ours(tmp_path: Path) -> None:
    from airflow.sdk import DAG

    with DAG("defaults", schedule=None, default_args={"retries": 7}):
        operator = one_operator(tmp_path / "people.yaml")
    assert operator.retries == 7
    assert operator.retry_delay == timedelta(seconds=30)
    assert [asset.uri for asset in operator.outlets] == ["customerio://sync/people"]
    assert set(operator.template_fields) == {"sync_file", "contract_file"}
    assert one_operator("{{ params.file }}").outlets == []


def one_operator(file: Path | str) -> Any:
    from airflow_provider_cio.transfers.redshift_to_customerio import RedshiftToCustomerIO

    return RedshiftToCustomerIO(task_id="people", sync_file=file)


def wait_for(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
