"""A promotion's audience under a real scheduler, day by day: buyers leave it, a refund brings them back."""

from __future__ import annotations

import hashlib

import httpx
import pytest
import yaml

from airflow_provider_cio.sandbox.demo import audiences

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

PEOPLE = [f"p{number}" for number in range(10)]
SOURCES = (
    "CREATE TABLE source.people (customer_id VARCHAR(8), email VARCHAR(64), accepts_marketing BOOLEAN)",
    "CREATE TABLE source.sales (customer_id VARCHAR(8), day INTEGER, refunded_on INTEGER)",
    "CREATE TABLE source.today (day INTEGER)",
    "CREATE VIEW cio_marts.promo_people AS SELECT * FROM source.people WITH NO SCHEMA BINDING",
    """CREATE VIEW cio_marts.recent_buyers AS SELECT DISTINCT p.customer_id, p.email FROM source.people p
    JOIN source.sales s ON s.customer_id = p.customer_id CROSS JOIN source.today t WHERE s.day > t.day - 7
    AND (s.refunded_on IS NULL OR s.refunded_on > t.day) WITH NO SCHEMA BINDING""",
)


def _a_day(world, day: int) -> dict[str, set[str]]:
    """The Dag's run on that day; who is at each destination afterwards."""
    world.sql("DELETE FROM source.today")
    world.sql(f"INSERT INTO source.today VALUES ({day})")
    run_id = world.airflow.trigger("cio_audience_promo")
    path = f"/api/v2/dags/cio_audience_promo/dagRuns/{run_id}"
    ended = ("success", "failed")
    world.airflow.wait_for(lambda: world.airflow.get(path)["state"] in ended, f"day {day}", seconds=400)
    assert world.airflow.get(path)["state"] == "success"
    held = world.sql("SELECT COUNT(*) FROM cio_sync.audience_members WHERE state <> 'present'")
    assert held == [(0,)]
    return {
        name: {who for who in PEOPLE if {who, _hash(who)} & _there(world, place)}
        for name, place in _file(world)["destinations"].items()
    }


def _file(world) -> dict:
    return yaml.safe_load((world.dags / "audiences/promo.yaml").read_text())


def _hash(who: str) -> str:
    return hashlib.sha256(f"{who}@shop.example".encode()).hexdigest()


def _there(world, place: dict) -> set[str]:
    if place["type"] == "customerio":
        answer = httpx.get(
            f"{world.endpoints['customerio']['url']}/v1/segments/{place['audience']}/membership",
            headers={"Authorization": f"Bearer {world.endpoints['customerio']['app_api_key']}"},
            trust_env=False,
        )
        return {each["id"] for each in answer.json()["identifiers"]}
    url = world.endpoints["ads"][place["type"]]["url"]
    found = httpx.get(f"{url}/_sandbox/members/{place['audience']}", trust_env=False).json()
    return {value for values in found.values() for value in values}


def test_who_is_where_on_each_day(world):
    for statement in SOURCES:
        world.sql(statement)
    rows = ", ".join(f"('{who}', '{who}@shop.example', {who != 'p9'})" for who in PEOPLE)
    world.sql(f"INSERT INTO source.people VALUES {rows}")
    people = [
        {"type": "person", "action": "identify", "identifiers": {"id": who}, "attributes": {}}
        for who in PEOPLE
    ]
    customerio = world.endpoints["customerio"]
    httpx.post(
        f"{customerio['url']}/api/v2/batch",
        json={"batch": people},
        auth=(customerio["site_id"], customerio["track_api_key"]),
        trust_env=False,
    ).raise_for_status()
    audiences.set_connections(world.airflow, world.endpoints["ads"])
    audiences.make_places(world.endpoints, {"promo": _file(world)})
    world.airflow.wait_for_dag("cio_audience_promo")
    world.airflow.unpause("cio_audience_promo")

    first = _a_day(world, 1)
    drawn = world.sql(
        "SELECT member FROM cio_sync.holdout_assignments WHERE experiment = 'promo' AND held_out"
    )
    held_out = {member for (member,) in drawn}
    everybody = set(PEOPLE) - {"p9"} - held_out
    assert len(held_out) == 1
    assert first == dict.fromkeys(first, everybody)

    buyers = sorted(everybody)[:2]
    world.sql(f"INSERT INTO source.sales VALUES ('{buyers[0]}', 2, NULL), ('{buyers[1]}', 2, 4)")
    assert _a_day(world, 3) == dict.fromkeys(first, everybody - set(buyers))
    assert _a_day(world, 4) == dict.fromkeys(first, everybody - {buyers[0]})  # the refund
    assert _a_day(world, 9) == dict.fromkeys(first, everybody)  # the week is over
