"""A person answers on the page of required actions, through the API that the page uses."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.system


def answer(world: Any, run_id: str, option: str) -> None:
    """Wait until Airflow asks, look at what it shows, and choose."""
    task = f"/api/v2/dags/cio_sync_asked/dagRuns/{run_id}/taskInstances/approval"
    world.airflow.wait_for(
        lambda: world.airflow.get(task)["state"] == "awaiting_input", f"question of {run_id}", seconds=300
    )
    world.a_scheduler_loop_has_passed()
    asked = world.airflow.get(f"{task}/-1/hitlDetails")
    assert "4 rows" in asked["body"]
    assert world.sql(
        "SELECT COUNT(*) FROM cio_sync.leases WHERE sync = 'asked' AND expires_at > GETDATE()"
    ) == [(0,)]
    world.airflow.call("PATCH", f"{task}/-1/hitlDetails", json={"chosen_options": [option]})


@pytest.mark.timeout(700)
def test_a_plan_waits_without_a_lease_and_is_sent_when_it_is_approved(world: Any) -> None:
    world.sql(
        "INSERT INTO source.asked VALUES ('asked-1', 1), ('asked-2', 2), ('asked-3', 3), ('asked-4', 4)"
    )
    asked = world.airflow.trigger("cio_sync_asked")
    answer(world, asked, "Approve")
    run = world.ended("asked", asked)
    assert (run["state"], world.people("asked")) == ("success", 4)
    assert world.sql("SELECT status FROM cio_sync.approvals WHERE sync = 'asked'") == [("approved",)]
