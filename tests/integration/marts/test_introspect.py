"""`airflow cio introspect` proposes what models.yaml says, also of tables with other names."""

from __future__ import annotations

import pytest
import yaml

from airflow_provider_cio.core.models.proposal import propose
from airflow_provider_cio.engine.enrichment.sources import tables_of
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.sandbox.shop.tables import SCHEMA, TABLES, create_table

pytest_plugins = ("marts_lab",)


def test_the_sample_shop_is_proposed_as_it_is_mapped(enrichment):
    enrichment.warehouse.run(f"CREATE SCHEMA {SCHEMA}")
    for name in TABLES:
        enrichment.warehouse.run(create_table(name))
    proposed = yaml.safe_load(propose(SCHEMA, tables_of(enrichment.warehouse, SCHEMA)))
    mapped = {
        name: {"table": source.table, "columns": source.columns}
        for name, source in enrichment.models.sources.items()
    }
    assert proposed == {"sources": mapped}


def test_other_names_and_what_is_missing(enrichment):
    run = enrichment.warehouse.run
    run("CREATE SCHEMA raw")
    run("CREATE TABLE raw.users (id BIGINT, email_address VARCHAR(200), created_at TIMESTAMPTZ)")
    run(
        "CREATE TABLE raw.orders (id BIGINT, user_id BIGINT, created_at TIMESTAMPTZ, total_price REAL, shape SUPER)"
    )
    run(
        "CREATE TABLE raw.order_items (order_id BIGINT, id BIGINT, product_id VARCHAR(20), qty INTEGER, price REAL)"
    )
    text = propose("raw", tables_of(enrichment.warehouse, "raw"))
    assert yaml.safe_load(text)["sources"] == {
        "customers": {
            "table": "raw.users",
            "columns": {"customer_id": "id", "email": "email_address", "created_at": "created_at"},
        },
        "orders": {
            "table": "raw.orders",
            "columns": {
                "order_id": "id",
                "customer_id": "user_id",
                "ordered_at": "created_at",
                "total": "total_price",
            },
        },
        "order_lines": {
            "table": "raw.order_items",
            "columns": {
                "order_id": "order_id",
                "line_number": "id",
                "sku": "product_id",
                "quantity": "qty",
                "unit_price": "price",
            },
        },
    }
    assert "# tickets: no table found; without it: nobody is support-sensitive" in text
    assert "# discount: no column found; without it: discount sensitivity is 0" in text


def test_no_such_schema(enrichment):
    with pytest.raises(SourceError, match="There is no table in schema nowhere"):
        tables_of(enrichment.warehouse, "nowhere")
