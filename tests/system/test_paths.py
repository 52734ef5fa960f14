"""The ways a sync's Dag run ends, under a real scheduler; each heals on the next run."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def test_all_sent_then_nothing_to_send(world):
    world.members("calm", 12)
    run = world.run("calm")
    assert run["state"] == "success"
    assert world.report(run) == ("sent", 12, 0, 0, 12, 12)
    assert world.people("calm") == 12

    again = world.run("calm")
    assert again["state"] == "success"
    assert world.tasks(again)["send"] == "skipped"
    assert world.report(again) == ("nothing_to_send", 0, 0, 12, 0, 0)


def test_one_shard_fails(world):
    world.members("torn", 20)
    fault = {"route": "/api/v2/batch", "status": 401, "times": 1000, "match": '"torn-7"'}
    world.control("POST", "faults", json=[fault])
    run = world.run("torn")
    world.control("DELETE", "faults")
    tasks = world.tasks(run)
    assert run["state"] == "failed"
    assert tasks["send"] == "failed+success"
    assert (tasks["commit"], tasks["verdict"]) == ("success", "failed")
    status, added, _, _, _, accepted = world.report(run)
    assert (status, added) == ("partial", 20)
    assert 0 < accepted < 20
    assert world.people("torn") == accepted

    healed = world.run("torn")
    assert healed["state"] == "success"
    assert world.report(healed) == ("sent", 20 - accepted, 0, accepted, 20 - accepted, 20 - accepted)
    assert world.people("torn") == 20


def test_a_guard_stops(world):
    world.members("guarded", 9)
    run = world.run("guarded")
    tasks = world.tasks(run)
    assert run["state"] == "failed"
    assert (tasks["guards"], tasks["commit"], tasks["verdict"]) == ("failed", "skipped", "failed")
    assert world.report(run)[0] == "guard_stopped"
    assert world.people("guarded") == 0

    world.members("guarded", 4)
    healed = world.run("guarded")
    assert healed["state"] == "success"
    assert world.report(healed) == ("sent", 4, 0, 0, 4, 4)


def test_the_unload_fails(world):
    world.members("stuck", 3)
    variable = {"key": "unload_role", "value": "nobody"}
    world.airflow.call("POST", "/api/v2/variables", json=variable)
    run = world.run("stuck")
    world.airflow.call("DELETE", "/api/v2/variables/unload_role")
    tasks = world.tasks(run)
    assert run["state"] == "failed"
    assert (tasks["unload"], tasks["commit"], tasks["verdict"]) == ("failed", "skipped", "failed")
    assert world.report(run)[0] == "unload_failed"

    healed = world.run("stuck")
    assert healed["state"] == "success"
    assert world.report(healed) == ("sent", 3, 0, 0, 3, 3)


def test_a_send_cleared_after_the_commit(world):
    world.members("cleared", 20)
    run = world.run("cleared")
    assert run["state"] == "success"
    received = world.control("GET", "stats")["items"]["received"]
    selection = {
        "dag_run_id": run["dag_run_id"],
        "task_ids": [["send", 0]],
        "dry_run": False,
        "only_failed": False,
        "include_downstream": False,
    }
    world.airflow.call("POST", f"/api/v2/dags/{run['dag_id']}/clearTaskInstances", json=selection)
    again = world.ended("cleared", run["dag_run_id"])
    assert again["state"] == "success"
    assert world.control("GET", "stats")["items"]["received"] == received

    world.members("cleared", 21)
    after = world.run("cleared")
    assert after["state"] == "success"
    assert world.report(after) == ("sent", 1, 0, 20, 1, 1)
