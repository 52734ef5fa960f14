"""A real year of orders by the shipped sync: what Customer.io holds is what duckdb computes from the file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from airflow_provider_cio.core.contract_files import load_sync
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.selection import of_identifiers
from airflow_provider_cio.sandbox.shop import load

pytest_plugins = ("marts_lab", "sync_lab")

ROOT = Path(__file__).parents[3]
BESIDE = ROOT.parent / "shared" / "data" / "online_retail_ii_2009_2010.parquet"
REAL = Path(os.environ.get("CIO_ORDERS", BESIDE))
EXPECTED = """
WITH invoices AS (
    SELECT CAST(CAST("Customer ID" AS BIGINT) AS VARCHAR) AS customer, Invoice AS invoice,
           starts_with(Invoice, 'C') AS cancelled, round(sum(Price * Quantity), 2) AS value,
           min(CAST(InvoiceDate AS TIMESTAMP)) AS moment
    FROM '{file}' WHERE "Customer ID" IS NOT NULL AND NOT starts_with(Invoice, 'A') GROUP BY ALL
)
SELECT customer, count(*) FILTER (NOT cancelled) AS orders, count(*) FILTER (cancelled) AS refunds,
       coalesce(sum(value) FILTER (NOT cancelled), 0) AS gross, -coalesce(sum(value) FILTER (cancelled), 0) AS refunded,
       min(moment) FILTER (NOT cancelled) AS first, max(moment) FILTER (NOT cancelled) AS last
FROM invoices GROUP BY customer
"""


def sampled() -> list[tuple]:
    """Twenty customers by a hash: ten with a refund, ten without one."""
    expected = EXPECTED.format(file=REAL)
    return duckdb.sql(
        f"""SELECT * EXCLUDE (place) FROM (
            SELECT *, row_number() OVER (PARTITION BY refunds > 0 ORDER BY md5(customer)) AS place
            FROM ({expected}) WHERE orders > 0
        ) WHERE place <= 10 ORDER BY customer"""
    ).fetchall()


@pytest.mark.skipif(not REAL.is_file(), reason="no year of Online Retail II: name its file in CIO_ORDERS")
def test_twenty_customers_refunds_included(lab, shop_endpoints, enrichment, only_models):
    from airflow_provider_cio.engine.enrichment import run

    load(shop_endpoints, customers=0, orders=REAL)
    run(only_models(enrichment, "retention_customer_state"), datetime.now(UTC))
    twenty = sampled()
    assert len(twenty) == 20
    sync = load_sync(ROOT / "dags/syncs/customers.yaml")
    chosen = of_identifiers([row[0] for row in twenty], "row_key")
    assert run_sync(lab.context(sync, selection=chosen)).accepted == 20

    for customer, orders, refunds, gross, refunded, first, last in twenty:
        held = lab.person(customer)["attributes"]
        assert (held["lifetime_orders"], held.get("refunds", 0)) == (orders, refunds)
        assert held.get("refunded_value", 0) == pytest.approx(refunded, abs=0.02)
        assert held["lifetime_value"] == pytest.approx(gross - refunded, abs=0.02)
        moments = [int(moment.replace(tzinfo=UTC).timestamp()) for moment in (first, last)]
        assert [held["first_order_at"], held["last_order_at"]] == pytest.approx(moments, abs=3600)
