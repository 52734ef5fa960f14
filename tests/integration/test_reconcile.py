"""Read-back: drift has a name and a reason, and repair puts it right."""

from __future__ import annotations

import pytest

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.reconcile import reconcile
from airflow_provider_cio.engine.resend import repair, replay_rejects
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import ContractError, FatalError, RejectedRowsError

pytest_plugins = ("sync_lab",)


def identify(identifier, **attributes):
    return {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": identifier},
        "attributes": attributes,
    }


def act(action, identifier):
    return {"type": "person", "action": action, "identifiers": {"id": identifier}}


def drift(lab, condition="repaired_at IS NULL"):
    return lab.rows(
        f"SELECT key_hash, field, reason FROM cio_sync.drift WHERE {condition} ORDER BY field, key_hash"
    )


def sent(lab, sync, run_id="run-1"):
    ctx = lab.context(sync, run_id, app=lab.app())
    return ctx, run_sync(ctx).plan_id


def test_another_writer_changes_three_attributes(lab):
    lab.customers(20)
    ctx, plan_id = sent(lab, lab.people())
    lab.writer(
        identify("c3", name="Somebody else"), identify("c4", order_count="many"), identify("c5", vip="")
    )

    report = reconcile(ctx, plan_id)

    assert drift(lab) == [
        (hashed("c3"), "name", "overwritten"),
        (hashed("c4"), "order_count", "type_changed"),
        (hashed("c5"), "vip", "overwritten"),
    ]
    assert (report["sampled"], report["drifted"]) == (20, 3)
    assert report["fields"] == ["name", "order_count", "vip"]
    found = lab.rows(
        "SELECT name, field, rows, message FROM cio_sync.findings WHERE phase = 'reconcile' ORDER BY 2"
    )
    assert [row[:3] for row in found] == [
        ("attribute_overwritten", "name", 1),
        ("attribute_overwritten", "order_count", 1),
        ("attribute_overwritten", "vip", 1),
    ]
    assert "'name' belongs to sync 'people'" in found[0][3]

    before = lab.received()
    repaired = repair(lab.context(lab.people(), "repair-1"))
    assert (repaired.accepted, lab.received() - before) == (3, 3)
    assert lab.person("c3")["attributes"]["name"] == "Name 3"
    assert lab.person("c4")["attributes"]["order_count"] == 4
    assert lab.person("c5")["attributes"]["vip"] is True
    assert (drift(lab), len(drift(lab, "repaired_at IS NOT NULL"))) == ([], 3)
    assert reconcile(ctx, repaired.plan_id)["drifted"] == 0
    assert run_sync(lab.context(lab.people(), "run-2")).sent == 0


def test_people_who_are_not_there(lab):
    lab.customers(5)
    lab.setting(clock_offset=-600)
    lab.writer(identify("c1"))
    lab.writer(act("suppress", "c1"), act("suppress", "c3"))
    lab.setting(clock_offset=0)
    ctx, plan_id = sent(lab, lab.people())
    lab.writer(act("delete", "c2"))

    reconcile(ctx, plan_id)

    assert dict(lab.rows("SELECT key_hash, reason FROM cio_sync.drift WHERE field IS NULL")) == {
        hashed("c1"): "suppressed",
        hashed("c2"): "overwritten",
        hashed("c3"): "never_arrived",
    }
    assert lab.rows("SELECT name, rows FROM cio_sync.findings WHERE phase = 'reconcile'") == [
        ("people_missing", 3)
    ]
    assert repair(lab.context(lab.people(), "repair-1")).sent == 2
    assert lab.person("c2")["attributes"]["name"] == "Name 2"


def test_a_failed_change_of_an_identifier_never_arrived(lab):
    lab.run("INSERT INTO cio_marts.customers (customer_id, email) VALUES ('c1', 'taken@example.com')")
    lab.writer(identify("other", email="taken@example.com"))
    sync = lab.people(attributes={"email": "email"})
    ctx, plan_id = sent(lab, sync)
    reconcile(ctx, plan_id)
    assert lab.rows("SELECT key_hash, field, reason, detail FROM cio_sync.drift") == [
        (
            hashed("c1"),
            "email",
            "never_arrived",
            "The identifier is already associated with a different profile.",
        )
    ]


def test_rows_that_changed_in_the_source_since_are_no_drift(lab):
    lab.customers(3)
    ctx, plan_id = sent(lab, lab.people())
    lab.run("UPDATE cio_marts.customers SET name = 'newer' WHERE customer_id = 'c1'")
    assert reconcile(ctx, plan_id) | {"requests": 0, "plan_id": ""} == {
        "sync": "people",
        "plan_id": "",
        "sampled": 2,
        "drifted": 0,
        "by_reason": {},
        "fields": [],
        "requests": 0,
    }


def test_the_budget_of_requests_is_kept(lab):
    lab.run("INSERT INTO cio_marts.orders SELECT 'o' || n, 'c' || n, GETDATE(), 1, 1 FROM digits")
    sync = lab.events(reconcile={"requests": 4, "sample": 10})
    ctx, plan_id = sent(lab, sync)
    report = reconcile(ctx, plan_id)
    assert (report["requests"], report["sampled"]) == (3, 3)


def test_an_event_that_is_not_there_is_sent_again_with_its_id(lab):
    lab.run("INSERT INTO cio_marts.orders SELECT 'o' || n, 'c' || n, GETDATE(), 1, 1 FROM digits")
    lab.writer(act("suppress", "c7"))
    ctx, plan_id = sent(lab, lab.events())
    report = reconcile(ctx, plan_id)
    assert (report["sampled"], report["by_reason"]) == (10, {"never_arrived": 1})
    lab.writer(act("unsuppress", "c7"))
    repair(lab.context(lab.events(), "repair-1"))
    ids = lab.rows("SELECT event_id FROM cio_sync.state__orders WHERE row_key = 'o7'")
    assert [(event["id"],) for event in lab.events_of("c7")] == ids
    assert lab.stats()["events"] == 10


def test_without_an_app_key_it_says_so(lab):
    lab.customers(1)
    run_sync(lab.context(lab.people()))
    with pytest.raises(ContractError, match="App API key"):
        reconcile(lab.context(lab.people()), "any")


def test_replay_sends_only_what_failed(lab):
    lab.customers(10)
    lab.faults({"status": 207, "match": '"c4"'})
    sync = lab.people(max_rejected_pct=0)
    with pytest.raises(RejectedRowsError):
        run_sync(lab.context(sync))
    lab.customers(5, start=50)
    [(reason,)] = lab.rows("SELECT reason FROM cio_sync.rejects")
    with pytest.raises(FatalError, match=f"classes: {reason} "):
        replay_rejects(lab.context(sync, "replay-1"), "no such reason")
    report = replay_rejects(lab.context(sync, "replay-2"), "permanent")
    assert (report.sent, report.accepted) == (1, 1)
    assert lab.person("c4")["attributes"]["order_count"] == 4
    assert replay_rejects(lab.context(sync, "replay-3")).sent == 0
    assert lab.stats()["people"] == 10


def test_nothing_to_replay(lab):
    with pytest.raises(FatalError, match="there is nothing to replay"):
        replay_rejects(lab.context(lab.people()))
