"""Every exit policy and every guard beside the careless way that would have done damage, in one world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from sync_lab import ROLE, Lab, numbers

from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import GuardStoppedError, SourceError
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
from airflow_provider_cio.warehouse.objects import Bucket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_cio.core.contract import Sync
    from airflow_provider_cio.sandbox.redshift import LocalRedshift

TRACK = ("sandbox-site", "sandbox-track-key")
APP = {"Authorization": "Bearer sandbox-app-key"}
FLAG = {"set_flag": {"attribute": "is_gone"}}
OFF = {
    "min_rows": 0,
    "max_exit_pct": None,
    "max_drop_pct": None,
    "max_growth_pct": None,
    "max_unidentified_pct": 100,
}


@pytest.fixture(scope="module")
def lab(
    local_redshift: LocalRedshift, s3_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """One warehouse and one workspace; every test has people and a sync of its own."""
    folder = tmp_path_factory.mktemp("damage")
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3_server, **keys)
    client.create_bucket(Bucket="damage")
    local_redshift.create_database("damage")
    server = local_redshift
    dsn = {"host": server.host, "port": server.port, "user": server.user, "password": server.password}
    with CustomerIOSandbox(folder / "customerio", port=None) as customerio:
        bucket = Bucket(client, "s3://damage/staging", ROLE)
        world = Lab({**dsn, "database": "damage", "ssl": False}, bucket, client, customerio, folder)
        yield world
        for thing in world.closing:
            thing.close()


def sent(lab: Lab, name: str, count: int = 10, **changes: Any) -> Sync:
    """`count` people of a source of their own, sent by a first run; nobody is new to journeys."""
    lab.run(
        f"CREATE TABLE cio_marts.{name} AS SELECT '{name}-' || i AS customer_id, "
        f"'Name ' || i AS name, CAST(i AS INTEGER) AS orders FROM {numbers(count, 0)}"
    )
    sync = lab.people(
        name=name,
        source=f"cio_marts.{name}",
        attributes={"name": "name", "order_count": "orders"},
        **changes,
    )
    assert run_sync(lab.context(sync, f"{name}-1")).accepted == count
    return sync


def act(action: str, who: str, **rest: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": {"id": who}, **rest}


def attributes(lab: Lab, who: str) -> dict[str, Any] | None:
    """What Customer.io holds of somebody; None when they are not there."""
    answer = httpx.get(f"{lab.customerio.url}/_sandbox/people/{who}")
    return answer.json()["attributes"] if answer.status_code == 200 else None


def members(lab: Lab, segment: int) -> set[str]:
    return set(httpx.get(f"{lab.customerio.url}/v1/segments/{segment}/membership", headers=APP).json()["ids"])


def change_segment(lab: Lab, segment: int, how: str, *ids: str) -> None:
    url = f"{lab.customerio.url}/api/v1/segments/{segment}/{how}_customers"
    httpx.post(url, json={"ids": list(ids)}, auth=TRACK).raise_for_status()


def left(lab: Lab, name: str, on_exit: Any) -> tuple[Sync, str, str]:
    """A sync whose p3 left, to whom another writer had given a plan; and a stranger whom it never sent."""
    sync = sent(lab, name, on_exit=on_exit, guards={"max_exit_pct": 50})
    gone, stranger = f"{name}-3", f"{name}-stranger"
    lab.writer(
        act("identify", gone, attributes={"plan": "gold"}),
        act("identify", stranger, attributes={"plan": "silver"}),
    )
    lab.run(f"DELETE FROM cio_marts.{name} WHERE customer_id = '{gone}'")
    return sync, gone, stranger


def mirror(lab: Lab, action: str, *not_in_the_source: str) -> None:
    """The careless way: Customer.io shall be what the source is, whoever else is there."""
    lab.writer(*(act(action, who) for who in not_in_the_source))


def test_keep_where_a_mirror_deletes(lab: Lab) -> None:
    sync, gone, stranger = left(lab, "keep", "keep")
    assert run_sync(lab.context(sync, "keep-2")).sent == 0
    kept = attributes(lab, gone)
    assert kept is not None
    assert (kept["name"], kept["plan"]) == ("Name 3", "gold")
    mirror(lab, "delete", gone, stranger)
    assert (attributes(lab, gone), attributes(lab, stranger)) == (None, None)


def test_clear_attributes_where_emptying_the_profile_takes_what_others_wrote(lab: Lab) -> None:
    sync, gone, _ = left(lab, "cleared", "clear_attributes")
    run_sync(lab.context(sync, "cleared-2"))
    assert attributes(lab, gone) == {"plan": "gold"}
    emptied = dict.fromkeys(attributes(lab, gone) or {}, "")
    lab.writer(act("identify", gone, attributes=emptied))
    assert attributes(lab, gone) == {}


def test_set_flag_where_a_plain_identify_brings_back_who_was_forgotten(lab: Lab) -> None:
    sync, gone, _ = left(lab, "flagged", FLAG)
    lab.writer(act("delete", gone))
    assert run_sync(lab.context(sync, "flagged-2")).counts.exited == 1
    assert attributes(lab, gone) is None
    lab.writer(act("identify", gone, attributes={"is_gone": True}))
    assert attributes(lab, gone) == {"is_gone": True}


def test_leave_segment_where_replacing_the_list_drops_who_was_put_there_by_hand(lab: Lab) -> None:
    body = {"segment": {"name": "members"}}
    made = httpx.post(f"{lab.customerio.url}/v1/segments", json=body, headers=APP).json()
    segment = made["segment"]["id"]
    sync, gone, stranger = left(lab, "listed", {"leave_segment": {"id": segment}})
    change_segment(lab, segment, "add", gone, "listed-4", stranger)
    run_sync(lab.context(sync, "listed-2"))
    assert members(lab, segment) == {"listed-4", stranger}
    change_segment(lab, segment, "remove", *(members(lab, segment) - {"listed-4"}))
    assert members(lab, segment) == {"listed-4"}


@pytest.mark.parametrize("action", ["suppress", "delete"])
def test_suppress_and_delete_where_a_mirror_takes_strangers_along(lab: Lab, action: str) -> None:
    sync, gone, stranger = left(lab, f"{action}d", action)
    run_sync(lab.context(sync, f"{action}d-2"))
    assert (attributes(lab, gone), attributes(lab, stranger)) == (None, {"plan": "silver"})
    mirror(lab, action, stranger)
    assert attributes(lab, stranger) is None


LAST = {"name": "Name 9", "order_count": 9}
GUARDS: dict[str, tuple[int, dict[str, Any], str, str, dict[str, Any] | None]] = {
    "min_rows": (10, {"on_exit": "delete"}, "DELETE FROM {table}", "9", None),
    "max_exit_pct": (
        10,
        {"on_exit": "suppress", "guards": {"max_exit_pct": 20}},
        "DELETE FROM {table} WHERE orders > 5",
        "9",
        None,
    ),
    "max_drop_pct": (
        120,
        {"on_exit": "clear_attributes", "guards": {"max_exit_pct": None}},
        "DELETE FROM {table} WHERE orders < 60",
        "9",
        {},
    ),
    "max_growth_pct": (
        120,
        {},
        "INSERT INTO {table} SELECT customer_id || '-copy', name, orders FROM {table}",
        "9-copy",
        LAST,
    ),
    "max_change_pct": (
        10,
        {"guards": {"max_change_pct": 50}},
        "UPDATE {table} SET name = 'unknown'",
        "9",
        {**LAST, "name": "unknown"},
    ),
    "max_added": (
        10,
        {"guards": {"max_added": 12}},
        "INSERT INTO {table} SELECT customer_id || '-' || n, name, orders FROM {table}, digits WHERE n < 2",
        "9-1",
        LAST,
    ),
    "max_unidentified_pct": (
        10,
        {},
        "UPDATE {table} SET name = 'new', customer_id = CASE WHEN orders > 4 THEN ' ' ELSE customer_id END",
        "1",
        {"name": "new", "order_count": 1},
    ),
}
"""Rows, the sync, what breaks its source, and of whom a run without the guard makes what."""


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_stops_what_a_run_without_it_does(lab: Lab, guard: str) -> None:
    count, changes, broken, suffix, damaged = GUARDS[guard]
    sync = sent(lab, guard, count, **changes)
    who = f"{guard}-{suffix}"
    before, received = attributes(lab, who), lab.received()
    lab.run(broken.format(table=f"cio_marts.{guard}"))

    with pytest.raises(GuardStoppedError, match=guard) as told:
        run_sync(lab.context(sync, f"{guard}-2"))
    assert (lab.received(), attributes(lab, who)) == (received, before)
    said = told.value.next_step.split(f"`airflow cio let-through {guard} ")[1].split("`")[0]
    assert guard in said.split()

    careless = lab.people(
        **{**sync.model_dump(mode="json", exclude_unset=True), "guards": {**OFF, "max_added": None}}
    )
    run_sync(lab.context(careless, f"{guard}-3"))
    assert attributes(lab, who) == damaged != before


@pytest.mark.parametrize("columns", ["additive", "strict"])
def test_a_retyped_column_is_stopped_where_a_plain_send_changes_the_type(lab: Lab, columns: str) -> None:
    name = f"retyped_{columns}"
    sync = sent(lab, name, columns=columns)
    table, who = f"cio_marts.{name}", f"{name}-3"
    lab.run(f"ALTER TABLE {table} DROP COLUMN orders")
    lab.run(f"ALTER TABLE {table} ADD COLUMN orders VARCHAR(10) DEFAULT '3 orders'")
    with pytest.raises(SourceError, match="'orders' was integer and is text") as told:
        run_sync(lab.context(sync, f"{name}-2"))
    assert f"airflow cio let-through {name} column_retyped" in told.value.next_step
    assert (attributes(lab, who) or {})["order_count"] == 3
    lab.writer(act("identify", who, attributes={"order_count": "3 orders"}))
    assert (attributes(lab, who) or {})["order_count"] == "3 orders"
