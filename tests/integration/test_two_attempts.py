"""Two living attempts at one task: a worker that Airflow believes to be dead, and the one that it started instead."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from airflow_provider_cio.core.batching import Packer, bodies
from airflow_provider_cio.engine import lanes
from airflow_provider_cio.engine.attempts import Claim
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.plan import load, make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import LeaseLostError, RetriableError

if TYPE_CHECKING:
    from sync_lab import Lab

    from airflow_provider_cio.warehouse.session import Warehouse

pytest_plugins = ("sync_lab",)

REMAINING = "SELECT DATEDIFF(second, GETDATE(), expires_at) FROM cio_sync.leases"


class Stuck(httpx.HTTPTransport):
    """The network of a worker that hangs before its third request, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests == 3:
            self.hangs.set()
            assert self.let_go.wait(60)
        return super().handle_request(request)


@pytest.fixture(autouse=True)
def _small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "Packer", partial(Packer, 5000))
    monkeypatch.setattr(lanes, "bodies", partial(bodies, limit=5000))


@pytest.mark.parametrize("kind", ["people", "orders"])
def test_the_earlier_attempt_stops_before_its_next_request(lab: Lab, kind: str) -> None:
    lab.customers(400)
    lab.orders(400, people=400)
    sync = lab.people() if kind == "people" else lab.events()
    network = Stuck()
    first = lab.context(sync, track=lab.track(http=network), lease_seconds=0, lanes=1)
    second = lab.context(sync, warehouse=lab.new_warehouse(), lease_seconds=0)
    plan_id = make_plan(first).plan_id
    [shard] = [each["shard"] for each in unload(first, plan_id)]
    with ThreadPoolExecutor(1) as pool:
        earlier = pool.submit(send_shard, first, plan_id, shard, "1")
        assert network.hangs.wait(60)
        assert send_shard(second, plan_id, shard, "2")["accepted"] == 400
        network.let_go.set()
        with pytest.raises(LeaseLostError, match="taken over by a later attempt"):
            earlier.result(60)
    assert network.requests == 3
    report = commit(second, plan_id)
    assert (report.accepted, report.unknown, report.unsent) == (400, 0, 0)
    assert lab.stats()["people" if kind == "people" else "events"] == 400
    assert run_sync(lab.context(sync, "run-2")).counts.to_send == 0


def test_the_next_run_waits_for_a_sender_that_may_be_alive(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id = make_plan(context).plan_id
    [shard] = [each["shard"] for each in unload(context, plan_id)]
    cut_off = Claim(context.bucket, load(context, plan_id), shard, "1", every=0)
    cut_off.take()
    assert send_shard(context, plan_id, shard, "2")["accepted"] == 20
    assert commit(context, plan_id).accepted == 20
    assert 0 < lab.rows(REMAINING)[0][0] <= 70
    with pytest.raises(LeaseLostError, match="held by run run-1"):
        make_plan(lab.context(lab.people(), "run-2"))
    with pytest.raises(LeaseLostError, match="taken over"):
        cut_off.hold()


def test_a_sender_that_was_cut_off_from_the_start_stops_after_the_commit(lab: Lab) -> None:
    lab.customers(20)
    context = lab.context(lab.people())
    plan_id = make_plan(context).plan_id
    [shard] = [each["shard"] for each in unload(context, plan_id)]
    cut_off = Claim(context.bucket, load(context, plan_id), shard, "1", every=0)
    cut_off.take()
    cut_off.hold()
    assert commit(context, plan_id).unsent == 20
    with pytest.raises(LeaseLostError, match="taken over"):
        cut_off.hold()


def test_a_client_is_free_again_after_a_send(lab: Lab) -> None:
    """What it must hold before a request is the attempt's; a check of the connection comes before any."""
    lab.customers(20)
    context = lab.context(lab.people(), lease_seconds=0)
    assert run_sync(context).accepted == 20
    assert context.track is not None
    assert context.track.region()["environment_id"]


def test_two_living_commits_of_a_plan_keep_one_set_of_books(lab: Lab) -> None:
    """Such as of a worker that Airflow believes to be dead: whichever fails says that it may be run again."""
    lab.customers(60)
    context = lab.context(lab.people())
    plan_id = make_plan(context).plan_id
    for shard in unload(context, plan_id):
        send_shard(context, plan_id, shard["shard"], "1")
    together = threading.Barrier(3)

    def commit_too(warehouse: Warehouse) -> int:
        own = lab.context(lab.people(), warehouse=warehouse)
        together.wait(60)
        try:
            return commit(own, plan_id).accepted
        except RetriableError:
            return 60

    warehouses = [lab.new_warehouse() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(commit_too, warehouses)) == [60, 60, 60]
    assert commit(context, plan_id).accepted == 60
    assert lab.rows("SELECT COUNT(*), COUNT(DISTINCT row_key) FROM cio_sync.state") == [(60, 60)]
    assert lab.rows("SELECT accepted, unsent FROM cio_sync.runs") == [(60, 0)]
    assert run_sync(lab.context(lab.people(), "run-2")).counts.to_send == 0
