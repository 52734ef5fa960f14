"""What tasks leave in Airflow's state store of their asset, for the page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.snapshot import DETAIL, SUMMARY, Summary, read_detail, read_summary

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)


def stored(asset: str) -> tuple[Summary, Any, str | None]:
    """Both parts, and the Dag that Airflow says wrote them."""
    from airflow.models.asset import AssetModel
    from airflow.models.asset_state_store import AssetStateStoreModel as Row
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.scalars(
            select(Row).join(AssetModel, AssetModel.id == Row.asset_id).where(AssetModel.name == asset)
        )
        found = {row.key: (row.value, row.last_updated_by_dag_id) for row in rows}
    summary = read_summary(found[SUMMARY][0])
    assert summary is not None
    return summary, read_detail(found[DETAIL][0]), found[SUMMARY][1]


def test_every_end_of_a_sync_is_kept(lab: Any, dags: Dags) -> None:
    from airflow_provider_cio.templates.export import sync_dag

    lab.customers(9)
    calm = dags.run(sync_dag(dags.sync("people", **dags.people, deadline={"within": "1h"})))
    summary, detail, dag_id = stored("customerio_people")
    assert summary.last is not None
    assert (summary.last.run_id, summary.last.status, summary.last.accepted) == (
        calm.record.run_id,
        "sent",
        9,
    )
    assert (summary.about.owner, summary.about.deadline, summary.about.workspace) == (
        "retention",
        3600.0,
        "shop",
    )
    assert [run.accepted for run in detail.runs] == [9]

    stopped = dags.run(sync_dag(dags.sync("people", **dags.people, guards={"min_rows": 100})))
    assert stopped.state == "failed"
    summary, detail, dag_id = stored("customerio_people")
    assert summary.last is not None
    assert (summary.last.run_id, summary.last.status) == (stopped.record.run_id, "guard_stopped")
    assert len(detail.runs) == 2
    assert dag_id in {"cio_sync_people", None}  # dag.test() writes without a worker's token


def test_a_store_that_fails_fails_no_run(
    lab: Any, dags: Dags, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor

    from airflow_provider_cio.templates.export import sync_dag

    def full(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(AssetStateStoreAccessor, "set", full)
    lab.customers(2)
    run = dags.run(sync_dag(dags.sync("people", **dags.people)))
    assert run.state == "success"
    assert json.dumps(run.xcom("verdict")["accepted"]) == "2"
    assert "keeps its last snapshot of people: the disk is full" in caplog.text
