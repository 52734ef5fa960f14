"""Fixture `shop_days`: the sample shop, in which named people do named things while days go by, and its marts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_provider_cio.core.models.settings import Models
from airflow_provider_cio.engine.enrichment import EnrichmentContext, run
from airflow_provider_cio.sandbox.shop import load

pytest_plugins = ("marts_lab",)
START = datetime(2026, 3, 1, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")


class Shop:
    """The sample shop, in which named people do named things from the first of March on."""

    def __init__(self, ctx: EnrichmentContext, only: Callable[..., EnrichmentContext]) -> None:
        self.ctx = ctx
        self._only = only
        self._numbers = iter(range(1, 1000))

    def models(self, *names: str) -> None:
        """Build these, and what they read, from now on."""
        self.ctx = self._only(self.ctx, *names)

    def at(self, **after: float) -> datetime:
        return START + timedelta(**after)

    def row(self, table: str, **values: Any) -> None:
        """A row of a table of the shop; moments are written as the shop's clock shows them."""
        texts = []
        for value in values.values():
            if isinstance(value, datetime):
                texts.append(f"'{value.astimezone(LONDON).replace(tzinfo=None)}'")
            else:
                texts.append(
                    "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
                )
        self.ctx.warehouse.run(f"INSERT INTO shop.{table} ({', '.join(values)}) VALUES ({', '.join(texts)})")

    def person(self, customer: str) -> None:
        self.row(
            "customers",
            customer_id=customer,
            email=f"{customer.lower()}@example.com",
            created_at=self.at(days=-300),
            accepts_marketing=True,
        )

    def order(
        self, customer: str, when: datetime, total: float = 60, sku: str = "SER-01", lines: int = 1
    ) -> str:
        number = f"X{next(self._numbers):04}"
        self.row(
            "orders", order_id=number, customer_id=customer, ordered_at=when, currency="GBP", total=total
        )
        for line in range(1, lines + 1):
            self.row(
                "order_lines",
                order_id=number,
                line_number=line,
                sku=sku,
                quantity=1,
                unit_price=total / lines,
            )
        self.row("payments", payment_id=f"P{number}", order_id=number, status="paid", paid_at=when)
        return number

    def refund(self, order: str, when: datetime, amount: float) -> None:
        self.row(
            "refunds", refund_id=f"R{order}", order_id=order, refunded_at=when, amount=amount, reason="late"
        )

    def cart(self, customer: str, when: datetime) -> None:
        number = f"K{next(self._numbers)}"
        self.row("carts", cart_id=number, customer_id=customer, sku="SER-02", quantity=2, updated_at=when)

    def build(self, when: datetime, **settings: Any) -> None:
        if settings:
            models = Models.model_validate(self.ctx.models.model_dump() | settings)
            self.ctx = EnrichmentContext(models, self.ctx.folder, self.ctx.warehouse)
        run(self.ctx, when)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.ctx.warehouse.fetch(query)

    def among(self, mart: str, *people: str) -> set[str]:
        """Which of these people are in a mart."""
        names = ", ".join(f"'{person}'" for person in people)
        return {
            row[0]
            for row in self.rows(f"SELECT customer_id FROM cio_marts.{mart} WHERE customer_id IN ({names})")
        }


@pytest.fixture
def shop_days(redshift_dsn: dict[str, Any], s3: Any, enrichment: EnrichmentContext, only_models: Any) -> Shop:
    redshift = {name: value for name, value in redshift_dsn.items() if name != "ssl"}
    load(
        {"redshift": redshift, "s3": {"endpoint_url": s3.endpoint, "bucket": s3.bucket}},
        customers=150,
        as_of=date(2026, 3, 1),
    )
    return Shop(enrichment, only_models)
