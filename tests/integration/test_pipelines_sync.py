"""A sync through the Pipelines API, from Redshift to the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_cio.clients.pipelines import PipelinesClient
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.run import run_sync

if TYPE_CHECKING:
    from sync_lab import Lab

    from airflow_provider_cio.core.contract import Sync

pytest_plugins = ("sync_lab",)


def context(lab: Lab, sync: Sync, run_id: str = "run-1") -> SyncContext:
    client = PipelinesClient(
        api_key="sandbox-pipelines-key",
        base_url=lab.customerio.url,
        attempts=2,
        rate=10_000,
        sleep=lambda _: None,
    )
    lab.closing.append(client)
    return lab.context(sync, run_id, track=client)


def people(lab: Lab, **changes: Any) -> Sync:
    return lab.people(transport="pipelines", backfill={"journeys_paused": True}, **changes)


def test_people_and_their_events_arrive_and_one_bad_row_stands_alone(lab: Lab) -> None:
    lab.customers(60)
    report = run_sync(context(lab, people(lab)))
    assert (report.accepted, lab.stats()["people"]) == (60, 60)
    assert lab.person("c7")["attributes"]["spent"] == 7.5
    requests = lab.stats()["requests"]
    assert "POST /v1/batch" in requests
    assert "POST /api/v2/batch" not in requests
    assert run_sync(context(lab, people(lab), "run-2")).sent == 0

    lab.orders(20)
    lab.run("UPDATE cio_marts.orders SET ordered_at = DATEADD(day, -10, GETDATE())")
    orders = lab.events(transport="pipelines")
    assert run_sync(context(lab, orders)).accepted == 20
    assert len(lab.events_of("c3")) == 2


def test_what_strict_mode_refuses_is_found_by_taking_the_batch_apart(lab: Lab) -> None:
    lab.customers(40)
    lab.run("UPDATE cio_marts.customers SET name = REPEAT('é', 400) WHERE customer_id = 'c5'")
    sync = people(lab, max_rejected_pct=10, attributes={"email": "name", "spent": "spent"})
    report = run_sync(context(lab, sync))
    assert (report.accepted, report.rejected) == (39, 1)
    assert lab.rows("SELECT sent FROM cio_sync.rejects") == [(True,)]
