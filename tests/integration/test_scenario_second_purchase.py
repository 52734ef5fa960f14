"""The second purchase push: ten days after a first cleanser order, never for gift cards, exactly once.

The view is a fixture; its `today` is a table, so that days pass at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload

if TYPE_CHECKING:
    from dag_lab import Dags
    from sync_lab import Lab

pytest_plugins = ("dag_lab",)

VIEW = """
CREATE VIEW cio_marts.second_purchase_due AS
SELECT first.customer_id, first.order_id AS first_order_id, DATEADD(day, 10, first.ordered_at) AS due_at
FROM cio_marts.shop_orders first CROSS JOIN cio_marts.today
WHERE first.order_number = 1 AND first.category = 'cleanser' AND NOT first.gift_card
  AND DATEADD(day, 10, first.ordered_at) <= today.day
  AND NOT EXISTS (
      SELECT 1 FROM cio_marts.shop_orders later
      WHERE later.customer_id = first.customer_id AND later.order_number > 1
        AND later.ordered_at <= DATEADD(day, 10, first.ordered_at)
  )
"""
SYNC: dict[str, Any] = {
    "kind": "events",
    "description": "Ten days after a first cleanser, nothing bought since",
    "owner": "retention",
    "source": "cio_marts.second_purchase_due",
    "identity": {"id": "customer_id"},
    "event": "Second Purchase Due",
    "key": "customer_id",
    "occurred_at": {"column": "due_at", "time_zone": "UTC"},
    "lookback": "36500d",
    "properties": {"first_order_id": "first_order_id"},
    "guards": {"min_rows": 0},
}


@pytest.fixture
def shop(lab: Lab) -> Lab:
    lab.run("CREATE TABLE cio_marts.today (day TIMESTAMP)")
    lab.run("INSERT INTO cio_marts.today VALUES ('2025-03-01')")
    lab.run(
        "CREATE TABLE cio_marts.shop_orders (order_id VARCHAR(20), customer_id VARCHAR(20), order_number INTEGER, "
        "category VARCHAR(20), gift_card BOOLEAN, ordered_at TIMESTAMP)"
    )
    lab.insert(
        "shop_orders",
        [
            "('o1', 'enters', 1, 'cleanser', FALSE, '2025-03-01 09:00:00')",
            "('o2', 'gift', 1, 'cleanser', TRUE, '2025-03-01 09:00:00')",
            "('o3', 'reordered', 1, 'cleanser', FALSE, '2025-03-01 09:00:00')",
            "('o4', 'serum', 1, 'serum', FALSE, '2025-03-01 09:00:00')",
            "('o5', 'later', 1, 'cleanser', FALSE, '2025-03-05 09:00:00')",
        ],
    )
    lab.run(VIEW)
    return lab


def day(lab: Lab, date: str) -> None:
    lab.run(f"UPDATE cio_marts.today SET day = '{date}'")


def entered(lab: Lab) -> list[tuple[str, str]]:
    """Who is in the journey, and on which order's account: one entry for each event."""
    people = sorted(who["id"] for who in lab._sandbox("GET", "people")["people"])
    return [(who, event["data"]["first_order_id"]) for who in people for event in lab.events_of(who)]


def test_who_enters_over_the_days_and_exactly_once(shop: Lab) -> None:
    sync = shop.events(**SYNC, name="second_purchase")
    arrived: dict[str, int] = {}
    for date in ("2025-03-05", "2025-03-10", "2025-03-11 08:59:00"):
        day(shop, date)
        arrived[date] = run_sync(shop.context(sync, date)).accepted
    assert arrived == {"2025-03-05": 0, "2025-03-10": 0, "2025-03-11 08:59:00": 0}
    shop.insert("shop_orders", ["('o6', 'reordered', 2, 'serum', FALSE, '2025-03-08 10:00:00')"])
    day(shop, "2025-03-11 12:00:00")
    assert run_sync(shop.context(sync, "11th")).accepted == 1
    assert run_sync(shop.context(sync, "11th")).accepted == 0
    assert run_sync(shop.context(sync, "11th again")).accepted == 0
    shop.insert("shop_orders", ["('o7', 'enters', 2, 'serum', FALSE, '2025-03-12 10:00:00')"])
    day(shop, "2025-03-16")
    assert run_sync(shop.context(sync, "16th")).accepted == 1
    assert entered(shop) == [("enters", "o1"), ("later", "o5")]


def test_cleared_tasks_send_nobody_twice(shop: Lab) -> None:
    day(shop, "2025-03-20")
    context = shop.context(shop.events(**SYNC, name="second_purchase"))
    plan_id = make_plan(context).plan_id
    [shard] = unload(context, plan_id)
    for attempt in ("1", "2"):
        send_shard(context, plan_id, shard["shard"], attempt)
    commit(context, plan_id)
    send_shard(context, plan_id, shard["shard"], "cleared")
    commit(context, plan_id)
    assert make_plan(context).counts.to_send == 0
    assert entered(shop) == [("enters", "o1"), ("later", "o5"), ("reordered", "o3")]


def test_a_dag_that_is_run_again_sends_nobody_twice(shop: Lab, dags: Dags) -> None:
    day(shop, "2025-03-11 12:00:00")
    contract = dags.folder / "contract.yaml"
    known = {
        "description": "Ten days after a first cleanser",
        "properties": {"first_order_id": {"type": "string"}},
    }
    contract.write_text(
        yaml.safe_dump(yaml.safe_load(contract.read_text()) | {"events": {SYNC["event"]: known}})
    )
    dags.sync("second_purchase", **SYNC)
    dag = dags.bag().dags["cio_sync_second_purchase"]
    first, again = dags.run(dag), dags.run(dag)
    assert (first.state, again.state) == ("success", "success")
    assert (first.xcom("commit")["accepted"], again.xcom("commit")["accepted"]) == (2, 0)
    assert entered(shop) == [("enters", "o1"), ("reordered", "o3")]
