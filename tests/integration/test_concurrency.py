from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest
import redshift_connector

from airflow_provider_cio.core.batching import Packer, bodies
from airflow_provider_cio.engine import lanes, send
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import WarehouseError
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.state import ensure_tables

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)


def test_syncs_that_run_for_the_first_time_together_all_arrive(lab: Lab) -> None:
    lab.customers(40)
    names = ["one", "two", "three"]

    def run(name: str) -> int:
        return run_sync(
            lab.context(lab.people(name=name), f"run-{name}", warehouse=lab.new_warehouse())
        ).accepted

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, names)) == [40, 40, 40]
    assert lab.rows("SELECT sync, COUNT(*) FROM cio_sync.state GROUP BY sync ORDER BY sync") == [
        ("one", 40),
        ("three", 40),
        ("two", 40),
    ]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.runs") == [(3,)]


def test_shards_of_one_run_are_sent_side_by_side(lab: Lab) -> None:
    lab.customers(400)
    sync = lab.people(rows_per_shard=50)
    context = lab.context(sync)
    plan = make_plan(context)
    shards = [shard["shard"] for shard in unload(context, plan.plan_id)]

    def send_one(shard: int) -> int:
        own = lab.context(sync, warehouse=lab.new_warehouse(), track=lab.track())
        return send_shard(own, plan.plan_id, shard, "1")["accepted"]

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(send_one, shards)) == 400
    assert (commit(context, plan.plan_id).accepted, lab.received()) == (400, 400)


def test_a_conflict_runs_the_transaction_again_and_gives_up_in_the_end(lab: Lab) -> None:
    ensure_tables(lab.warehouse)
    warehouse = Warehouse(lambda: redshift_connector.connect(**lab.dsn), attempts=3)
    lab.closing.append(warehouse)
    other = lab.new_warehouse()
    tries: list[int] = []

    def disturbed(session: Session, times: int) -> None:
        tries.append(1)
        session.fetch("SELECT COUNT(*) FROM cio_sync.leases")
        if len(tries) <= times:
            other.run("UPDATE cio_sync.leases SET holder = holder || 'x'")
        session.run("UPDATE cio_sync.leases SET holder = 'mine'")

    lab.run("INSERT INTO cio_sync.leases VALUES ('s', 'h', GETDATE(), GETDATE())")
    warehouse.transaction(lambda session: disturbed(session, 1))
    assert len(tries) == 2
    assert lab.rows("SELECT holder FROM cio_sync.leases") == [("mine",)]
    tries.clear()
    with pytest.raises(WarehouseError, match="1023"):
        warehouse.transaction(lambda session: disturbed(session, 99))
    assert len(tries) == 3


def test_what_the_lanes_leave_over_fills_bodies_together(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are as many as the bytes need, whatever the number of lanes, and nobody is in two at once."""
    limit = 5000
    monkeypatch.setattr(send, "ROWS_PER_LANE", 10)
    monkeypatch.setattr(lanes, "Packer", partial(Packer, limit))
    monkeypatch.setattr(lanes, "bodies", partial(bodies, limit=limit))
    monkeypatch.setattr(lanes, "ROOM", limit - 16)
    lab.orders(400, people=40)
    track = lab.track()
    sizes: list[int] = []
    real = track.send_batch
    monkeypatch.setattr(
        track, "send_batch", lambda body, count: (sizes.append(len(body)), real(body, count))[1]
    )
    report = run_sync(lab.context(lab.events(), track=track, lanes=8))
    assert (report.accepted, lab.received()) == (400, 400)
    items = sum(sizes) - len(sizes) * len('{"batch":[]}')
    assert report.requests == len(sizes) <= 1.05 * math.ceil(items / limit) + 1
    for person in ("c0", "c17"):
        times = [event["timestamp"] for event in lab.events_of(person)]
        assert len(times) == 10


def test_a_shard_that_does_not_fit_into_memory_is_read_in_parts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a part leaves over fills bodies with the next one."""
    monkeypatch.setattr(send, "ROWS_IN_MEMORY", 100)
    lab.orders(400, people=40)
    context = lab.context(lab.events())
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    report = send_shard(context, plan_id, shard["shard"], "1")
    assert (report["rows"], report["accepted"], report["requests"]) == (400, 400, 1)
    again = send_shard(context, plan_id, shard["shard"], "2")
    assert (again["rows"], again["earlier"], again["requests"]) == (400, 400, 0)
    for person in ("c0", "c17"):
        times = [event["timestamp"] for event in lab.events_of(person)]
        assert (len(times), times) == (10, sorted(times))
