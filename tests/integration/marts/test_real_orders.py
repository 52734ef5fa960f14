"""A real year: the state of every customer, against a second computation from the file."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from airflow_provider_cio.sandbox.shop import load

pytest_plugins = ("marts_lab",)
LONDON = ZoneInfo("Europe/London")
AS_OF = [
    datetime(2010, 3, 28, 0, 30, tzinfo=UTC),  # half an hour before the clocks go forward
    datetime(2010, 7, 31, 23, 30, tzinfo=UTC),  # in London it is August already
    datetime(2010, 12, 10, 12, 0, tzinfo=UTC),
]
PENNY, BASIS_POINT = Decimal("0.01"), Decimal("0.0001")


def _file() -> Path | None:
    beside = Path(__file__).parents[4] / "shared/data/online_retail_ii_2009_2010.parquet"
    named = Path(os.environ.get("CIO_ORDERS", beside))
    return named if named.is_file() else None


REAL = _file()
pytestmark = pytest.mark.skipif(
    REAL is None, reason="no year of Online Retail II: name its file in CIO_ORDERS"
)


def utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=LONDON).astimezone(UTC).replace(tzinfo=None)


class Year:
    """What the file says, invoice by invoice."""

    def __init__(self, file: Path) -> None:
        lines = f"""
            (SELECT Invoice AS invoice, CAST(CAST("Customer ID" AS BIGINT) AS VARCHAR) AS customer,
                trim(StockCode) AS sku, Quantity AS quantity, CAST(Price AS DECIMAL(12, 4)) AS price,
                CAST(InvoiceDate AS TIMESTAMP) AS moment, Country AS country
            FROM '{file}')
        """
        invoices = duckdb.sql(
            f"SELECT invoice, min(customer), min(moment), sum(quantity * price) FROM {lines} "
            "WHERE invoice NOT LIKE 'A%' GROUP BY invoice"
        ).fetchall()
        self.orders: list[tuple[str, str, datetime, date, Decimal]] = []
        self.refunds: list[tuple[str, datetime, Decimal]] = []
        owner: dict[str, tuple[str, datetime, date]] = {}
        for invoice, customer, moment, amount in invoices:
            if customer is None:
                continue
            rounded = Decimal(amount).quantize(PENNY, ROUND_HALF_EVEN)
            if invoice.startswith("C"):
                self.refunds.append((customer, utc(moment), -rounded))
            else:
                owner[invoice] = (customer, utc(moment), moment.date())
                self.orders.append((invoice, customer, utc(moment), moment.date(), rounded))
        self.accounts = {
            customer: (utc(moment), country)
            for customer, moment, country in duckdb.sql(
                "SELECT customer, min(moment), arg_max(country, {'at': moment, 'invoice': invoice}) "
                f"FROM {lines} WHERE customer IS NOT NULL GROUP BY customer"
            ).fetchall()
        }
        bought = duckdb.sql(
            f"SELECT invoice, sku, sum(quantity), sum(quantity * price), bool_or(quantity > 0) FROM {lines} "
            "WHERE invoice NOT LIKE 'C%' AND invoice NOT LIKE 'A%' AND sku IS NOT NULL GROUP BY invoice, sku"
        ).fetchall()
        self.lines = [(*owner[row[0]], *row[1:]) for row in bought if row[0] in owner]

    def state(self, as_of: datetime) -> dict[str, dict[str, Any]]:
        """By customer: every column of the mart; this file knows no names, no visits, no messages."""
        now, today = as_of.replace(tzinfo=None), as_of.astimezone(LONDON).date()
        lapsed = (as_of.astimezone(LONDON) - timedelta(days=90)).astimezone(UTC).replace(tzinfo=None)
        orders: dict[str, list[tuple[datetime, date, Decimal]]] = defaultdict(list)
        for _, customer, moment, day, total in self.orders:
            if moment < now:
                orders[customer].append((moment, day, total))
        refunds: dict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
        for customer, moment, amount in self.refunds:
            if moment < now:
                refunds[customer].append((moment, amount))
        days = {customer: sorted({day for _, day, _ in found}) for customer, found in orders.items()}
        repeat = [found for found in days.values() if len(found) > 1]
        usual = ceil(Fraction(sum((d[-1] - d[0]).days for d in repeat), sum(len(d) - 1 for d in repeat)))
        heroes, due = self._products(now, today)
        return {
            customer: self._one(
                orders.get(customer, []),
                refunds.get(customer, []),
                days.get(customer, []),
                (today, lapsed, usual),
                heroes.get(customer),
                due.get(customer),
            )
            | {"customer_id": customer, "created_at": created, "country": country}
            | dict.fromkeys(NOT_TOLD)
            for customer, (created, country) in self.accounts.items()
            if created < now
        }

    def _products(self, now: datetime, today: date) -> tuple[dict[str, str], dict[str, date]]:
        totals: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
        seen: dict[tuple[str, str], set[date]] = defaultdict(set)
        for customer, moment, day, sku, quantity, value, positive in self.lines:
            if moment < now:
                totals[customer, sku][0] += quantity
                totals[customer, sku][1] += value
                if positive:
                    seen[customer, sku].add(day)
        best: dict[str, tuple[Any, ...]] = {}
        for (customer, sku), (quantity, value) in totals.items():
            rank = (-quantity, -value, sku)
            best[customer] = min(best.get(customer, rank), rank)
        gaps: dict[str, list[int]] = defaultdict(list)
        for (_, sku), found in seen.items():
            ordered = sorted(found)
            gaps[sku] += [(b - a).days for a, b in itertools.pairwise(ordered)]
        due: dict[str, date] = {}
        for (customer, sku), found in seen.items():
            cycle = ceil(median(gaps[sku])) if len(gaps[sku]) >= 5 else 60
            on = max(found) + timedelta(days=cycle)
            if today - timedelta(days=30) < on <= today + timedelta(days=7):
                due[customer] = min(due.get(customer, on), on)
        return {customer: rank[2] for customer, rank in best.items()}, due

    def _one(
        self,
        orders: list[tuple[datetime, date, Decimal]],
        refunds: list[tuple[datetime, Decimal]],
        days: list[date],
        at: tuple[Any, ...],
        hero: str | None,
        due: date | None,
    ) -> dict[str, Any]:
        today, lapsed, usual = at
        count, gross = len(orders), sum((total for *_, total in orders), Decimal(0))
        back = sum((amount for _, amount in refunds), Decimal(0))
        value = gross - back
        last = max((moment for moment, *_ in orders), default=None)
        gap = ceil(Fraction((days[-1] - days[0]).days, len(days) - 1)) if len(days) > 1 else usual
        return {
            "first_order_at": min((moment for moment, *_ in orders), default=None),
            "last_order_at": last,
            "last_paid_order_at": last,
            "order_state": "paid" if orders else "none",
            "lifetime_orders": count,
            "lifetime_value": value,
            "lifetime_margin": None if orders else -back,
            "average_order_value": (gross / count).quantize(PENNY, ROUND_HALF_UP) if orders else None,
            "days_since_last_order": (today - days[-1]).days if days else None,
            "refunds": len(refunds),
            "refunded_value": back,
            "last_refund_at": max((moment for moment, _ in refunds), default=None),
            "chargebacks": 0,
            "return_rate": Decimal(0).quantize(BASIS_POINT) if orders else None,
            "subscription_state": "none",
            "hero_sku": hero,
            "affinity_version": "1",
            "is_first_time_buyer": count == 1,
            "is_repeat_buyer": count > 1,
            "vip_tier": "gold" if value >= 1000 else "silver" if value >= 300 else "none",
            "vip_definition_version": "2026-01",
            "is_reactivation_eligible": count >= 2 and last is not None and last < lapsed,
            "needs_replenishment": due is not None,
            "next_replenishment_on": due,
            "discount_eligibility": "eligible" if count < 2 else "not_needed",
            "gross_margin_bucket": "unknown",
            "discount_sensitivity": 0,
            "predicted_next_purchase_date": days[-1] + timedelta(days=gap) if days else None,
        }


MART = "SELECT * FROM cio_marts.retention_customer_state"
NOT_TOLD = (
    "email",
    "first_name",
    "last_name",
    "accepts_marketing",
    "primary_category",
    "category_affinity",
    "last_session_at",
    "last_ticket_at",
    "last_message_ts",
    "engagement",
)
"""Null for everybody: the file has none of this."""


@pytest.fixture(scope="module")
def year() -> Year:
    assert REAL is not None
    return Year(REAL)


def test_the_state_of_every_customer_at_three_moments(year, redshift_dsn, s3, build_marts, enrichment):
    redshift = {name: value for name, value in redshift_dsn.items() if name != "ssl"}
    load(
        {"redshift": redshift, "s3": {"endpoint_url": s3.endpoint, "bucket": s3.bucket}},
        customers=0,
        orders=REAL,
    )
    findings = dict(enrichment.warehouse.fetch("SELECT finding, rows FROM shop.load_findings"))
    assert findings["lines"] == 525_461  # published
    for as_of in AS_OF:
        build_marts(as_of)
        columns = [
            name for name, _ in enrichment.warehouse.transaction(lambda s: s.describe(f"{MART} LIMIT 0"))
        ]
        rows = [dict(zip(columns, row, strict=True)) for row in enrichment.warehouse.fetch(MART)]
        found = {row["customer_id"]: row for row in rows}
        expected = year.state(as_of)
        assert len(rows) == len(found)
        assert found.keys() == expected.keys()
        for name in columns:
            differ = [
                (customer, found[customer][name], expected[customer][name])
                for customer in expected
                if found[customer][name] != expected[customer][name]
            ]
            assert (name, as_of, len(differ), differ[:3]) == (name, as_of, 0, [])
    assert len(expected) == 4_383
    ((orders, refunds),) = enrichment.warehouse.fetch(
        "SELECT SUM(lifetime_orders), SUM(refunds) FROM cio_marts.retention_customer_state"
    )
    assert (orders, refunds) == (len(year.orders), len(year.refunds))
    ((invoices, cancellations),) = duckdb.sql(
        f"SELECT count(DISTINCT Invoice), count(DISTINCT Invoice) FILTER (Invoice LIKE 'C%') FROM '{REAL}'"
    ).fetchall()
    assert (invoices, cancellations) == (28_816, 4_592)
