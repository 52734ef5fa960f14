"""Built day by day and built once is the same, row for row, whatever order the rows of the sources arrive in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.engine.enrichment import EnrichmentContext, build_model, create_views, run, start
from airflow_provider_cio.sandbox.shop.tables import SCHEMA, TABLES, create_table

pytest_plugins = ("marts_lab",)
pytestmark = pytest.mark.filterwarnings(
    "ignore:Generating overly large repr"
)  # of the models, in a falsified example
START = datetime(2026, 3, 25)  # on the shop's clock, which goes forward on the 29th
LOOKBACK = 4
PEOPLE = ["C1", "C2", "C3", "C4"]
EMAILS = ["a@x.example", "b@x.example", "c@x.example"]

hours = st.integers(0, 12 * 24)
late = st.integers(0, LOOKBACK * 24 - 1)
people = st.sampled_from(PEOPLE)
emails = st.sampled_from([*EMAILS, None])
skus = st.sampled_from(["S1", "S2"])


@st.composite
def visits(draw: Any) -> list[tuple[int, int, str, dict[str, Any]]]:
    """The same of what people do beside buying."""
    found: list[tuple[int, int, str, dict[str, Any]]] = []
    for number in range(draw(st.integers(0, 3))):
        change = {"customer_id": draw(people), "old_email": draw(st.sampled_from(EMAILS))}
        found.append((draw(hours), draw(late), "email_changes", change))
        looked = {"session_id": f"S{number}", "customer_id": draw(people), "sku": draw(skus)}
        found.append((draw(hours), draw(late), "product_views", looked))
        cart = {"cart_id": f"K{number}", "customer_id": draw(people), "sku": draw(skus), "quantity": number}
        found.append((draw(hours), draw(late), "carts", cart))
        visitor = {"customer_id": draw(people)} if draw(st.booleans()) else {"email": draw(emails)}
        found.append((draw(hours), draw(late), "checkouts", {"checkout_id": f"H{number}", **visitor}))
        ended = {"status": draw(st.sampled_from(["paused", "cancelled"])), "sku": draw(skus)}
        subscription = {"subscription_id": f"U{number}", "customer_id": draw(people), **ended}
        found.append((draw(hours), draw(late), "subscriptions", subscription))
        found.append(
            (draw(hours), draw(late), "tickets", {"ticket_id": f"T{number}", "customer_id": draw(people)})
        )
    return found


@st.composite
def records(draw: Any) -> list[tuple[int, int, str, dict[str, Any]]]:
    """(hour it happened, hours until it arrives, table, row without its moment)."""
    found: list[tuple[int, int, str, dict[str, Any]]] = []
    for person in PEOPLE:
        row = {"customer_id": person, "email": draw(emails)}
        found.append((draw(hours), draw(late), "customers", row))
    for number in range(draw(st.integers(1, 8))):
        happened, order = draw(hours), f"O{number}"
        guest = draw(st.booleans())
        row = {"order_id": order, "total": 10 + number, "discount": draw(st.sampled_from([0, 2]))}
        row |= {"email": draw(emails)} if guest else {"customer_id": draw(people)}
        found.append((happened, draw(late), "orders", row))
        for line in range(draw(st.integers(0, 2))):
            lines = {
                "order_id": order,
                "line_number": line,
                "sku": draw(skus),
                "quantity": 1,
                "unit_price": 5,
            }
            found.append((happened, found[-1][1], "order_lines", lines))
        for attempt in range(draw(st.integers(0, 2))):
            status = {"payment_id": f"P{number}{attempt}", "order_id": order}
            status["status"] = draw(st.sampled_from(["paid", "failed"]))
            found.append((draw(hours), draw(late), "payments", status))
        if draw(st.booleans()):
            back = {"refund_id": f"R{number}", "order_id": order, "amount": 3}
            found.append((draw(hours), draw(late), "refunds", back))
        if draw(st.booleans()):
            dispute = {"chargeback_id": f"B{number}", "order_id": order, "amount": 10 + number}
            found.append((draw(hours), draw(late), "chargebacks", dispute))
    for number in range(draw(st.integers(0, 4))):
        sent = {
            "delivery_id": f"D{number}",
            "customer_id": draw(people),
            "type": draw(st.sampled_from(["email", "sms"])),
        }
        happened = draw(hours)
        found.append(
            (
                happened,
                draw(late),
                "deliveries",
                sent | {"source": "webhooks", "campaign_id": 1, "recency": 1},
            )
        )
        for metric in ("sent", *draw(st.lists(st.sampled_from(["clicked", "opened"]), unique=True))):
            metrics = {"delivery_id": f"D{number}", "metric": metric, "source": "webhooks", "recency": 1}
            if metric != "sent" and draw(st.booleans()):
                metrics |= {"prefetched": True, "machine": True}
            found.append((happened + (metric != "sent"), draw(late), "metrics", metrics))
    return found + draw(visits())


def test_all_that_is_incremental_is_held_to_it() -> None:
    models = load_folder(Path(__file__).parents[3] / "sql").models
    incremental = {name for name, model in models.items() if "if incremental" in model.text}
    assert incremental
    assert incremental <= set(MARTS)


MOMENTS = {
    "customers": "created_at",
    "orders": "ordered_at",
    "payments": "paid_at",
    "refunds": "refunded_at",
    "email_changes": "changed_at",
    "product_views": "viewed_at",
    "carts": "updated_at",
    "checkouts": "started_at",
    "subscriptions": "ended_at",
    "tickets": "opened_at",
    "chargebacks": "received_at",
    "metrics": "occurred_at",
}
MESSAGES = ("deliveries", "metrics")  # Customer.io's, in UTC
MARTS = (
    "retention_events",  # incremental; so are what they read
    "high_intent_non_buyers",
    "vip_tier_history",
    "message_performance",
    "campaign_margin",
    "contact_pressure",
    "engaged_30d",
    "sms_fatigued",
)


def insert(ctx: EnrichmentContext, table: str, happened: int, row: dict[str, Any]) -> None:
    if table in MOMENTS:
        row = row | {MOMENTS[table]: str(START + timedelta(hours=happened))}
    if table == "subscriptions":
        row["started_at"] = str(START)
    values = ", ".join(
        "NULL" if v is None else f"'{v}'" if isinstance(v, str) else str(v) for v in row.values()
    )
    schema = "cio_raw" if table in MESSAGES else SCHEMA
    ctx.warehouse.run(f"INSERT INTO {schema}.{table} ({', '.join(row)}) VALUES ({values})")


@pytest.fixture
def ctx(enrichment: EnrichmentContext, only_models: Any, messages: Any) -> EnrichmentContext:
    chosen = only_models(enrichment, *MARTS)
    models = chosen.models.model_copy(update={"lookback_days": LOOKBACK})
    enrichment.warehouse.run(f"CREATE SCHEMA {SCHEMA}")
    for name in TABLES:
        enrichment.warehouse.run(create_table(name))
    return EnrichmentContext(models, chosen.folder, enrichment.warehouse)


def everything(ctx: EnrichmentContext, mart: str, relation: str) -> list[str]:
    """All rows of a mart, sorted."""
    texts = ", JSON_SERIALIZE(top_skus)" if mart == "retention_events" else ""
    return sorted(map(str, ctx.warehouse.fetch(f"SELECT *{texts} FROM {relation}")))


COMMON: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "phases": [Phase.explicit, Phase.generate],  # an example takes seconds: none are shrunk
    "suppress_health_check": [
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
}


@given(arriving=records())
@settings(max_examples=3, derandomize=True, **COMMON)
def test_incremental_is_full(
    ctx: EnrichmentContext, arriving: list[tuple[int, int, str, dict[str, Any]]]
) -> None:
    same(ctx, arriving)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(arriving=records())
@settings(max_examples=100, **COMMON)
def test_incremental_is_full_in_a_long_campaign(
    ctx: EnrichmentContext, arriving: list[tuple[int, int, str, dict[str, Any]]]
) -> None:
    same(ctx, arriving)


def same(ctx: EnrichmentContext, arriving: list[tuple[int, int, str, dict[str, Any]]]) -> None:
    """Build day by day as rows arrive, and once as a whole."""
    for name in TABLES:
        ctx.warehouse.run(f"DELETE FROM {SCHEMA}.{name}")
    for name in MESSAGES:
        ctx.warehouse.run(f"DELETE FROM cio_raw.{name}")
    if ctx.warehouse.fetch("SELECT 1 FROM information_schema.tables WHERE table_name = 'model_builds'"):
        ctx.warehouse.run("UPDATE cio_sync.model_builds SET status = 'built'")
    there: set[int] = set()
    for day in (4, 7, 11, 17):
        for number, (happened, delay, table, row) in enumerate(arriving):
            if number not in there and happened + delay < day * 24:
                insert(ctx, table, happened, row)
                there.add(number)
        as_of = (START + timedelta(days=day)).replace(tzinfo=UTC)
        build = start(ctx, as_of)
        assert (build.since is None) == (day == 4)
        run(ctx, as_of)
    assert len(there) == len(arriving)
    kept = {mart: everything(ctx, mart, f"cio_marts.{mart}") for mart in MARTS}
    full = replace(start(ctx, as_of, full=True), public=())
    create_views(ctx, full)
    for name in ctx.order:
        if ctx.folder.models[name].kind == "table":
            build_model(ctx, full, name)
    assert kept == {mart: everything(ctx, mart, full.relation(ctx, mart)) for mart in MARTS}


def test_a_cart_of_somebody_untouched_is_valued_as_a_full_build_values_it(ctx: EnrichmentContext) -> None:
    """Another person's order changes what is paid for the product on average."""
    start_of_it = [
        (0, 0, "customers", {"customer_id": "C1"}),
        (0, 0, "customers", {"customer_id": "C2"}),
        (1, 0, "carts", {"cart_id": "K1", "customer_id": "C1", "sku": "S1", "quantity": 2}),
    ]
    orders = [
        (hour, 0, table, {"order_id": f"O{hour}", **row})
        for hour, price in ((2, 5), (250, 15))
        for table, row in (
            ("orders", {"customer_id": "C2", "total": price}),
            ("order_lines", {"line_number": 1, "sku": "S1", "quantity": 1, "unit_price": price}),
        )
    ]
    same(ctx, start_of_it + orders)
    amount = "SELECT amount FROM cio_marts.retention_events WHERE event_name = 'Cart Updated'"
    assert ctx.warehouse.fetch(amount) == [(20,)]


def test_a_row_that_is_later_than_the_look_back_needs_since(ctx: EnrichmentContext) -> None:
    insert(ctx, "customers", 0, {"customer_id": "C1"})
    insert(ctx, "customers", 0, {"customer_id": "C2"})
    insert(ctx, "orders", 1, {"order_id": "O1", "customer_id": "C1", "total": 1})
    run(ctx, datetime(2026, 5, 1, tzinfo=UTC))
    insert(ctx, "orders", 2, {"order_id": "O2", "customer_id": "C1", "total": 1})
    count = "SELECT COUNT(*) FROM cio_marts.retention_events"
    run(ctx, datetime(2026, 5, 2, tzinfo=UTC))
    assert ctx.warehouse.fetch(count) == [(1,)]
    run(ctx, datetime(2026, 5, 3, tzinfo=UTC), since=START.replace(tzinfo=UTC))
    assert ctx.warehouse.fetch(count) == [(2,)]
