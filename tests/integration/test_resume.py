from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.engine.commit import commit, verdict
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.guard import check
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    ContractError,
    DestinationDownError,
    FatalError,
    LeaseLostError,
    RejectedRowsError,
    UnknownOutcomeError,
    WarehouseError,
)
from airflow_provider_cio.warehouse.objects import Bucket

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)


def planned(context: SyncContext) -> tuple[str, list[int]]:
    plan = make_plan(context)
    check(context, plan.plan_id)
    return plan.plan_id, [shard["shard"] for shard in unload(context, plan.plan_id)]


def runs(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.rows(
        "SELECT run_id, status, accepted, rejected, unknown, unsent FROM cio_sync.runs ORDER BY started_at"
    )


def test_a_shard_that_failed_is_finished_by_the_next_try_of_its_task(lab: Lab) -> None:
    lab.customers(300)
    context = lab.context(lab.people(rows_per_shard=100))
    plan_id, shards = planned(context)
    lab.faults({"status": 500, "times": 2})
    with pytest.raises(DestinationDownError):
        send_shard(context, plan_id, shards[0], "1")
    for shard in shards[1:]:
        send_shard(context, plan_id, shard, "1")
    before = lab.received()
    report = send_shard(context, plan_id, shards[0], "2")
    assert report["earlier"] == 0
    assert lab.received() == before + report["rows"] == 300
    assert commit(context, plan_id).status == "sent"


def test_a_run_with_a_failed_shard_is_partial_and_the_next_run_sends_the_rest(lab: Lab) -> None:
    lab.customers(300)
    sync = lab.people(rows_per_shard=100)
    context = lab.context(sync)
    plan_id, shards = planned(context)
    for shard in shards[1:]:
        send_shard(context, plan_id, shard, "1")
    report = commit(context, plan_id)
    assert report.status == "partial"
    assert report.unsent > 0
    with pytest.raises(RejectedRowsError, match=f"{report.unsent} rows were not sent"):
        verdict(report, sync)
    healed = run_sync(lab.context(sync, "run-2"))
    assert (healed.counts.added, healed.accepted) == (report.unsent, report.unsent)
    assert (lab.received(), lab.stats()["people"]) == (300, 300)


def test_a_send_cleared_after_commit_sends_what_was_missing_and_a_recommit_folds_it_in(lab: Lab) -> None:
    lab.customers(300)
    context = lab.context(lab.people(rows_per_shard=100))
    plan_id, shards = planned(context)
    for shard in shards[1:]:
        send_shard(context, plan_id, shard, "1")
    missing = commit(context, plan_id).unsent
    assert send_shard(context, plan_id, shards[0], "2")["accepted"] == missing
    assert commit(context, plan_id).status == "sent"
    nothing = send_shard(context, plan_id, shards[0], "3")
    assert (nothing["earlier"], nothing["accepted"]) == (missing, 0)
    assert lab.received() == 300
    assert runs(lab) == [("run-1", "sent", 300, 0, 0, 0)]
    assert run_sync(lab.context(lab.people(), "run-2")).status == "nothing_to_send"


def test_commit_twice_changes_nothing(lab: Lab) -> None:
    lab.customers(50)
    lab.faults({"status": 207, "times": 1, "match": '"c5"'})
    context = lab.context(lab.people())
    plan_id, shards = planned(context)
    send_shard(context, plan_id, shards[0], "1")
    look = (
        "SELECT COUNT(*), COUNT(DISTINCT row_key) FROM cio_sync.state",
        "SELECT COUNT(*) FROM cio_sync.rejects",
    )
    first = commit(context, plan_id)
    tables = [lab.rows(query) for query in look]
    assert tables == [[(49, 49)], [(1,)]]
    assert replace(commit(context, plan_id), seconds=first.seconds) == first
    assert [lab.rows(query) for query in look] == tables
    assert len(runs(lab)) == 1
    assert (
        lab.rows("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'outcomes%'") == []
    )


def test_killed_between_send_and_commit_the_next_run_folds_the_outcomes(lab: Lab) -> None:
    lab.customers(200)
    context = lab.context(lab.people())
    plan_id, shards = planned(context)
    send_shard(context, plan_id, shards[0], "1")
    with pytest.raises(LeaseLostError, match="held by run run-1 until"):
        make_plan(lab.context(lab.people(), "run-2"))
    lab.expire_lease()
    report = run_sync(lab.context(lab.people(), "run-2"))
    assert (report.status, report.counts.unchanged, lab.received()) == ("nothing_to_send", 200, 200)
    assert runs(lab) == [("run-1", "sent", 200, 0, 0, 0), ("run-2", "nothing_to_send", 0, 0, 0, 0)]
    for verb in (lambda: commit(context, plan_id), lambda: send_shard(context, plan_id, 0, "2")):
        with pytest.raises(FatalError, match="is closed"):
            verb()


def test_killed_in_the_middle_of_a_shard_only_the_rest_is_sent(lab: Lab) -> None:
    lab.customers(10_000)
    context = lab.context(lab.people(), lanes=1)
    plan_id, shards = planned(context)
    lab.faults({"status": 500, "times": 2, "after": 2})
    with pytest.raises(DestinationDownError):
        send_shard(context, plan_id, shards[0], "1")
    done = lab.stats()["people"]
    assert 0 < done < 10_000
    report = send_shard(context, plan_id, shards[0], "2")
    assert (report["earlier"], report["accepted"]) == (done, 10_000 - done)
    assert (lab.received(), commit(context, plan_id).accepted) == (10_000, 10_000)


def test_a_retry_of_the_same_run_resumes_its_open_plan(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id, _ = planned(context)
    lab.customers(5, start=20)
    assert make_plan(context).plan_id == plan_id
    assert run_sync(context).accepted == 20
    assert run_sync(context).accepted == 5


def test_rows_without_an_answer_are_unknown_until_a_later_try(lab: Lab) -> None:
    lab.customers(60)
    context = lab.context(lab.people(), track=lab.track(attempts=1, timeout=0.5))
    plan_id, shards = planned(context)
    lab.faults({"status": "timeout_after", "times": 1})
    with pytest.raises(UnknownOutcomeError, match="60 rows of shard 0"):
        send_shard(context, plan_id, shards[0], "1")
    report = commit(context, plan_id)
    assert (report.status, report.unknown, report.unsent) == ("partial", 60, 0)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.state") == [(0,)]
    assert send_shard(context, plan_id, shards[0], "2")["accepted"] == 60
    final = commit(context, plan_id)
    assert (final.status, final.accepted, final.unknown, lab.stats()["people"]) == ("sent", 60, 0, 60)


def test_a_wrong_key_ends_the_run_and_leaves_a_row(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id, shards = planned(context)
    lab.faults({"status": 401, "times": 5})
    with pytest.raises(AuthenticationError, match="Next step"):
        send_shard(context, plan_id, shards[0], "1")
    lab._sandbox("DELETE", "faults")
    assert commit(context, plan_id).unsent == 20
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 20


def test_a_plan_without_rows_commits_without_shards(lab: Lab) -> None:
    context = lab.context(lab.people(guards={"min_rows": 0}))
    plan_id, shards = planned(context)
    assert shards == []
    assert commit(context, plan_id).status == "nothing_to_send"
    assert runs(lab) == [("run-1", "nothing_to_send", 0, 0, 0, 0)]


def test_a_failed_unload_leaves_a_row_and_the_next_run_heals(lab: Lab) -> None:
    lab.customers(20)
    nowhere = Bucket(lab.s3_client, "s3://no-such-bucket/x", lab.bucket.iam_role)
    context = lab.context(lab.people(), bucket=nowhere)
    with pytest.raises(ContractError, match="'no-such-bucket' does not exist"):
        run_sync(context)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.plans") == [(0,)]
    made = make_plan(context)
    with pytest.raises(WarehouseError, match="Redshift failed"):
        unload(context, made.plan_id)
    assert [row[1] for row in runs(lab)] == ["unload_failed"]
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 20


def test_losing_the_lease_stops_the_sender_before_its_next_request(lab: Lab) -> None:
    lab.customers(30)
    context = lab.context(lab.people(), lease_seconds=0)
    plan_id, shards = planned(context)
    taken = threading.Event()

    class Thief(Bucket):
        def get(self, key: str) -> bytes:
            if not taken.is_set():
                taken.set()
                lab.expire_lease()
                Lease(lab.context(lab.people(), "thief", warehouse=lab.new_warehouse())).acquire()
            return super().get(key)

    robbed = lab.context(
        lab.people(), lease_seconds=0, bucket=Thief(lab.s3_client, lab.bucket.uri(""), lab.bucket.iam_role)
    )
    with pytest.raises(LeaseLostError, match="held by run thief"):
        send_shard(robbed, plan_id, shards[0], "1")
    assert lab.received() == 0
    with pytest.raises(LeaseLostError):
        commit(context, plan_id)


def test_two_runs_planning_at_once_do_not_both_get_the_lease(lab: Lab) -> None:
    lab.customers(5)
    make_plan(lab.context(lab.people()))
    lab.expire_lease()
    results: list[str] = []
    start = threading.Barrier(4)

    def take(number: int) -> None:
        context = lab.context(lab.people(), f"racer-{number}", warehouse=lab.new_warehouse())
        start.wait()
        try:
            Lease(context).acquire()
            results.append("held")
        except LeaseLostError:
            results.append("lost")

    threads = [threading.Thread(target=take, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["held", "lost", "lost", "lost"]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.leases") == [(1,)]


def test_frozen_plans_are_dropped_a_week_after_they_were_closed(lab: Lab) -> None:
    lab.customers(5)
    for number in range(3):
        lab.run(f"UPDATE cio_marts.customers SET orders = orders + {number}")
        run_sync(lab.context(lab.people(), f"run-{number}"))
    lab.run("UPDATE cio_sync.plans SET closed_at = DATEADD(day, -8, closed_at)")
    run_sync(lab.context(lab.people(), "last"))
    tables = lab.rows("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'changes%'")
    assert len(tables) == 1
    [(third,)] = lab.rows("SELECT plan_id FROM cio_sync.plans WHERE run_id = 'run-2'")
    assert {stored.key.split("/")[1] for stored in lab.bucket.listing("people/")} == {third}
    statuses = lab.rows("SELECT status, COUNT(*) FROM cio_sync.plans GROUP BY status ORDER BY status")
    assert statuses == [("closed", 1), ("committed", 1), ("dropped", 2)]
