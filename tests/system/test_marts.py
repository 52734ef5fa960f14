"""The marts under a real scheduler: a refund arrives late, and a definition changes between two builds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
SOURCES = (
    "CREATE TABLE source.tier_customers (customer_id VARCHAR(9), email VARCHAR(64), created_at TIMESTAMP)",
    """CREATE TABLE source.tier_orders (order_id VARCHAR(9), customer_id VARCHAR(9), ordered_at TIMESTAMP,
    total DECIMAL(12, 2))""",
    """CREATE TABLE source.tier_refunds (refund_id VARCHAR(9), order_id VARCHAR(9), refunded_at TIMESTAMP,
    amount DECIMAL(12, 2))""",
    """INSERT INTO source.tier_customers VALUES ('Ann', 'ann@example.com', '2026-02-01'),
    ('Ben', 'ben@example.com', '2026-02-01'), ('Cat', 'cat@example.com', '2026-02-01')""",
    """INSERT INTO source.tier_orders VALUES ('O1', 'Ann', '2026-03-01 10:00:00', 80),
    ('O2', 'Ben', '2026-03-01 10:00:00', 50), ('O3', 'Cat', '2026-03-01 10:00:00', 20)""",
)
TIERS_NOW = """
SELECT customer_id, vip_tier, vip_definition_version FROM tier_marts.vip_tier_history WHERE valid_to IS NULL ORDER BY 1
"""


def test_a_late_refund_and_another_definition_correct_what_they_belong_to(world):
    airflow = world.airflow
    for statement in SOURCES:
        world.sql(statement)
    airflow.wait_for_dag("cio_enrichment")
    airflow.unpause("cio_enrichment")

    def built(day: int) -> set[str]:
        """Build at noon of that day of March; who is told to have bought lately."""
        run = world.build_marts(datetime(2026, 3, day, 12, tzinfo=UTC))
        assert run["state"] == "success", world.tasks(run)
        return {row[0] for row in world.sql("SELECT customer_id FROM tier_marts.recent_purchasers")}

    assert built(2) == {"Ann", "Ben", "Cat"}
    assert world.sql(TIERS_NOW) == [("Ann", "gold", "a"), ("Ben", "none", "a"), ("Cat", "none", "a")]

    # Of the day before the first build, and not there then.
    world.sql("INSERT INTO source.tier_refunds VALUES ('R1', 'O1', '2026-03-01 18:00:00', 80)")
    later = {"version": "b", "since": "2026-03-04", "change": "gold from 50", "tiers": {"gold": 50}}
    world.define(
        vip=[{"version": "a", "since": "2026-01-01", "change": "first", "tiers": {"gold": 70}}, later]
    )
    assert built(5) == {"Ben", "Cat"}
    assert world.sql(
        "SELECT customer_id, vip_tier, vip_definition_version, TO_CHAR(valid_from, 'MM-DD HH24') "
        "FROM tier_marts.vip_tier_history ORDER BY customer_id, valid_from"
    ) == [
        ("Ann", "none", "a", "02-01 00"),
        ("Ann", "gold", "a", "03-01 10"),
        ("Ann", "none", "a", "03-01 18"),
        ("Ann", "none", "b", "03-04 00"),
        ("Ben", "none", "a", "02-01 00"),
        ("Ben", "gold", "b", "03-04 00"),
        ("Cat", "none", "a", "02-01 00"),
        ("Cat", "none", "b", "03-04 00"),
    ]
    changelog = world.sql("SELECT version, change FROM tier_marts.model_changelog ORDER BY holds_since")
    assert changelog == [("a", "first"), ("b", "gold from 50")]
