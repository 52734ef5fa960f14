"""A build over little, over changed tables, and what it does for readers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.core.models.settings import Models
from airflow_provider_cio.engine.enrichment import (
    EnrichmentContext,
    build_model,
    create_views,
    publish,
    run,
    start,
)
from airflow_provider_cio.exceptions import FatalError, SourceError
from airflow_provider_cio.warehouse.session import Warehouse

pytest_plugins = ("marts_lab",)
AS_OF = datetime(2026, 3, 2, tzinfo=UTC)
LEAST: dict[str, Any] = {
    "business": {"currency": "EUR"},
    "sources": {
        "customers": {"table": "raw.users", "columns": {"customer_id": "id"}},
        "orders": {
            "table": "raw.sales",
            "columns": {"order_id": "id", "customer_id": "user", "ordered_at": "at", "total": "total"},
        },
    },
    "vip": [{"version": "1", "since": "2026-01-01", "change": "first", "tiers": {"gold": 10}}],
}


@pytest.fixture
def least(enrichment: EnrichmentContext) -> EnrichmentContext:
    """A shop that has customers and orders, with columns that are needed, and nothing else."""
    statements = (
        "CREATE SCHEMA raw",
        "CREATE TABLE raw.users (id BIGINT)",
        'CREATE TABLE raw.sales (id BIGINT, "user" BIGINT, at TIMESTAMPTZ, total REAL)',
        "INSERT INTO raw.users VALUES (1), (2)",
        "INSERT INTO raw.sales VALUES (7, 1, '2026-03-01 23:30:00-02', 12.5), (8, 1, '2026-02-01 12:00:00+00', 1)",
    )
    for statement in statements:
        enrichment.warehouse.run(statement)
    return EnrichmentContext(Models.model_validate(LEAST), enrichment.folder, enrichment.warehouse)


def test_customers_and_orders_are_enough(least: EnrichmentContext) -> None:
    rows = run(least, AS_OF)
    assert (rows["stg_customers"], rows["stg_orders"]) == (2, 1)
    assert (rows["paid_lines"], rows["stg_carts"], rows["cart_high_intent"], rows["stg_tickets"]) == (
        0,
        0,
        0,
        0,
    )
    assert least.warehouse.fetch(
        "SELECT customer_id, last_order_at, lifetime_value, lifetime_margin, vip_tier, gross_margin_bucket, hero_sku "
        "FROM cio_marts.retention_customer_state ORDER BY 1"
    ) == [
        ("1", datetime(2026, 2, 1, 12), 1, None, "none", "unknown", None),
        ("2", None, 0, 0, "none", "unknown", None),
    ]
    run(
        least, datetime(2026, 3, 2, 1, 30, 1, tzinfo=UTC)
    )  # with a zone: half past eleven minus two hours behind
    assert least.warehouse.fetch(
        "SELECT last_order_at, lifetime_value, vip_tier FROM cio_marts.retention_customer_state WHERE customer_id = '1'"
    ) == [(datetime(2026, 3, 2, 1, 30), 13.5, "gold")]


def test_a_retyped_column_and_a_lost_table_stop_the_build_by_name(least: EnrichmentContext) -> None:
    run(least, AS_OF)
    before = least.warehouse.fetch("SELECT * FROM cio_marts.retention_customer_state ORDER BY 1")
    least.warehouse.run("DROP TABLE raw.users")
    least.warehouse.run("ALTER TABLE raw.sales DROP COLUMN total")
    least.warehouse.run("ALTER TABLE raw.sales ADD COLUMN total VARCHAR(20)")
    with pytest.raises(SourceError) as told:
        run(least, datetime(2026, 3, 3, tzinfo=UTC))
    assert 'sources.customers: Redshift: relation "raw.users" does not exist' in str(told.value)
    assert "sources.orders.columns.total: raw.sales: total is text, not decimal, float, integer" in str(
        told.value
    )
    assert "What is public stays as it was." in str(told.value)
    assert least.warehouse.fetch("SELECT * FROM cio_marts.retention_customer_state ORDER BY 1") == before


def test_an_order_without_a_rate_is_not_published(least: EnrichmentContext) -> None:
    least.warehouse.run("ALTER TABLE raw.sales ADD COLUMN currency VARCHAR(3)")
    least.warehouse.run("UPDATE raw.sales SET currency = 'USD' WHERE id = 8")
    mapping = {**LEAST["sources"]["orders"]["columns"], "currency": "currency"}
    changed = LEAST | {"sources": LEAST["sources"] | {"orders": {"table": "raw.sales", "columns": mapping}}}
    ctx = EnrichmentContext(Models.model_validate(changed), least.folder, least.warehouse)
    with pytest.raises(SourceError, match=r"paid_orders__currency_without_a_rate\.sql returns 1 bad rows"):
        run(ctx, AS_OF)


def test_a_public_build_is_not_made_again_under_its_readers(
    least: EnrichmentContext, only_models: Any
) -> None:
    ctx = only_models(least, "stg_customers")
    build = start(ctx, AS_OF)
    build_model(ctx, build, "stg_customers")
    least.warehouse.run("INSERT INTO raw.users VALUES (3)")
    assert build_model(ctx, build, "stg_customers") == 3  # a task that is tried again
    assert publish(ctx, build)
    with pytest.raises(FatalError, match="is public: nothing is made again"):
        build_model(ctx, build, "stg_customers")


class Watched:
    """A connection that remembers what each of its transactions ran."""

    def __init__(self, connection: Any, transactions: list[list[str]]) -> None:
        self._connection, self._transactions = connection, transactions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        cursor, transactions = self._connection.cursor(), self._transactions
        execute = cursor.execute

        def remembering(sql: str) -> Any:
            transactions[-1].append(sql)
            return execute(sql)

        cursor.execute = remembering
        return cursor

    def commit(self) -> None:
        self._connection.commit()
        self._transactions.append([])


@pytest.fixture
def watched(redshift_dsn: dict[str, Any]) -> Iterator[tuple[Warehouse, list[list[str]]]]:
    transactions: list[list[str]] = [[]]
    warehouse = Warehouse(lambda: Watched(redshift_connector.connect(**redshift_dsn), transactions))  # type: ignore[arg-type,return-value]
    yield warehouse, transactions
    warehouse.close()


def test_all_views_and_their_grants_change_over_in_one_transaction(
    least: EnrichmentContext, only_models: Any, watched: tuple[Warehouse, list[list[str]]]
) -> None:
    warehouse, transactions = watched
    models = Models.model_validate(LEAST | {"grants": ["reporting", "GROUP analysts"]})
    ctx = only_models(EnrichmentContext(models, least.folder, warehouse), "recent_purchasers")
    for day in (2, 3):
        transactions[:] = [[]]
        run(ctx, datetime(2026, 3, day, tzinfo=UTC))
        (change,) = [
            ran
            for ran in transactions
            if any(sql.startswith("DROP VIEW IF EXISTS cio_") for sql in ran if "__" not in sql)
        ]
        for name, model in ctx.folder.models.items():
            public = ctx.public(model)
            steps = [sql for sql in change if f" {public} " in f"{sql} ".replace(",", " ")]
            assert [sql.split()[0] for sql in steps] == ["DROP", "CREATE", "GRANT", "GRANT"], name
            assert [sql.split(" TO ")[1] for sql in steps[2:]] == ["reporting", "GROUP analysts"]
        assert any(
            "GRANT USAGE ON SCHEMA cio_staging, cio_marts, cio_build TO reporting" in sql for sql in change
        )


def test_models_that_are_made_at_the_same_time_do_not_undo_each_other(
    least: EnrichmentContext, only_models: Any, redshift_dsn: dict[str, Any]
) -> None:
    """Redshift locks whole tables: the ledger must not be part of a long transaction."""
    names = ("ltv_cohorts", "rfm_scores", "product_facts")
    ctx = only_models(least, *names)
    build = start(ctx, AS_OF)
    create_views(ctx, build)
    for name in ("stg_customers", "stg_orders", "paid_orders", "paid_lines"):
        build_model(ctx, build, name)

    def make(name: str) -> int:
        own = Warehouse(lambda: redshift_connector.connect(**redshift_dsn), attempts=3)
        try:
            return build_model(EnrichmentContext(ctx.models, ctx.folder, own), build, name)
        finally:
            own.close()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(make, names)) == [1, 1, 0]
    assert publish(ctx, build)
