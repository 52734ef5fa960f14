"""Scenarios A, B, D, E, F and G over 65 days of the sample shop: a whole scheduler builds all marts, sixteen times.

Refunds arrive late, and a definition changes on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
import yaml

pytest_plugins = ("shop_days",)
pytestmark = [pytest.mark.system, pytest.mark.soak, pytest.mark.timeout(3600)]
MODELS = Path(__file__).parents[2] / "dags/models.yaml"
GOLD_FROM_500 = {
    "version": "2026-03",
    "since": date(2026, 3, 15),
    "change": "gold from 500",
    "tiers": {"gold": 500, "silver": 300},
}


@pytest.fixture
def marts_world(open_world, mart_dags, tmp_path):
    """A world of its own with the sample shop and every mart that ships."""
    from airflow_provider_cio.sandbox.shop import load

    mart_dags(tmp_path / "dags/marts", yaml.safe_load(MODELS.read_text()))
    with open_world(tmp_path, {}) as world:
        endpoints = {name: world.endpoints[name] for name in ("redshift", "s3")}
        load(endpoints, customers=150, as_of=date(2026, 3, 1))
        world.airflow.wait_for_dag("cio_enrichment")
        world.airflow.unpause("cio_enrichment")
        yield world


class Calendar:
    """The shop's days, and what the marts told on each."""

    def __init__(self, world: Any) -> None:
        from marts_lab import messenger
        from shop_days import Shop

        from airflow_provider_cio.core.models.files import load_folder
        from airflow_provider_cio.core.models.settings import load_models
        from airflow_provider_cio.engine.enrichment import EnrichmentContext
        from airflow_provider_cio.warehouse.session import Warehouse

        redshift = world.endpoints["redshift"]
        warehouse = Warehouse(lambda: redshift_connector.connect(**redshift, ssl=False))
        context = EnrichmentContext(load_models(MODELS), load_folder(MODELS.parents[1] / "sql"), warehouse)
        self.world, self.shop, self.tell = world, Shop(context, lambda ctx, *_: ctx), messenger(warehouse)

    def build(self, **after: float) -> datetime:
        moment = self.shop.at(**after)
        run = self.world.build_marts(moment)
        assert run["state"] == "success", self.world.tasks(run)
        return moment

    def who(self, mart: str, *people: str) -> set[str]:
        return self.shop.among(mart, *people)

    def tier(self, person: str) -> str | None:
        found = self.shop.rows(f"SELECT tier FROM cio_marts.cart_high_intent WHERE customer_id = '{person}'")
        return found[0][0] if found else None

    def due(self) -> list[tuple[Any, ...]]:
        """What is told of the product that six people buy every 25 days."""
        return self.shop.rows(
            "SELECT DISTINCT cycle_days, learned_from, due_state "
            "FROM cio_marts.replenishment_due WHERE sku = 'NEW-01'"
        )

    def tiers(self) -> list[tuple[Any, ...]]:
        return sorted(
            self.shop.rows(
                "SELECT customer_id, vip_tier, vip_definition_version FROM cio_marts.retention_customer_state"
            )
        )


FANS = [f"Fan{number}" for number in range(6)]
LAPSING = {"Dan": 80, "Dee": 80, "Dot": 20, "Don": 80}
TIERED = {"Gil": 1200, "Gus": 600, "Gia": 100}


@pytest.fixture
def days(marts_world: Any) -> Iterator[Calendar]:
    calendar = Calendar(marts_world)
    yield calendar
    calendar.shop.ctx.warehouse.close()


def test_65_days_of_the_shop(days: Calendar) -> None:
    before_march(days)
    carts_and_a_late_refund(days)
    told = push_product_and_tiers(days)
    lapsed_and_back(days)
    assert days.due() == []
    for moment, states in told:  # the history of the last day tells what each of those days told
        then = f"'{moment:%Y-%m-%d %H:%M:%S}'"
        history = days.shop.rows(
            "SELECT customer_id, vip_tier, vip_definition_version FROM cio_marts.vip_tier_history "
            f"WHERE valid_from < {then} AND (valid_to >= {then} OR valid_to IS NULL)"
        )
        assert sorted(history) == states
    changes = days.shop.rows("SELECT version FROM cio_marts.model_changelog ORDER BY holds_since")
    assert changes == [("2026-01",), ("2026-03",)]


def before_march(days: Calendar) -> None:
    shop, at = days.shop, days.shop.at
    for person in ("Ann", "Ben", "Bea", "Bob", "Bix", "Boy", "Cam", "Cid", *LAPSING, *FANS, *TIERED):
        shop.person(person)
    shop.row("products", sku="NEW-01", name="New", category="toner", unit_cost=1)
    for fan in FANS:
        for day in (-33, -8):
            shop.order(fan, at(days=day, hours=10), sku="NEW-01")
    for person, total in LAPSING.items():
        for day in (-60, -30):
            shop.order(person, at(days=day, hours=10), total=total)
    for person, total in TIERED.items():
        shop.order(person, at(days=-5), total=total)


def carts_and_a_late_refund(days: Calendar) -> None:
    """A and E: two carts of six o'clock; Ann clicks and stays, Ben buys after the third build."""
    shop, at = days.shop, days.shop.at
    for person in ("Ann", "Ben"):
        shop.cart(person, at(hours=6))
    days.tell("M1", "Ann", at(hours=9), clicked=at(hours=11))
    days.tell("M2", "Ben", at(hours=9))
    for person, sku in (("Bea", "CLN-01"), ("Bob", "GFT-25"), ("Bix", "CLN-02"), ("Boy", "SER-01")):
        shop.order(person, at(hours=9), sku=sku)
    of_cam = shop.order("Cam", at(hours=10), total=80)
    shop.order("Cid", at(hours=10), total=80)
    carts: list[tuple[str | None, str | None]] = []
    bought: list[set[str]] = []
    for hours in (6.5, 7, 12, 31, 77, 78):
        if hours == 31:
            shop.order("Ben", at(hours=13))
        if hours == 77:
            shop.refund(of_cam, at(hours=30), 80)  # of before the last build, and not there then
        days.build(hours=hours)
        carts.append((days.tier("Ann"), days.tier("Ben")))
        bought.append(days.who("recent_purchasers", "Cam", "Cid"))
    first, second, third = "hours_1_to_4", "hours_4_to_24", "days_1_to_3"
    both = (None, None)
    assert carts == [both, (first, first), (second, second), (third, None), (third, None), both]
    assert bought == [set(), set(), {"Cam", "Cid"}, {"Cam", "Cid"}, {"Cid"}, {"Cid"}]
    assert days.who("suppression_refunded", "Cam", "Cid") == {"Cam"}


def push_product_and_tiers(days: Calendar) -> list[tuple[datetime, list[tuple[Any, ...]]]]:
    """B, F and G: the push, the product that is used up after 25 days, and the tiers of two definitions."""
    shop, at = days.shop, days.shop.at
    pushed, due, told = [], [], []
    for day in (9, 11, 12, 13, 15, 17, 18):
        if day == 12:
            shop.order("Bix", at(days=11, hours=13))
        if day == 15:
            of_gia = shop.order("Gia", at(days=14), total=500)
            days.world.define(vip=[*yaml.safe_load(MODELS.read_text())["vip"], GOLD_FROM_500])
        if day == 17:
            shop.refund(of_gia, at(days=16), 500)
        moment = days.build(days=day)
        pushed.append(days.who("second_purchase_due", "Bea", "Bob", "Bix", "Boy"))
        due.append(days.due())
        told.append((moment, days.tiers()))
    assert pushed == [set(), {"Bea", "Bix"}, {"Bea"}, {"Bea"}, {"Bea"}, {"Bea"}, set()]
    told_of_product = ["due_soon"] * 4 + ["due", "overdue"]
    assert due == [[], *([(25, "product", state)] for state in told_of_product)]
    of_gia_and_gus = [[row[1:] for row in states if row[0] in ("Gia", "Gus")] for _, states in told]
    old, new = "2026-01", "2026-03"
    assert of_gia_and_gus == [
        *[[("none", old), ("silver", old)]] * 4,
        [("gold", new), ("gold", new)],
        *[[("none", new), ("gold", new)]] * 2,
    ]
    return told


def lapsed_and_back(days: Calendar) -> None:
    """D: lapsed after ninety days, left alone while messaged, and back with an order."""
    days.tell("M3", "Don", days.shop.at(days=57))
    lapsed = []
    for day in (59, 61, 65):
        if day == 65:
            days.shop.order("Dee", days.shop.at(days=62), total=80)
        days.build(days=day)
        lapsed.append(days.who("lapsed_high_value", *LAPSING))
    assert lapsed == [set(), {"Dan", "Dee"}, {"Dan", "Don"}]
