"""The scenarios of a retention programme, through the marts over the sample shop, as days go by."""

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
def shop(redshift_dsn: dict[str, Any], s3: Any, enrichment: EnrichmentContext, only_models: Any) -> Shop:
    redshift = {name: value for name, value in redshift_dsn.items() if name != "ssl"}
    load(
        {"redshift": redshift, "s3": {"endpoint_url": s3.endpoint, "bucket": s3.bucket}},
        customers=150,
        as_of=date(2026, 3, 1),
    )
    return Shop(enrichment, only_models)


def test_a_and_e_an_abandoned_cart_moves_through_the_tiers_and_who_buys_drops_out(shop: Shop) -> None:
    shop.models("cart_high_intent", "retention_events")
    for person in ("Ann", "Ben"):
        shop.person(person)
        shop.cart(person, shop.at(hours=6))
    seen: dict[str, list[str | None]] = {"Ann": [], "Ben": []}
    for hours in (6.5, 7, 12, 31, 77, 78):
        if hours == 31:
            shop.order("Ben", shop.at(hours=13))
        shop.build(shop.at(hours=hours))
        tiers = dict(shop.rows("SELECT customer_id, tier FROM cio_marts.cart_high_intent"))
        for person, found in seen.items():
            found.append(tiers.get(person))
    first, second, third = "hours_1_to_4", "hours_4_to_24", "days_1_to_3"
    assert seen == {
        "Ann": [None, first, second, third, third, None],
        "Ben": [None, first, second, None, None, None],
    }
    assert shop.rows(
        "SELECT COUNT(*), COUNT(DISTINCT event_key) FROM cio_marts.retention_events "
        "WHERE event_name = 'Cart Updated' AND customer_id IN ('Ann', 'Ben')"
    ) == [(2, 2)]


def test_b_the_second_purchase_push_is_due_once_and_never_for_gift_cards(shop: Shop) -> None:
    shop.models("second_purchase_due", "retention_events")
    for person, sku in (("Ann", "CLN-01"), ("Ben", "GFT-25"), ("Cat", "CLN-02"), ("Dan", "SER-01")):
        shop.person(person)
        shop.order(person, shop.at(hours=9), sku=sku)
    people = ("Ann", "Ben", "Cat", "Dan")
    due: list[set[str]] = []
    for day in (9, 11, 12, 18):
        if day == 12:
            shop.order("Cat", shop.at(days=11, hours=13))
        shop.build(shop.at(days=day))
        due.append(shop.among("second_purchase_due", *people))
    assert due == [set(), {"Ann", "Cat"}, {"Ann"}, set()]
    # One row a person, always of the same order: an event sync keyed by customer sends it exactly once.
    assert shop.rows("SELECT order_number FROM cio_marts.retention_events WHERE customer_id = 'Ann'") == [
        (1,)
    ]


def test_c_a_purchase_suppresses_for_seven_days_and_a_late_refund_brings_the_person_back(shop: Shop) -> None:
    shop.models("recent_purchasers", "suppression_refunded")
    for person in ("Ann", "Ben"):
        shop.person(person)
    bought = shop.order("Ann", shop.at(hours=10), total=80)
    shop.order("Ben", shop.at(hours=10), total=80)
    suppressed = []
    for day in (1, 3, 7, 8):
        if day == 3:
            shop.refund(bought, shop.at(days=2), 80)
        shop.build(shop.at(days=day))
        suppressed.append(shop.among("recent_purchasers", "Ann", "Ben"))
    assert suppressed == [{"Ann", "Ben"}, {"Ben"}, {"Ben"}, set()]
    state = shop.rows(
        "SELECT order_state, lifetime_value, last_paid_order_at FROM cio_marts.retention_customer_state "
        "WHERE customer_id = 'Ann'"
    )
    assert state == [("refunded", 0, None)]
    assert shop.among("suppression_refunded", "Ann", "Ben") == {"Ann"}


def test_d_lapsed_with_two_orders_of_high_value_until_they_come_back(shop: Shop) -> None:
    shop.models("lapsed_high_value")
    for person, total in (("Ann", 80), ("Ben", 80), ("Cat", 20)):
        shop.person(person)
        for days in (-60, -30):
            shop.order(person, shop.at(days=days, hours=10), total=total)
    lapsed = []
    for day in (59, 61, 63):
        if day == 63:
            shop.order("Ben", shop.at(days=62), total=80)
        shop.build(shop.at(days=day))
        lapsed.append(
            (
                shop.among("lapsed_high_value", "Ann", "Ben", "Cat"),
                {
                    row[0]
                    for row in shop.rows(
                        "SELECT customer_id FROM cio_marts.retention_customer_state "
                        "WHERE is_reactivation_eligible AND customer_id IN ('Ann', 'Ben', 'Cat')"
                    )
                },
            )
        )
    assert lapsed == [
        (set(), set()),
        ({"Ann", "Ben"}, {"Ann", "Ben", "Cat"}),
        ({"Ann"}, {"Ann", "Cat"}),
    ]


def test_f_replenishment_follows_the_cycle_that_the_shop_taught(shop: Shop) -> None:
    shop.models("replenishment_due")
    for number in range(6):
        person = f"Fan{number}"
        shop.person(person)
        for days in (-50, -25):
            shop.order(person, shop.at(days=days, hours=10), sku="NEW-01")
    shop.row("products", sku="NEW-01", name="New", category="toner", unit_cost=1)
    states = []
    for day in (-8, -7, 0, 1, 30):
        shop.build(shop.at(days=day, hours=12))
        states.append(
            shop.rows(
                "SELECT DISTINCT cycle_days, learned_from, due_state "
                "FROM cio_marts.replenishment_due WHERE sku = 'NEW-01'"
            )
        )
    assert states == [
        [],
        [(25, "product", "due_soon")],
        [(25, "product", "due")],
        [(25, "product", "overdue")],
        [],
    ]


def test_g_vips_of_two_definitions_can_be_told_apart(shop: Shop) -> None:
    shop.models("vip_tier_history", "retention_customer_state", "model_changelog")
    for person, total in (("Ann", 1200), ("Ben", 600), ("Cat", 100)):
        shop.person(person)
        shop.order(person, shop.at(days=-5), total=total)
    definitions = [
        *(definition.model_dump() for definition in shop.ctx.models.vip),
        {
            "version": "2026-03",
            "since": "2026-03-15",
            "change": "gold from 500",
            "tiers": {"gold": 500, "silver": 300},
        },
    ]
    shop.build(shop.at(days=1), vip=definitions)
    shop.build(shop.at(days=13))
    refunded = shop.order("Cat", shop.at(days=14), total=500)
    shop.build(shop.at(days=15))
    shop.refund(refunded, shop.at(days=16), 500)
    shop.build(shop.at(days=17))
    spans = shop.rows(
        "SELECT customer_id, vip_tier, vip_definition_version, DATEDIFF(day, '2026-03-01', valid_from), "
        "DATEDIFF(day, '2026-03-01', valid_to) FROM cio_marts.vip_tier_history "
        "WHERE customer_id IN ('Ann', 'Ben', 'Cat') ORDER BY customer_id, valid_from"
    )
    assert spans == [
        ("Ann", "none", "2026-01", -300, -5),
        ("Ann", "gold", "2026-01", -5, 14),
        ("Ann", "gold", "2026-03", 14, None),
        ("Ben", "none", "2026-01", -300, -5),
        ("Ben", "silver", "2026-01", -5, 14),
        ("Ben", "gold", "2026-03", 14, None),
        ("Cat", "none", "2026-01", -300, 14),
        ("Cat", "gold", "2026-03", 14, 16),
        ("Cat", "none", "2026-03", 16, None),
    ]
    assert shop.rows("SELECT version, change FROM cio_marts.model_changelog ORDER BY holds_since") == [
        ("2026-01", "First definition"),
        ("2026-03", "gold from 500"),
    ]
