"""Days in the life of a shop: who is in each destination on each day, suppression and holdouts included.

The views below stand for the shop's marts: same columns, simulated clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from audience_lab import AudienceLab

pytest_plugins = ("audience_lab",)

PAID = ("meta", "google", "tiktok")
HOURS = {"hot": (1, 4), "warm": (4, 24), "cold": (24, 72)}


def test_abandoned_and_clicked_carts_go_to_paid_audiences_until_they_buy(shop: AudienceLab) -> None:
    """Scenario A: no purchase within six hours, then every paid audience; buyers drop out at the next run."""
    shop.lab.run("CREATE TABLE cio_marts.clicks (customer_id VARCHAR(64))")
    cart = shop.definition(
        types=PAID,
        purpose="retargeting",
        where="customer_id IN (SELECT customer_id FROM cio_marts.clicks)",
        entered_at="cart_at",
        from_age="6h",
        member_for="7d",
        suppressions=["purchasers"],
    )
    known = {"purchasers": shop.purchasers()}
    for customer in ("ann", "bob", "cid"):
        shop.cart(customer)
    shop.lab.run("INSERT INTO cio_marts.clicks VALUES ('ann'), ('bob')")
    days: tuple[tuple[int, str, set[str]], ...] = (
        (0, "", set()),
        (7, "", {"ann", "bob"}),
        (1, "bob", {"ann"}),
        (24, "", {"ann"}),
        (24 * 7, "", set()),
    )
    for hours, buyer, expected in days:
        shop.pass_time(hours=hours)
        if buyer:
            shop.buys(buyer)
        shop.run(cart, suppressions=known)
        for kind in PAID:
            assert shop.at(kind) == shop.sent_as(kind, expected), (kind, hours, buyer)


def test_a_purchase_suppresses_a_promotion_for_seven_days_and_a_refund_ends_it(shop: AudienceLab) -> None:
    """Scenario C."""
    promo = shop.definition("promo", types=("meta", "customerio"), suppressions=["purchasers"])
    known = {"purchasers": shop.purchasers()}
    shop.ads.people(["ann", "bob"])
    for customer in ("ann", "bob"):
        shop.cart(customer)

    def day(expected: set[str]) -> None:
        shop.run(promo, suppressions=known)
        for kind in ("meta", "customerio"):
            assert shop.at(kind) == shop.sent_as(kind, expected)
        shop.pass_time(days=1)

    day({"ann", "bob"})
    shop.buys("ann")
    shop.buys("bob")
    for _ in range(3):
        day(set())
    shop.lab.run("DELETE FROM cio_marts.purchasers WHERE customer_id = 'bob'")  # the refund corrects the mart
    for _ in range(4):
        day({"bob"})
    day({"ann", "bob"})


def test_winback_takes_the_lapsed_who_are_not_messaged_and_not_held_out(shop: AudienceLab) -> None:
    """Scenario D: lapsed 90 days, two orders or more, high order value, not recently messaged, not held out."""
    shop.lab.run(
        "CREATE TABLE cio_marts.lapsed (customer_id VARCHAR(64), email VARCHAR(256), last_order_at TIMESTAMP, "
        "orders INTEGER, average_order_value DECIMAL(12,2), last_message_at TIMESTAMP, ads_consent BOOLEAN)"
    )
    at = shop.now - timedelta(days=88)
    rows = [
        *((f"w{n}", 2 + n % 3, 90, "NULL") for n in range(20)),
        ("single", 1, 90, "NULL"),
        ("cheap", 5, 10, "NULL"),
        ("messaged", 3, 90, f"'{shop.now:%Y-%m-%d %H:%M:%S}'"),
    ]
    values = ", ".join(
        f"('{name}', '{name}@shop.example', '{at:%Y-%m-%d %H:%M:%S}', {orders}, {value}, {message}, TRUE)"
        for name, orders, value, message in rows
    )
    shop.lab.run(f"INSERT INTO cio_marts.lapsed VALUES {values}")
    winback = shop.definition(
        "winback",
        types=("meta", "tiktok", "rudderstack"),
        source="cio_marts.lapsed",
        where="orders >= 2 AND average_order_value >= 50 AND last_message_at IS NULL",
        entered_at="last_order_at",
        from_age="90d",
        holdout={"experiment": "winback_2026", "percent": 20, "salt": "pepper"},
    )
    assert shop.run(winback).members == 0
    shop.pass_time(days=3)
    report = shop.run(winback)
    assert (report.members, report.held_out) == (16, 4)
    held = {row[0] for row in shop.lab.rows("SELECT member FROM cio_sync.holdout_assignments WHERE held_out")}
    targeted = {f"w{n}" for n in range(20)} - held
    for kind in ("meta", "tiktok", "rudderstack"):
        assert shop.at(kind) == shop.sent_as(kind, targeted)
    shop.pass_time(days=1)
    shop.lab.run("DELETE FROM cio_marts.lapsed WHERE customer_id IN ('w0', 'w1', 'w2')")  # they came back
    shop.run(winback)
    for kind in ("meta", "tiktok", "rudderstack"):
        assert shop.at(kind) == shop.sent_as(kind, targeted - {"w0", "w1", "w2"})


def test_tiers_hand_a_person_on_and_then_let_go(shop: AudienceLab) -> None:
    """Scenario E: 1-4 h, 4-24 h, 1-3 d, out; at no moment in two tiers."""
    tiers: dict[str, Any] = {}
    for name, (low, high) in HOURS.items():
        shop.ads.audiences["webhook"] = f"cart_{name}"
        tiers[name] = shop.definition(
            f"cart_{name}",
            types=("webhook",),
            entered_at="cart_at",
            from_age=f"{low}h",
            member_for=f"{high}h",
        )
    shop.cart("ann")
    shop.pass_time(minutes=1)
    seen = []
    for hours in (0, 2, 1, 2, 12, 10, 24, 30):
        shop.pass_time(hours=hours)
        for audience in tiers.values():
            shop.run(audience)
        inside = [name for name in tiers if shop.at("webhook", f"cart_{name}")]
        assert len(inside) <= 1
        seen += inside or ["out"]
    assert seen == ["out", "hot", "hot", "warm", "warm", "cold", "cold", "out"]


@pytest.mark.parametrize("kind", ["meta", "google", "tiktok", "customerio", "rudderstack", "webhook"])
def test_no_identifier_is_written_anywhere(
    shop: AudienceLab, kind: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Good runs, refused runs, lost replies: logs, output, reports, errors and the shared tables hold no canary."""
    import json
    import traceback

    from airflow_provider_cio.exceptions import CustomerIOProviderError

    caplog.set_level("DEBUG", logger="airflow_provider_cio")
    canaries = ["canary@shop.example", "+447911123456", "canary"]
    canaries += [value for who in ("canary",) for value in shop.sent_as(kind, [who]) if len(value) == 64]
    shop.ads.people(["canary"])
    shop.cart("canary", phone="+447911123456")
    audience = shop.definition(
        types=(kind,), identity={"id": "customer_id", "email": "email", "phone": "phone"}
    )
    written = [json.dumps(shop.run(audience).to_dict())]
    fatal: dict[str, dict[str, Any]] = {
        "meta": {"kind": "100", "path": "/users"},
        "google": {"kind": "INVALID_ARGUMENT", "path": ":remove"},
        "tiktok": {"kind": "40062"},
        "customerio": {"status": 400},
        "rudderstack": {"kind": "400"},
        "webhook": {"kind": "400"},
    }
    lost: dict[str, Any] = {"status": "reset_after"} if kind == "customerio" else {"kind": "drop_after"}
    shop.lab.run("UPDATE cio_marts.carts SET ads_consent = FALSE")
    for fault in (fatal[kind], {**lost, "times": 4}):
        shop.ads.faults(kind, fault)
        with pytest.raises(CustomerIOProviderError) as raised:
            shop.run(audience)
        # the traceback's source lines are ours; the values are in the messages
        written.append("".join(traceback.format_exception_only(raised.value)))
    shop.lab.run("UPDATE cio_marts.carts SET email = 'x' || customer_id")
    for table in ("audience_uploads", "match_rates"):
        written += [str(row) for row in shop.lab.rows(f"SELECT * FROM cio_sync.{table}")]
    captured = capfd.readouterr()
    everything = "\n".join([*written, caplog.text, captured.out, captured.err])
    for canary in canaries:
        assert canary not in everything
    assert list(shop.lab.bucket.listing("")) == []
