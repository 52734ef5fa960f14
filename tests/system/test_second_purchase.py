"""The second purchase push under a real scheduler: days pass, the Dag is cleared, and run again."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
SYNC = "second_purchase"
DAYS = "CREATE TABLE source.push_day AS SELECT CAST('2025-03-01' AS TIMESTAMP) AS day"
TABLE = """
CREATE TABLE source.shop_orders (order_id VARCHAR(20), customer_id VARCHAR(20), order_number INTEGER,
category VARCHAR(20), gift_card BOOLEAN, ordered_at TIMESTAMP)
"""
VIEW = """
CREATE VIEW cio_marts.second_purchase AS
SELECT first.customer_id, first.order_id AS first_order_id, DATEADD(day, 10, first.ordered_at) AS due_at
FROM source.shop_orders first CROSS JOIN source.push_day
WHERE first.order_number = 1 AND first.category = 'cleanser' AND NOT first.gift_card
  AND DATEADD(day, 10, first.ordered_at) <= push_day.day
  AND NOT EXISTS (
      SELECT 1 FROM source.shop_orders later
      WHERE later.customer_id = first.customer_id AND later.order_number > 1
        AND later.ordered_at <= DATEADD(day, 10, first.ordered_at)
  )
WITH NO SCHEMA BINDING
"""
ORDERS = """
INSERT INTO source.shop_orders VALUES
('o1', 'enters', 1, 'cleanser', FALSE, '2025-03-01 09:00:00'),
('o2', 'gift', 1, 'cleanser', TRUE, '2025-03-01 09:00:00'),
('o3', 'reordered', 1, 'cleanser', FALSE, '2025-03-01 09:00:00'),
('o4', 'reordered', 2, 'serum', FALSE, '2025-03-08 10:00:00'),
('o5', 'serum', 1, 'serum', FALSE, '2025-03-01 09:00:00'),
('o6', 'later', 1, 'cleanser', FALSE, '2025-03-05 09:00:00')
"""


def entered(world) -> list[tuple[str, str]]:
    """The first orders on whose account somebody is in the journey, and the events' ids."""
    events = world.control("GET", "events")["events"]
    return sorted(
        (event["data"]["first_order_id"], event["id"])
        for event in events
        if event["name"] == "Second Purchase Due"
    )


def on(world, day: str) -> dict:
    """A run on that day."""
    world.sql(f"UPDATE source.push_day SET day = '{day}'")
    run = world.run(SYNC)
    assert run["state"] == "success", world.tasks(run)
    return run


def test_who_enters_exactly_once_also_when_the_dag_is_cleared_and_run_again(world):
    for statement in ("DROP VIEW cio_marts.second_purchase", DAYS, TABLE, VIEW, ORDERS):
        world.sql(statement)
    on(world, "2025-03-10 12:00:00")
    assert entered(world) == []  # nobody's ten days are over

    run = on(world, "2025-03-11 12:00:00")
    assert [order for order, _ in entered(world)] == ["o1"]  # no gift card, nobody who has ordered again

    before = entered(world)
    clear = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/clear"
    world.airflow.call("POST", clear, json={"dry_run": False})
    assert world.ended(SYNC, run["dag_run_id"])["state"] == "success"
    on(world, "2025-03-11 18:00:00")
    assert entered(world) == before

    on(world, "2025-03-16 12:00:00")
    assert [order for order, _ in entered(world)] == ["o1", "o6"]
    assert world.sql(f"SELECT COUNT(*) FROM cio_sync.state__{SYNC}") == [(2,)]
