"""A sync through the Pipelines API, from Redshift to the profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.clients.pipelines import PipelinesClient
from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.preflight import preflight
from airflow_provider_cio.engine.reconcile import reconcile
from airflow_provider_cio.engine.resend import repair
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.verify import verify
from airflow_provider_cio.exceptions import ContractError

if TYPE_CHECKING:
    from sync_lab import Lab

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
    return lab.context(sync, run_id, track=client, app=lab.app())


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


PEOPLE: dict[str, Any] = {"attributes": {"name": "name", "vip": "vip"}, "backfill": {"journeys_paused": True}}
GROUPS: dict[str, Any] = {
    "kind": "relationships",
    "object_type_id": "2",
    "related": {"object_id": "account"},
    "attributes": {"role": "name"},
}
ACME = {"object_type_id": "2", "object_id": "acme"}
INTRUDERS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, str]]] = {
    "people": (PEOPLE, {"action": "identify", "attributes": {"name": "spy"}}, ("c1", "name")),
    "groups": (
        GROUPS,
        {
            "action": "add_relationships",
            "cio_relationships": [{"identifiers": ACME, "relationship_attributes": {"role": "spy"}}],
        },
        ("c1\x1facme", "role"),
    ),
}


@pytest.mark.parametrize("kind", INTRUDERS)
def test_what_another_writer_changed_is_read_back_and_repaired(lab: Lab, kind: str) -> None:
    changes, written, (key, field) = INTRUDERS[kind]
    lab.customers(3)
    for number in range(3):  # `group` relates people who are there
        lab.writer({"type": "person", "action": "identify", "identifiers": {"id": f"c{number}"}})
    lab.run("CREATE TABLE cio_marts.members AS SELECT *, 'acme' AS account FROM cio_marts.customers")
    sync = lab.people(
        transport="pipelines", source="cio_marts.members", **{"attributes": {}, "backfill": {}, **changes}
    )
    ctx = context(lab, sync)
    plan_id = run_sync(ctx).plan_id
    clean = reconcile(ctx, plan_id)
    assert (clean["sampled"], clean["drifted"]) == (3, 0)
    lab.writer({"type": "person", "identifiers": {"id": "c1"}, **written})
    assert reconcile(ctx, plan_id)["by_reason"] == {"overwritten": 1}
    assert lab.rows("SELECT key_hash, field FROM cio_sync.drift") == [(hashed(key), field)]
    repaired = repair(context(lab, sync, "repair"))
    assert repaired.accepted == 1
    assert reconcile(ctx, repaired.plan_id)["drifted"] == 0


def test_the_cohort_is_compared_value_by_value(lab: Lab) -> None:
    lab.customers(3)
    lines = verify(context(lab, people(lab, cohort=["c1", "c2"])), wait=0)
    assert [line.what for line in lines if line.who == hashed("c1")] == [
        "profile",
        "name",
        "order_count",
        "spent",
        "vip",
        "segments",
    ]
    assert all(line.ok for line in lines)
    lab.run("INSERT INTO cio_marts.orders SELECT 'o' || n, 'c' || n, GETDATE(), n, 1 FROM digits")
    orders = lab.events(transport="pipelines", cohort=["c1"])
    lines = verify(context(lab, orders, "verify-2"), wait=0)
    assert {"Order Completed.order_id", "Order Completed.total"} <= {line.what for line in lines}
    assert all(line.ok for line in lines)


def test_an_event_that_is_not_there_is_named(lab: Lab) -> None:
    lab.run("INSERT INTO cio_marts.orders SELECT 'o' || n, 'c' || n, GETDATE(), 1, 1 FROM digits")
    lab.writer({"type": "person", "action": "suppress", "identifiers": {"id": "c7"}})
    ctx = context(lab, lab.events(transport="pipelines"))
    report = reconcile(ctx, run_sync(ctx).plan_id)
    assert (report["sampled"], report["by_reason"]) == (10, {"never_arrived": 1})


def test_the_contract_names_the_workspace_where_the_api_does_not_number_it(lab: Lab) -> None:
    lab.customers(2)
    run_sync(context(lab, people(lab)))
    again = context(lab, people(lab), "run-2")
    preflight(again)
    other = replace(again, contract=again.contract.model_copy(update={"workspace": "store"}))
    with pytest.raises(ContractError, match="sends to workspace 'shop', and this run would to 'store'"):
        preflight(other)
