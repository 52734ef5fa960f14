"""The operator that brings reporting back, in a Dag run, and the trigger that waits for exports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_cio.core.reporting_file import load_reporting
from airflow_provider_cio.exceptions import ContractError

if TYPE_CHECKING:
    from dag_lab import Dags
    from sync_lab import Lab

pytest_plugins = ("dag_lab",)


@pytest.fixture
def workspace(lab: Lab, dags: Dags) -> Lab:
    """Twenty people got a newsletter ten days ago."""
    auth = ("sandbox-site", "sandbox-track-key")
    with httpx.Client(base_url=lab.customerio.url, auth=auth, timeout=60) as http:
        http.put("/_sandbox/settings", json={"clock_offset": -10 * 86_400})
        people = [
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": f"p{n}"},
                "attributes": {"email": f"{n}@x.io"},
            }
            for n in range(20)
        ]
        assert http.post("/api/v2/batch", json={"batch": people}).json() == {}
        http.post("/_sandbox/newsletters", json={"name": "Spring"})
        http.put("/_sandbox/settings", json={"clock_offset": 0})
        http.post("/_sandbox/deliveries")
    return lab


def operator(lab: Lab, **changes: Any) -> Any:
    from airflow_provider_cio.transfers.customerio_reporting_to_redshift import CustomerIOReportingToRedshift

    values: dict[str, Any] = {
        "task_id": "load",
        "streams": ["deliveries", "metrics", "newsletters"],
        "source": "app_api",
        "staging": lab.bucket.uri("staging"),
        "iam_role": lab.bucket.iam_role,
        "first_day": f"{(datetime.now(UTC) - timedelta(days=30)).date()}",
        "poll_seconds": 0.01,
    }
    return CustomerIOReportingToRedshift(**values | changes)


SETTINGS = """
first_day: {first}
routes:
  app_api:
    streams: [deliveries, metrics, newsletters]
  export:
    streams: [metrics]
validate_person: {{customer_id: p7}}
"""
LOADER = """
# An Airflow Dag for each file.
from pathlib import Path
from airflow_provider_cio.templates.loader import load_reports
load_reports(Path(__file__).parent / "reporting", globals())
"""


def test_a_dag_loads_every_route_and_follows_a_known_person(dags: Dags, workspace: Lab) -> None:
    first = (datetime.now(UTC) - timedelta(days=30)).date()
    (dags.folder / "reporting").mkdir()
    (dags.folder / "reporting" / "outcomes.yaml").write_text(SETTINGS.format(first=first))
    (dags.folder / "reporting" / "broken.yaml").write_text(
        "first_day: 2026-01-01\nroutes: {app_api: {streams: [x]}}\n"
    )
    (dags.folder / "cio_reporting.py").write_text(LOADER)
    bag = dags.bag()
    assert [name for name in bag.dags if name.startswith("cio_reporting")] == ["cio_reporting_outcomes"]
    assert bag.import_errors == {}
    dag = bag.dags["cio_reporting_outcomes"]
    dag.get_task("export").poll_seconds = 0.01
    run = dags.run(dag)
    assert run.tasks == dict.fromkeys(("app_api", "export", "follow_known_person"), "success")
    reports = {each["stream"]: each for each in run.xcom("app_api")}
    assert (reports["deliveries"]["new"], reports["newsletters"]["new"]) == (20, 1)
    assert run.xcom("follow_known_person") == {"deliveries": 1, "with_outcome": 1, "followed_by_order": None}
    assert workspace.rows("SELECT COUNT(*) FROM cio_staging.stg_customerio__deliveries") == [(20,)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("routes: {app_api: {streams: [deliverys]}}", "no stream 'deliverys'"),
        ("routes: {app_api: {streams: [people]}}", "app_api has no stream 'people'"),
        ("routes: {data_out: {streams: [people]}}", "needs `files`"),
        ("routes: {app_api: {streams: [metrics], files: 's3://b/x'}}", "takes no `files`"),
        ("name: others\nroutes: {app_api: {streams: [metrics]}}", "'others' is not the file's name"),
    ],
)
def test_a_mistake_in_the_yaml_names_its_line(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "reporting.yaml"
    file.write_text(f"first_day: 2026-01-01\n{line}\n")
    with pytest.raises(ContractError, match=r"reporting\.yaml:\d") as caught:
        load_reporting(file)
    assert told in str(caught.value)


FAILING = """
first_day: 2026-01-01
routes:
  data_out: {{streams: [people], files: "{files}"}}
deadline: {{within: 1h}}
"""


def test_alerts_of_two_files_are_told_apart(dags: Dags, workspace: Lab) -> None:
    names = ["history", "profiles"]
    (dags.folder / "monitoring.yaml").write_text("owner: data team\nchannels: []\n")
    (dags.folder / "cio_reporting.py").write_text(LOADER)
    (dags.folder / "reporting").mkdir()
    for name in names:
        file = dags.folder / "reporting" / f"{name}.yaml"
        file.write_text(FAILING.format(files=f"s3://no-such-bucket-{name}/out"))
    made = [dags.bag().dags[f"cio_reporting_{name}"] for name in names]
    assert [dag.deadline[0].callback.kwargs["name"] for dag in made] == names
    assert [dags.run(dag).state for dag in made] == ["failed", "failed"]
    assert workspace.rows("SELECT alert FROM cio_sync.alerts ORDER BY alert") == [
        (f"failed:reporting:{name}",) for name in names
    ]


def test_the_trigger_waits_until_every_export_is_finished(airflow_home: Any, workspace: Lab) -> None:
    from airflow_provider_cio.clients.app import AppClient
    from airflow_provider_cio.triggers.exports import ExportsTrigger

    with AppClient(api_key="sandbox-app-key", base_url=workspace.customerio.url, rate=1000) as app:
        export = app.export_deliveries("newsletter_id", 1, 0, 2_000_000_000)
        trigger = ExportsTrigger("customerio_default", [export], poll_seconds=0.01)
        path, arguments = trigger.serialize()
        assert path == "airflow_provider_cio.triggers.exports.ExportsTrigger"

        async def first() -> Any:
            return await anext(ExportsTrigger(**arguments).run().__aiter__())

        event = asyncio.run(first())
        assert event.payload == {"exports": [export]}
        assert app.export_content(export).startswith(b"id,")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"streams": ["deliverys"]}, "no stream 'deliverys'"),
        ({"streams": ["people"]}, "has no stream 'people'. Next step: use data_out"),
        ({"first_day": "soon"}, "write it as 2026-01-31"),
        ({"source": "data_out", "streams": ["people"]}, "say where they are"),
    ],
)
def test_a_mistake_is_told_with_the_next_step(
    airflow_home: Any, workspace: Lab, changes: dict[str, Any], told: str
) -> None:
    class Run:
        run_type = "manual"

    with pytest.raises(ContractError) as caught:
        operator(workspace, **changes).execute({"run_id": "r", "dag_run": Run()})
    assert told in str(caught.value)


def test_waiting_for_exports_may_be_left_to_the_triggerer(airflow_home: Any, workspace: Lab) -> None:
    from airflow.sdk.exceptions import TaskDeferred

    from airflow_provider_cio.exceptions import RetriableError

    class Run:
        run_type = "manual"

    context = {"run_id": "r", "dag_run": Run()}
    load = operator(workspace, source="export", streams=["metrics"], deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        load.execute(context)
    assert deferred.value.method_name == "load_exports"

    async def first() -> Any:
        return await anext(deferred.value.trigger.run().__aiter__())

    [report] = load.load_exports(context, asyncio.run(first()).payload)
    assert (report["status"], report["new"] > 20) == ("loaded", True)
    with pytest.raises(RetriableError, match="could not make"):
        load.load_exports(context, {"error": "Customer.io could not make export 1."})


def test_a_backfill_reads_the_days_of_its_interval(airflow_home: Any, workspace: Lab) -> None:
    class Run:
        run_type = "backfill"

    ten_days_ago = (datetime.now(UTC) - timedelta(days=10)).replace(hour=0, minute=0, second=0, microsecond=0)

    def rows(start: datetime) -> int:
        interval = {"data_interval_start": start, "data_interval_end": start + timedelta(days=1)}
        load = operator(workspace, streams=["deliveries"])
        return int(load.execute({"run_id": "r", "dag_run": Run(), **interval})[0]["rows"])

    assert rows(ten_days_ago + timedelta(days=3)) == 0
    assert rows(ten_days_ago) == 20
