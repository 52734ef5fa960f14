"""Outcomes that are neither accepted nor rejected: without an answer, refused for now, undecided for too long."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.engine.commit import commit, verdict
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import (
    CustomerIOProviderError,
    RejectedRowsError,
    TransientRejectsError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

REJECTS = "SELECT class, reason, field, sent, COUNT(*) FROM cio_sync.rejects GROUP BY 1, 2, 3, 4 ORDER BY 1"


def forgetful(context: SyncContext) -> SyncContext:
    """The same run for a Customer.io that is trusted with no repeated id at all."""
    contract = Contract.model_validate(
        {"workspace": "shop", "staging": context.contract.staging, "dedupe_horizon": "0s"}
    )
    return replace(context, contract=contract)


def without_an_answer(lab: Lab, context: SyncContext) -> str:
    """A plan whose only shard was applied, and nobody was told."""
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    lab.faults({"status": "truncated_body", "times": 2})
    with pytest.raises(UnknownOutcomeError):
        send_shard(context, plan_id, shard["shard"], "1")
    return plan_id


def test_an_event_without_an_answer_is_kept_as_undecided_and_sent_again_within_the_horizon(lab: Lab) -> None:
    lab.orders(30)
    plan_id = without_an_answer(lab, lab.context(lab.events()))
    report = commit(lab.context(lab.events()), plan_id)
    assert (report.status, report.unknown, report.accepted, report.unsent) == ("partial", 30, 0, 0)
    assert lab.rows("SELECT sync, COUNT(DISTINCT event_id) FROM cio_sync.undecided GROUP BY sync") == [
        ("orders", 30)
    ]
    assert lab.rows(REJECTS) == [("unknown", "no_answer", None, True, 30)]
    healed = run_sync(lab.context(lab.events(), "run-2"))
    assert (healed.counts.added, healed.accepted, healed.counts.quarantined) == (30, 30, 0)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.undecided") == [(0,)]
    assert (lab.stats()["events"], lab.received()) == (30, 90)


def test_a_retry_beyond_the_horizon_quarantines_instead_of_sending(lab: Lab) -> None:
    lab.orders(30)
    context = lab.context(lab.events(max_unknown=30))
    plan_id = without_an_answer(lab, context)
    before = lab.received()
    report = send_shard(forgetful(context), plan_id, 0, "2")
    assert (report["accepted"], report["quarantined"], lab.received()) == (0, 30, before)
    done = commit(context, plan_id)
    assert (done.unknown, done.sent, done.unsent) == (30, 0, 0)
    assert lab.rows(REJECTS) == [("unknown", "undecided_beyond_dedupe_horizon", None, False, 30)]
    verdict(done, context.sync)
    with pytest.raises(RejectedRowsError, match=r"30 got no answer \(allowed 29\)"):
        verdict(done, lab.events(max_unknown=29))


def test_a_later_run_beyond_the_horizon_counts_them_and_sends_only_what_is_new(lab: Lab) -> None:
    lab.orders(30)
    commit(lab.context(lab.events()), without_an_answer(lab, lab.context(lab.events())))
    lab.run("UPDATE cio_sync.undecided SET since = DATEADD(hour, -25, since)")
    lab.orders(5, start=30)
    lab._sandbox("PUT", "settings", json={"dedupe_seconds": 0})
    report = run_sync(lab.context(lab.events(), "run-2"))
    counts = report.counts
    assert (counts.quarantined, counts.added, report.accepted) == (30, 5, 5)
    assert counts.source_rows == counts.added + counts.unchanged + counts.unidentified + counts.quarantined
    assert lab.rows("SELECT quarantined FROM cio_sync.runs WHERE run_id = 'run-2'") == [(30,)]
    assert lab.rows("SELECT name, rows FROM cio_sync.findings WHERE run_id = 'run-2'") == [
        ("event_undecided", 30)
    ]
    assert lab.stats()["events"] == 35


def test_an_undecided_event_whose_time_was_corrected_is_not_sent_under_its_new_id(lab: Lab) -> None:
    lab.orders(3)
    commit(lab.context(lab.events()), without_an_answer(lab, lab.context(lab.events())))
    lab.run("UPDATE cio_marts.orders SET ordered_at = DATEADD(day, 1, ordered_at) WHERE order_id = 'o1'")
    report = run_sync(lab.context(lab.events(), "run-2"))
    assert (report.counts.quarantined, report.accepted, lab.stats()["events"]) == (1, 2, 3)


def test_somebody_who_looked_an_event_up_may_have_it_sent(lab: Lab) -> None:
    lab.orders(3)
    commit(lab.context(lab.events()), without_an_answer(lab, lab.context(lab.events())))
    lab.run("UPDATE cio_sync.undecided SET since = DATEADD(hour, -25, since)")
    lab.run("DELETE FROM cio_sync.undecided WHERE row_key = 'o2'")
    report = run_sync(lab.context(lab.events(), "run-2"))
    assert (report.counts.quarantined, report.accepted) == (2, 1)


def test_an_old_undecided_event_is_judged_again_when_it_is_sent_not_only_when_it_is_planned(lab: Lab) -> None:
    lab.orders(4)
    commit(lab.context(lab.events()), without_an_answer(lab, lab.context(lab.events())))
    late = lab.context(lab.events(), "run-2")
    plan_id = make_plan(late).plan_id
    [shard] = unload(late, plan_id)
    assert send_shard(forgetful(late), plan_id, shard["shard"], "1")["quarantined"] == 4
    assert commit(late, plan_id).unknown == 4
    [(kept,)] = lab.rows(
        "SELECT COUNT(DISTINCT plan_id || CAST(since AS VARCHAR(30))) FROM cio_sync.undecided"
    )
    assert kept == 1


@pytest.mark.parametrize(
    "then",
    [
        {"status": 207, "match": '"id":"c', "reason": "temporarily unavailable"},
        {"status": 403},
        {"status": 301},
        {"status": 500},
    ],
)
def test_what_a_repeat_is_told_says_nothing_about_the_request_before_it(
    lab: Lab, then: dict[str, Any]
) -> None:
    lab.orders(4)
    context = lab.context(lab.events())
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    lab.faults({"status": "reset_after"}, then)
    with pytest.raises(CustomerIOProviderError):
        send_shard(context, plan_id, shard["shard"], "1")
    assert lab.stats()["events"] == 4
    assert send_shard(forgetful(context), plan_id, shard["shard"], "2")["quarantined"] == 4
    assert commit(context, plan_id).unknown == 4


def test_an_undecided_event_that_is_refused_later_stays_undecided(lab: Lab) -> None:
    lab.orders(4)
    context = lab.context(lab.events(max_rejected_pct=100))
    plan_id = without_an_answer(lab, context)
    lab.faults({"status": 207, "match": '"id":"c', "reason": "invalid"})
    assert send_shard(context, plan_id, 0, "2")["rejected"] == 4
    assert commit(context, plan_id).rejected == 4
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.undecided") == [(4,)]


def test_people_are_idempotent_and_never_quarantined(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id = without_an_answer(lab, context)
    assert send_shard(forgetful(context), plan_id, 0, "2")["accepted"] == 20
    assert commit(context, plan_id).status == "sent"
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.undecided") == [(0,)]


def test_rows_refused_for_now_are_sent_again_by_the_next_try(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    lab.faults({"status": 207, "match": '"c7"', "reason": "temporarily unavailable"})
    with pytest.raises(TransientRejectsError, match="refused 1 rows of shard 0"):
        send_shard(context, plan_id, shard["shard"], "1")
    assert commit(context, plan_id).rejected == 1
    assert lab.rows(REJECTS) == [("transient", "temporarily unavailable", None, True, 1)]
    report = send_shard(context, plan_id, shard["shard"], "2")
    assert (report["earlier"], report["accepted"]) == (19, 1)
    assert (commit(context, plan_id).status, lab.rows(REJECTS)) == ("sent", [])


def test_an_identity_conflict_has_a_class_of_its_own(lab: Lab) -> None:
    lab.customers(20)
    lab.insert("customers (customer_id, email)", ["('bad', '{')"])
    fault: dict[str, Any] = {"match": '"c7"', "field": "identifiers.id", "status": "errors_on_200"}
    lab.faults({**fault, "reason": "The identifier is already associated with a different profile."})
    attributes = {"order_count": "orders", "extra": {"column": "email", "type": "json"}}
    report = run_sync(lab.context(lab.people(attributes=attributes, max_rejected_pct=10)))
    assert (report.accepted, report.rejected) == (19, 2)
    assert [(row[0], row[3]) for row in lab.rows(REJECTS)] == [
        ("identity_conflict", True),
        ("permanent", False),
    ]
