"""Days of a shop through its real marts into every destination: who is where on each day, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.normalise import hash_identifier

if TYPE_CHECKING:
    from audience_lab import AudienceLab
    from shop_days import Shop

pytest_plugins = ("audience_lab", "shop_days")

TYPES = ("customerio", "meta", "google", "tiktok", "rudderstack", "webhook")
FIELDS = {
    "customerio": ("customerio", "id"),
    "meta": ("meta", "EMAIL_SHA256"),
    "google": ("google", "emailAddress"),
    "tiktok": ("tiktok", "EMAIL_SHA256"),
    "rudderstack": ("rudderstack", "userId"),
    "webhook": ("tiktok", "EMAIL_SHA256"),
}
MESSAGES = (
    "CREATE SCHEMA cio_staging",
    """CREATE TABLE cio_staging.stg_customerio__deliveries (delivery_id VARCHAR(64), customer_id VARCHAR(64),
    channel VARCHAR(16), sent_at TIMESTAMP)""",
    """CREATE TABLE cio_staging.stg_customerio__delivery_metrics (delivery_id VARCHAR(64),
    first_human_clicked_at TIMESTAMP)""",
)


class Days:
    """The shop's marts, the audiences over them, and one clock for both."""

    def __init__(self, shop: Shop, lab: AudienceLab, people: tuple[str, ...]) -> None:
        self.shop, self.lab, self.people = shop, lab, people
        self.audiences: dict[str, Audience] = {}
        self.suppressions: dict[str, Audience] = {}
        lab.now = shop.at()
        for person in people:
            shop.person(person)
        lab.ads.people(list(people))

    def audience(self, name: str, types: tuple[str, ...], **content: Any) -> None:
        """An audience with places of its own at the platforms."""
        for kind in types:
            self.lab.ads.audiences[kind] = self.lab.ads.create(kind)
            if kind in {"rudderstack", "webhook"}:
                self.lab.ads.audiences[kind] = name
        self.audiences[name] = self.lab.definition(
            name, types=types, **{"consent": ["accepts_marketing"], **content}
        )

    def until(self, when: datetime) -> None:
        """Let time pass, build the marts, send every audience."""
        self.lab.pass_time(seconds=(when - self.lab.now).total_seconds())
        self.shop.build(when)
        for audience in self.audiences.values():
            chosen = {name: self.suppressions[name] for name in audience.excluded_by}
            self.lab.run(audience, suppressions=chosen)

    def at(self, name: str) -> set[str]:
        """Which of the people are in an audience: the same at each of its destinations."""
        found = {}
        for kind, place in self.audiences[name].destinations.items():
            there = self.lab.at(kind, place.audience)
            found[kind] = frozenset(who for who in self.people if self._sent_as(kind, who) in there)
        assert len(set(found.values())) == 1, found
        return set(found.popitem()[1])

    def held_out(self, experiment: str) -> set[str]:
        """Who of them is left out on purpose."""
        rows = self.shop.rows(
            f"SELECT member FROM cio_sync.holdout_assignments WHERE experiment = '{experiment}' AND held_out"
        )
        return {row[0] for row in rows} & set(self.people)

    def clicks(self, person: str, when: datetime) -> None:
        """A message is sent at that moment, and clicked."""
        moment = f"{when:%Y-%m-%d %H:%M:%S}"
        self.lab.lab.run(
            "INSERT INTO cio_staging.stg_customerio__deliveries "
            f"VALUES ('D{person}', '{person}', 'email', '{moment}')"
        )
        self.lab.lab.run(
            f"INSERT INTO cio_staging.stg_customerio__delivery_metrics VALUES ('D{person}', '{moment}')"
        )

    def _sent_as(self, kind: str, person: str) -> str | None:
        raw = person if kind in {"customerio", "rudderstack"} else f"{person.lower()}@example.com"
        return hash_identifier(*FIELDS[kind], raw)


@pytest.fixture
def days(shop_days: Shop, shop: AudienceLab) -> Callable[..., Days]:
    for statement in MESSAGES:
        shop.lab.run(statement)
    return lambda *people: Days(shop_days, shop, people)


def suppression(lab: AudienceLab, name: str, source: str) -> Audience:
    return lab.definition(
        name,
        types=(),
        purpose="suppression",
        suppresses=name.removeprefix("suppression_"),
        source=f"cio_marts.{source}",
        consent=[],
    )


def test_carts_clicks_purchases_and_refunds_through_three_days(days: Callable[..., Days]) -> None:
    """Scenarios A, C and E, with a holdout and somebody who said no."""
    crowd = tuple(f"Holly{number}" for number in range(8))
    story = days("Ann", "Ben", "Cat", "Dan", *crowd)
    shop, lab = story.shop, story.lab
    shop.models(
        "cart_high_intent", "recent_purchasers", "suppression_unsubscribed", "retention_customer_state"
    )
    story.suppressions = {
        "suppression_purchasers": suppression(lab, "suppression_purchasers", "recent_purchasers"),
        "suppression_unsubscribed": suppression(lab, "suppression_unsubscribed", "suppression_unsubscribed"),
    }
    usual = list(story.suppressions)
    story.audience(
        "paid",
        TYPES,
        purpose="retargeting",
        source="cio_marts.cart_high_intent",
        entered_at="clicked_at",
        from_age="6h",
        suppressions=usual,
        holdout={"experiment": "paid", "percent": 25, "salt": "pepper"},
    )
    for tier in ("hours_1_to_4", "hours_4_to_24", "days_1_to_3"):
        story.audience(
            tier,
            ("meta", "webhook"),
            purpose="retargeting",
            source="cio_marts.cart_high_intent",
            where=f"tier = '{tier}'",
            suppressions=usual,
        )
    story.audience(
        "promo", ("google", "tiktok"), source="cio_marts.retention_customer_state", suppressions=usual
    )
    story.audience(
        "buyers",
        ("meta", "customerio"),
        purpose="suppression",
        suppresses="purchasers",
        source="cio_marts.recent_purchasers",
    )
    shop.ctx.warehouse.run("UPDATE shop.customers SET accepts_marketing = FALSE WHERE customer_id = 'Dan'")
    for person in story.people:
        shop.cart(person, shop.at(hours=6))
        if person != "Cat":
            story.clicks(person, shop.at(hours=7))
    willing = set(story.people) - {"Dan"}

    story.until(shop.at(hours=9))  # three hours after the cart, two after the click
    assert (story.at("paid"), story.at("hours_1_to_4"), story.at("promo")) == (set(), willing, willing)

    story.until(shop.at(hours=13, minutes=30))  # six hours after the click, nothing bought
    held = story.held_out("paid")
    clicked = willing - {"Cat"}
    assert 1 <= len(held) < len(clicked)
    assert story.at("paid") == clicked - held
    assert (story.at("hours_1_to_4"), story.at("hours_4_to_24")) == (set(), willing)

    order = shop.order("Ben", shop.at(hours=14), total=80)
    story.until(shop.at(hours=31))  # the next day
    assert story.held_out("paid") == held
    assert story.at("paid") == clicked - held - {"Ben"}
    assert (story.at("hours_4_to_24"), story.at("days_1_to_3")) == (set(), willing - {"Ben"})
    assert (story.at("promo"), story.at("buyers")) == (willing - {"Ben"}, {"Ben"})

    shop.refund(order, shop.at(days=2), 80)
    story.until(shop.at(hours=79))  # the cart is older than three days
    for name in ("paid", "hours_1_to_4", "hours_4_to_24", "days_1_to_3", "buyers"):
        assert story.at(name) == set(), name
    assert story.at("promo") == willing


def test_winback_of_the_lapsed_of_high_value_who_were_not_messaged(days: Callable[..., Days]) -> None:
    """Scenario D, with the flag that journeys read."""
    crowd = tuple(f"Lap{number}" for number in range(9))
    story = days("Ann", "Ben", "Cat", *crowd)
    shop = story.shop
    shop.models("lapsed_high_value")
    for person in story.people:
        for back in (-60, -30):
            shop.order(person, shop.at(days=back, hours=10), total=20 if person == "Cat" else 80)
    story.clicks("Ann", shop.at(days=60))  # messaged the day before they lapse
    story.audience(
        "winback",
        TYPES,
        source="cio_marts.lapsed_high_value",
        holdout={"experiment": "winback", "percent": 30, "salt": "pepper", "stratify_by": "vip_tier"},
    )
    story.until(shop.at(days=59))
    assert story.at("winback") == set()

    story.until(shop.at(days=61))
    held, lapsed = story.held_out("winback"), {"Ben", *crowd}
    assert 1 <= len(held) < len(lapsed)
    assert story.at("winback") == lapsed - held
    flagged = shop.rows(
        "SELECT customer_id FROM cio_marts.retention_customer_state WHERE is_reactivation_eligible"
    )
    assert {row[0] for row in flagged} >= {"Ann", "Ben", "Cat", *crowd}

    targeted = sorted(lapsed - held)
    shop.order(targeted[0], shop.at(days=61, hours=5), total=80)  # comes back
    story.until(shop.at(days=90))
    assert story.held_out("winback") >= held
    assert story.at("winback") == {"Ann", *lapsed} - story.held_out("winback") - {targeted[0]}
