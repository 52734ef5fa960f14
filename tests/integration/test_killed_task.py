"""What becomes of the statement, the sender and the lease when Airflow tells a task to end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.stop import stop
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import LeaseLostError, StoppedError, WarehouseError

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

REMAINING = "SELECT DATEDIFF(second, GETDATE(), expires_at) FROM cio_sync.leases"


def until(condition: object) -> None:
    deadline = time.monotonic() + 60
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_statement_that_runs_is_cancelled(lab: Lab) -> None:
    lab.customers(5)
    context = lab.context(lab.people(), warehouse=lab.new_warehouse())
    lab.run("CREATE TABLE cio_marts.held (i INTEGER)")
    holder = lab.new_warehouse()
    release, locked = threading.Event(), threading.Event()

    def hold(session) -> None:
        session.run("LOCK TABLE cio_marts.held")
        locked.set()
        release.wait(60)

    holding = threading.Thread(target=holder.transaction, args=(hold,))
    holding.start()
    until(locked.is_set)
    failed: list[Exception] = []

    def wait_for_the_lock() -> None:
        try:
            context.warehouse.run("INSERT INTO cio_marts.held VALUES (1)")
        except WarehouseError as error:
            failed.append(error)

    make_plan(context)
    waiting = threading.Thread(target=wait_for_the_lock)
    waiting.start()
    blocked = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    until(lambda: lab.rows(blocked) != [(0,)])
    stop(context)
    waiting.join(60)
    release.set()
    holding.join(60)
    assert [error.message for error in failed] == ["The statement was cancelled in Redshift."]
    assert 0 < lab.rows(REMAINING)[0][0] <= 60


def test_a_stopped_sender_starts_no_further_request_and_does_not_prolong_its_lease(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people(), grace_seconds=0)
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    stop(context)
    with pytest.raises(StoppedError, match="told to end"):
        send_shard(context, plan_id, shard["shard"], "1")
    assert lab.received() == 0
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 20


def test_while_redshift_is_away_the_lease_that_was_taken_still_holds(lab: Lab) -> None:
    lab.customers(1)
    context = lab.context(lab.people(), warehouse=lab.new_warehouse())
    make_plan(context)
    lease = Lease(context).acquire()

    def away() -> None:
        raise OSError("no route")

    context.warehouse.close()
    context.warehouse._connect = away  # type: ignore[assignment]
    lease._until = time.monotonic() + 0.6 * context.lease_seconds
    lease.hold()
    lease._until = time.monotonic() + 0.4 * context.lease_seconds
    with pytest.raises(WarehouseError, match="No connection to Redshift"):
        lease.hold()


def test_a_thief_waits_for_the_lease_and_for_the_request_that_may_be_under_way(lab: Lab) -> None:
    lab.customers(1)
    make_plan(lab.context(lab.people(), lease_seconds=0, grace_seconds=30))
    with pytest.raises(LeaseLostError, match="held by run run-1"):
        make_plan(lab.context(lab.people(), "thief"))
    lab.run("UPDATE cio_sync.leases SET expires_at = DATEADD(second, -30, expires_at)")
    assert run_sync(lab.context(lab.people(), "thief")).accepted == 1
