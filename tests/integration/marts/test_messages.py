"""Marts over holdouts and audiences: published figures, and hashes as the audiences make them."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_cio.core.models.testcases import Case, ModelTests, plain
from airflow_provider_cio.core.normalise import hash_identifier
from airflow_provider_cio.engine.enrichment.model_tests import run_case

pytest_plugins = ("marts_lab",)
DRAWN = datetime(2026, 1, 10, 9)
Z = statistics.NormalDist().inv_cdf(0.975)


def fails(
    enrichment: Any, model: str, given: dict[str, list[dict[str, Any]]], *expect: dict[str, Any]
) -> Any:
    case = Case(name="x", as_of=datetime(2026, 3, 1, tzinfo=UTC), given=given, expect=list(expect))
    return run_case(enrichment, ModelTests(model=model, cases=[case]), case)


def experiment(people: int, buyers: int, totals: list[int], prefix: str, *, held: bool) -> dict[str, Any]:
    names = [f"{prefix}{number}" for number in range(people)]
    return {
        "customers": [{"customer_id": name} for name in names],
        "holdouts": [
            {"experiment": "winback", "member": name, "held_out": held, "assigned_at": DRAWN}
            for name in names
        ],
        "orders": [
            {
                "order_id": f"O{name}",
                "customer_id": name,
                "ordered_at": DRAWN + timedelta(days=1),
                "total": totals[number % len(totals)],
            }
            for number, name in enumerate(names[:buyers])
        ],
    }


def score_interval(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's: the rates whose score test does not refuse what was seen, found by halving."""
    seen = successes / trials

    def edge(inside: float, outside: float) -> float:
        for _ in range(80):
            middle = (inside + outside) / 2
            fits = abs(seen - middle) <= Z * math.sqrt(middle * (1 - middle) / trials)
            inside, outside = (middle, outside) if fits else (inside, middle)
        return inside

    return edge(seen, 0), edge(seen, 1)


def test_the_interval_of_a_lift_is_the_published_one(enrichment: Any) -> None:
    """Newcombe (1998), Statistics in Medicine 17:873-890, table II: 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    treated = experiment(70, 56, [30, 50], "T", held=False)
    held = experiment(80, 48, [40], "H", held=True)
    given = {name: treated[name] + held[name] for name in treated}
    given["products"] = [{"sku": "S", "unit_cost": 10}]
    given["order_lines"] = [
        {
            "order_id": order["order_id"],
            "line_number": 1,
            "sku": "S",
            "quantity": 1,
            "unit_price": order["total"],
        }
        for order in given["orders"]
    ]
    before, after = DRAWN - timedelta(seconds=1), DRAWN + timedelta(days=30)
    given["orders"] += [  # before the draw, and thirty days after it: of no effect
        {"order_id": "early", "customer_id": "T69", "ordered_at": before, "total": 99},
        {"order_id": "late", "customer_id": "H79", "ordered_at": after, "total": 99},
    ]
    margins = [
        [20 + 20 * (n % 2) if n < 56 else 0 for n in range(70)],
        [30 if n < 48 else 0 for n in range(80)],
    ]
    (mine, theirs), (v1, v2) = map(statistics.fmean, margins), map(statistics.variance, margins)
    (low, high), (held_low, held_high) = score_interval(56, 70), score_interval(48, 80)
    below, above = math.hypot(0.8 - low, held_high - 0.6), math.hypot(high - 0.8, 0.6 - held_low)
    assert (round(0.2 - below, 4), round(0.2 + above, 4)) == (0.0524, 0.3339)  # published
    error = Z * (v1 / 70 + v2 / 80) ** 0.5
    failure = fails(
        enrichment,
        "holdout_lift",
        given,
        {
            "experiment": "winback",
            "treated": 70,
            "held_out": 80,
            "treated_conversions": 56,
            "held_out_conversions": 48,
            "lift": 0.2,
            "lift_low": round(0.2 - below, 6),
            "lift_high": round(0.2 + above, 6),
            "extra_conversions": 14,
            "margin_lift": round(mine - theirs, 4),
            "margin_lift_low": round(mine - theirs - error, 4),
            "margin_lift_high": round(mine - theirs + error, 4),
        },
    )
    assert failure is None, failure


def test_nobody_converted_and_one_person_held_out_is_no_error(enrichment: Any) -> None:
    treated, held = (
        experiment(2, 0, [1], "T", held=False),
        experiment(1, 0, [1], "H", held=True),
    )
    given = {name: treated[name] + held[name] for name in treated}
    given["holdouts"].append(
        {"experiment": "one arm", "member": "T0", "held_out": False, "assigned_at": DRAWN}
    )
    given["holdouts"].append(
        {"experiment": "winback", "member": "gone", "held_out": True, "assigned_at": DRAWN}
    )
    row = {
        "experiment": "winback",
        "treated": 2,
        "held_out": 1,
        "lift": 0,
        "margin_lift": 0,
        "margin_lift_low": None,
    }
    failure = fails(enrichment, "holdout_lift", given, row)
    assert failure is None, failure


def test_a_refund_takes_a_conversion_back(enrichment: Any) -> None:
    treated, held = experiment(2, 2, [10], "T", held=False), experiment(2, 1, [10], "H", held=True)
    given = {name: treated[name] + held[name] for name in treated}
    given["refunds"] = [
        {"refund_id": "R", "order_id": "OT0", "refunded_at": DRAWN + timedelta(days=20), "amount": 10}
    ]
    row = {"experiment": "winback", "treated_conversions": 1, "held_out_conversions": 1, "lift": 0}
    failure = fails(enrichment, "holdout_lift", given, row)
    assert failure is None, failure


def test_paid_audience_and_live_journey_at_once(enrichment: Any) -> None:
    emails = {"Ann": "ann@example.com", "Ben": "ben.o+shop@gmail.com", "Cat": "cat@example.com"}
    emails |= {"Dan": "dan@example.com", "Eve": "eve@example.com"}

    def member(person: str, platform: str, field: str, state: str = "present") -> dict[str, Any]:
        identifier = hash_identifier(platform, field, emails[person].title())
        return {
            "audience": "winback",
            "field": field,
            "identifier": identifier,
            "state": state,
            "added_at": DRAWN,
        } | {"destination": platform}

    def message(person: str, campaign: int, day: int) -> dict[str, Any]:
        moment = datetime(2026, 2, day, 9)
        return {"delivery_id": f"{person}{campaign}{day}", "customer_id": person, "channel": "email"} | {
            "campaign_id": campaign,
            "sent_at": moment,
        }

    given = {
        "customers": [{"customer_id": person, "email": email} for person, email in emails.items()],
        "audience_members": [
            member("Ann", "meta", "EMAIL_SHA256"),
            member("Ann", "tiktok", "EMAIL_SHA256"),
            member("Ben", "google", "emailAddress"),
            member("Cat", "meta", "EMAIL_SHA256", state="removing"),
            member("Dan", "meta", "EMAIL_SHA256"),
            member("Eve", "meta", "EMAIL_SHA256"),
            {
                "audience": "owned",
                "destination": "journeys",
                "field": "id",
                "identifier": "Cat",
                "state": "present",
            },
        ],
        "deliveries": [
            message("Ann", 1, 27),
            message("Ann", 1, 28),
            message("Ben", 1, 26),
            message("Cat", 1, 27),
            message("Dan", 1, 20),  # nine days ago
            message("Eve", 2, 27),
        ],
        "campaign_actions": [
            {"campaign_id": 1, "campaign_name": "Welcome", "campaign_state": "running"},
            {"campaign_id": 2, "campaign_name": "Old", "campaign_state": "stopped"},
        ],
    }
    rows = [
        {"customer_id": person, "audience": "winback", "campaign_id": 1, "campaign_name": "Welcome"}
        | {"last_message_at": plain(datetime(2026, 2, day, 9))}
        for person, day in (("Ann", 28), ("Ben", 26))
    ]
    failure = fails(enrichment, "channel_overlap", given, *rows)
    assert failure is None, failure
