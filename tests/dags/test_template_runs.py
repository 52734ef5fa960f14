"""The template's Dag in one process: the ways it ends, and that it heals. (tests/system has them under a scheduler.)"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dag_lab import Dags, Run

pytest_plugins = ("dag_lab",)


@pytest.fixture
def send_people(dags: Dags) -> Any:
    """Run the people sync as its file says now."""

    def run(**changes: Any) -> Run:
        from airflow_provider_cio.templates.export import sync_dag

        dag = sync_dag(dags.sync("people", **dags.people | changes))
        dag.get_task("unload").retries = 0  # a failed UNLOAD may pass, and nobody waits for that here
        return dags.run(dag)

    return run


def row(lab: Any, run: Run) -> tuple[Any, ...]:
    """(status, added, changed, unchanged, accepted) of the run's row; there is exactly one."""
    (found,) = lab.rows(
        "SELECT status, added, changed, unchanged, accepted FROM cio_sync.runs "
        f"WHERE run_id = '{run.record.run_id}'"
    )
    return found


def test_all_sent_then_nothing_to_send(lab: Any, send_people: Any) -> None:
    lab.customers(12)
    first = send_people()
    assert (first.state, set(first.tasks.values())) == ("success", {"success"})
    assert row(lab, first) == ("sent", 12, 0, 0, 12)
    assert lab.stats()["people"] == 12
    report = first.xcom("verdict")
    assert (report["status"], report["accepted"], report["counts"]["added"]) == ("sent", 12, 12)

    second = send_people()
    assert second.state == "success"
    assert second.tasks == dict.fromkeys(first.tasks, "success") | {"send": "skipped"}
    assert row(lab, second) == ("nothing_to_send", 0, 0, 12, 0)
    assert lab.received() == 12


def test_one_shard_fails_and_the_next_run_sends_the_rest(lab: Any, send_people: Any) -> None:
    lab.customers(20)
    lab.faults({"status": 401, "times": 1000, "match": '"c7"'})
    torn = send_people()
    assert torn.state == "failed"
    assert (torn.tasks["send"], torn.tasks["commit"], torn.tasks["verdict"]) == (
        "failed+success",
        "success",
        "failed",
    )
    status, added, _, _, accepted = row(lab, torn)
    assert (status, added, lab.stats()["people"]) == ("partial", 20, accepted)
    assert 0 < accepted < 20

    lab._sandbox("DELETE", "faults")
    healed = send_people()
    assert healed.state == "success"
    assert row(lab, healed) == ("sent", 20 - accepted, 0, accepted, 20 - accepted)
    assert lab.stats()["people"] == 20


def test_a_guard_stops(lab: Any, send_people: Any) -> None:
    lab.customers(9)
    stopped = send_people(guards={"max_added": 5})
    assert stopped.state == "failed"
    assert (stopped.tasks["guards"], stopped.tasks["unload"], stopped.tasks["commit"]) == (
        "failed",
        "upstream_failed",
        "skipped",
    )
    assert row(lab, stopped)[0] == "guard_stopped"
    assert lab.received() == 0

    healed = send_people(guards={"max_added": 9})
    assert (healed.state, row(lab, healed)) == ("success", ("sent", 9, 0, 0, 9))


def test_the_unload_fails(lab: Any, dags: Dags, send_people: Any) -> None:
    lab.customers(3)
    dags.contract(dags.staging, "nobody")
    stuck = send_people()
    assert stuck.state == "failed"
    assert (stuck.tasks["unload"], stuck.tasks["send"], stuck.tasks["commit"]) == (
        "failed",
        "upstream_failed",
        "skipped",
    )
    assert row(lab, stuck)[0] == "unload_failed"

    dags.contract(dags.staging)
    healed = send_people()
    assert (healed.state, row(lab, healed)) == ("success", ("sent", 3, 0, 0, 3))


def test_a_send_that_is_cleared_after_the_commit_finds_nothing_to_do(
    lab: Any, dags: Dags, send_people: Any
) -> None:
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session

    from airflow_provider_cio.templates.export import sync_dag

    lab.customers(20)
    run = send_people()
    cleared = run.instance("send", 0)
    with create_session() as session:
        cleared = session.merge(cleared)
        cleared.try_number += 1
        cleared.set_state("scheduled", session=session)
    dag = sync_dag(dags.folder / "syncs/people.yaml")
    _run_task(ti=run.instance("send", 0), task=dag.task_dict["send"])

    again = run.xcom("send", map_index=0)
    assert (again["earlier"], again["accepted"]) == (again["rows"], 0)
    assert lab.received() == 20

    lab.customers(1, start=20)
    after = send_people()
    assert (after.state, row(lab, after)) == ("success", ("sent", 1, 0, 20, 1))


def test_a_wrong_view_is_one_message(lab: Any, send_people: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run = send_people(source="cio_marts.custommers")
    assert (run.state, run.tasks["preflight"]) == ("failed", "failed")
    assert run.instance("preflight").try_number == 1
    assert "custommers" in capfd.readouterr().out


def test_the_event_sync_follows_the_people_sync(dags: Dags) -> None:
    from airflow_provider_cio.templates.export import sync_dag

    people = sync_dag(dags.sync("people", **dags.people))
    events = sync_dag(Path(__file__).parents[2] / "dags/syncs/orders_completed.yaml")
    announced = people.get_task("verdict").outlets
    assert [asset.uri for asset in announced] == ["customerio://sync/people"]
    (waited_for,) = events.timetable.asset_condition.objects
    assert waited_for.uri == "customerio://sync/customers"


def test_reconcile_names_drift_and_leaves_the_run_green(lab: Any, send_people: Any) -> None:
    lab.customers(3)
    send_people()
    lab.writer(
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "c1"},
            "attributes": {"name": "Somebody else"},
        }
    )
    run = send_people()
    assert (run.state, run.tasks["reconcile"]) == ("success", "success")
    assert run.xcom("reconcile")["by_reason"] == {"overwritten": 1}


def test_without_an_app_key_nothing_is_read_back(
    lab: Any, send_people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"site_id": "sandbox-site", "track_api_key": "sandbox-track-key", "base_url": lab.customerio.url}
    monkeypatch.setenv(
        "AIRFLOW_CONN_CUSTOMERIO_DEFAULT", json.dumps({"conn_type": "customerio", "extra": keys})
    )
    run = send_people()
    assert (run.tasks["verdict"], run.tasks["reconcile"]) == ("failed", "skipped")


def test_the_senders_share_follows_its_pool_slots(
    dags: Dags, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_cio.hooks.customerio import CustomerIOHook
    from airflow_provider_cio.templates.export import sync_dag

    lab.customers(3)
    contract = dags.folder / "contract.yaml"
    contract.write_text(contract.read_text() + "send_pool: customerio\n")
    slots: list[int] = []
    real = CustomerIOHook.track_client

    def track_client(self: CustomerIOHook, pool_slots: int = 1, share: float = 1.0) -> Any:
        slots.append(pool_slots)
        return real(self, pool_slots, share)

    monkeypatch.setattr(CustomerIOHook, "track_client", track_client)
    dag = sync_dag(dags.sync("people", **dags.people, pool_slots=3))
    pools = {task.task_id: (task.pool, task.pool_slots) for task in dag.tasks}
    assert pools["send"] == ("customerio", 3)
    assert pools["preflight"] == ("default_pool", 1)
    assert dags.run(dag).state == "success"
    assert slots == [1, 3]  # preflight asks for the region, send sends


def test_a_person_stands_between_guards_and_unload(dags: Dags) -> None:
    from airflow.providers.standard.operators.hitl import HITLOperator

    from airflow_provider_cio.templates.export import sync_dag

    dag = sync_dag(dags.sync("people", **dags.people, approve=True, max_plan_age="6h"))
    assert dag.get_task("review").upstream_task_ids == {"plan", "guards"}
    assert dag.get_task("approval").upstream_task_ids == {"review"}
    assert dag.get_task("apply").upstream_task_ids == {"plan", "approval"}
    assert dag.get_task("unload").upstream_task_ids == {"apply", "guards"}
    approval = dag.get_task("approval")
    assert isinstance(approval, HITLOperator)
    assert (approval.options, approval.response_timeout.total_seconds()) == (["Approve", "Refuse"], 6 * 3600)
