"""The scenarios of a retention programme, through the marts over the sample shop, as days go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from shop_days import Shop

pytest_plugins = ("shop_days",)


@pytest.fixture
def shop(shop_days: Shop) -> Shop:
    return shop_days


def test_a_and_e_an_abandoned_cart_moves_through_the_tiers_and_who_buys_drops_out(
    shop: Shop, messages: Any
) -> None:
    shop.models("cart_high_intent", "retention_events")
    for person in ("Ann", "Ben"):
        shop.person(person)
        shop.cart(person, shop.at(hours=6))
    messages("M1", "Ann", shop.at(hours=9), clicked=shop.at(hours=11))
    messages("M2", "Ben", shop.at(hours=9))
    seen: dict[str, list[str | None]] = {"Ann": [], "Ben": []}
    clicked: dict[float, set[str]] = {}
    for hours in (6.5, 7, 12, 31, 77, 78):
        if hours == 31:
            shop.order("Ben", shop.at(hours=13))
        shop.build(shop.at(hours=hours))
        tiers = dict(shop.rows("SELECT customer_id, tier FROM cio_marts.cart_high_intent"))
        for person, found in seen.items():
            found.append(tiers.get(person))
        # The paid audience of scenario A: its mail was clicked, and six hours went by.
        clicked[hours] = {
            row[0]
            for row in shop.rows(
                "SELECT customer_id FROM cio_marts.cart_high_intent WHERE clicked_at IS NOT NULL "
                f"AND cart_updated_at <= DATEADD(hour, -6, '{shop.at(hours=hours):%Y-%m-%d %H:%M:%S}')"
            )
        }
    first, second, third = "hours_1_to_4", "hours_4_to_24", "days_1_to_3"
    assert seen == {
        "Ann": [None, first, second, third, third, None],
        "Ben": [None, first, second, None, None, None],
    }
    assert clicked == {6.5: set(), 7: set(), 12: {"Ann"}, 31: {"Ann"}, 77: {"Ann"}, 78: set()}
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


def test_d_lapsed_with_two_orders_of_high_value_until_they_come_back(shop: Shop, messages: Any) -> None:
    shop.models("lapsed_high_value", "contact_pressure")
    people = ("Ann", "Ben", "Cat", "Dan")
    for person, total in (("Ann", 80), ("Ben", 80), ("Cat", 20), ("Dan", 80)):
        shop.person(person)
        for days in (-60, -30):
            shop.order(person, shop.at(days=days, hours=10), total=total)
    messages("M1", "Dan", shop.at(days=57))
    lapsed, pressed = [], []
    for day in (59, 61, 65):
        if day == 65:
            shop.order("Ben", shop.at(days=62), total=80)
        shop.build(shop.at(days=day))
        pressed.append(
            shop.rows("SELECT customer_id, messages_7d, email_14d FROM cio_marts.contact_pressure")
        )
        lapsed.append(
            (
                shop.among("lapsed_high_value", *people),
                {
                    row[0]
                    for row in shop.rows(
                        "SELECT customer_id FROM cio_marts.retention_customer_state "
                        "WHERE is_reactivation_eligible AND customer_id IN ('Ann', 'Ben', 'Cat', 'Dan')"
                    )
                },
            )
        )
    assert lapsed == [
        (set(), set()),
        ({"Ann", "Ben"}, {"Ann", "Ben", "Cat", "Dan"}),
        ({"Ann", "Dan"}, {"Ann", "Cat", "Dan"}),
    ]
    assert pressed == [[("Dan", 1, 1)], [("Dan", 1, 1)], [("Dan", 0, 1)]]


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
    told = []
    for day in (1, 13, 15, 17):
        if day == 15:
            refunded = shop.order("Cat", shop.at(days=14), total=500)
        if day == 17:
            shop.refund(refunded, shop.at(days=16), 500)
        shop.build(shop.at(days=day), vip=definitions)
        state = "SELECT customer_id, vip_tier, vip_definition_version FROM cio_marts.retention_customer_state"
        told.append((shop.at(days=day), sorted(shop.rows(state))))
    for moment, states in told:  # the history of now tells what each of these days told
        at = f"'{moment:%Y-%m-%d %H:%M:%S}'"
        then = shop.rows(
            "SELECT customer_id, vip_tier, vip_definition_version FROM cio_marts.vip_tier_history "
            f"WHERE valid_from < {at} AND (valid_to >= {at} OR valid_to IS NULL)"
        )
        assert sorted(then) == states
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
