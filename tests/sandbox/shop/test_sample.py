"""The sample shop: the same each time, untidy in known ways, and what the marts make of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from airflow_provider_cio.sandbox.ports import free_port
from airflow_provider_cio.sandbox.shop import ShopError, change_customers, ensure_loaded, load, sample
from airflow_provider_cio.sandbox.shop.columns import TIME
from airflow_provider_cio.sandbox.shop.tables import TABLES

pytest_plugins = ("marts_lab",)
DAY = date(2026, 11, 1)


def whole(customers: int) -> dict[str, pa.Table]:
    parts = list(sample.generate(customers, as_of=DAY))
    return {name: pa.concat_tables([p[name] for p in parts if name in p]) for name in parts[0]}


@pytest.fixture(scope="module")
def shop() -> dict[str, pa.Table]:
    return whole(3000)


def test_it_is_the_same_each_time(shop):
    again = whole(3000)
    assert all(again[name].equals(table) for name, table in shop.items())


def test_every_table_has_rows(shop):
    assert set(shop) == set(TABLES) - {"load_findings"}
    assert all(table.num_rows for table in shop.values())


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("tickets", "ticket_id"),
        ("orders", "order_id"),
        ("refunds", "refund_id"),
        ("sessions", "session_id"),
    ],
)
def test_keys_are_unique(shop, table, key):
    assert pc.count_distinct(shop[table][key]).as_py() == shop[table].num_rows


def test_keys_stay_unique_over_parts(monkeypatch):
    monkeypatch.setattr(sample, "CUSTOMERS_AT_ONCE", 100)
    orders = whole(350)["orders"]["order_id"]
    assert pc.count_distinct(orders).as_py() == len(orders)


def test_it_is_untidy(shop):
    emails = shop["customers"]["email"]
    assert emails.null_count
    assert pc.count_distinct(emails).as_py() < len(emails) - emails.null_count
    assert shop["orders"]["customer_id"].null_count  # guests
    assert shop["email_changes"].num_rows
    ids = shop["customers"]["customer_id"]
    assert ids.null_count
    assert len(pc.unique(ids.drop_null())) == 3000 < len(ids) - ids.null_count
    assert "failed" in shop["payments"]["status"].to_pylist()


def test_totals_are_the_lines_minus_the_discount(shop):
    lines = shop["order_lines"]
    value = pc.multiply(lines["unit_price"], lines["quantity"].cast(pa.decimal128(19, 0)))
    sums = lines.append_column("value", value).group_by("order_id").aggregate([("value", "sum")])
    by_order = dict(zip(sums["order_id"].to_pylist(), sums["value_sum"].to_pylist(), strict=True))
    for order in shop["orders"].slice(0, 500).to_pylist():
        assert by_order[order["order_id"]] == order["total"] + order["discount"]


def test_marts_of_the_sample(shop_endpoints, redshift, build_marts):
    load(shop_endpoints, customers=800)
    build_marts()
    with redshift.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), COUNT(DISTINCT customer_id), COUNT(email), COUNT(DISTINCT email) "
            "FROM cio_marts.retention_customer_state"
        )
        rows, people, emails, addresses = cursor.fetchone()
        assert rows == people == 800
        assert emails == addresses < 800
        cursor.execute(
            "SELECT COUNT(*), COUNT(DISTINCT order_id), SUM(CASE WHEN is_first_order THEN 1 ELSE 0 END), "
            "COUNT(DISTINCT customer_id) FROM cio_marts.order_completed"
        )
        orders, keys, firsts, buyers = cursor.fetchone()
        assert orders == keys
        assert firsts == buyers
        cursor.execute(
            "SELECT COUNT(*) FROM cio_marts.order_completed AS o "
            "JOIN shop.payments AS p ON p.order_id = o.order_id WHERE p.status = 'failed'"
        )
        assert cursor.fetchone()[0] == 0
        cursor.execute(
            "SELECT COUNT(*) FROM cio_marts.retention_customer_state "
            "WHERE last_paid_order_at < last_order_at OR order_state = 'refunded'"
        )
        assert cursor.fetchone()[0] > 0


def _rows(connection, query: str) -> list[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


@pytest.fixture
def loaded(shop, shop_endpoints, redshift, build_marts):
    """The shop of `shop` in Redshift, with its marts."""
    load(shop_endpoints, customers=3000, as_of=DAY)
    build_marts()
    return redshift


def test_nothing_stays_in_s3(loaded, s3):
    assert s3.keys() == []


def test_orders_find_their_customer(shop, loaded):
    """By number; else by email; else by an email that a customer gave up. The rest is nobody's."""
    people = {row["customer_id"]: row for row in shop["customers"].to_pylist() if row["customer_id"]}
    owner: dict[str, str] = {}
    for change in sorted(shop["email_changes"].to_pylist(), key=lambda row: row["changed_at"]):
        owner[change["old_email"]] = change["customer_id"]
    first = sorted(people.values(), key=lambda row: (row["created_at"], row["customer_id"]), reverse=True)
    owner |= {row["email"]: row["customer_id"] for row in first if row["email"]}
    failed = {row["order_id"] for row in shop["payments"].to_pylist() if row["status"] == "failed"}
    orders = [row for row in shop["orders"].to_pylist() if row["order_id"] not in failed]
    by_number = {row["order_id"]: row["customer_id"] for row in orders if row["customer_id"]}
    guests = {row["order_id"]: owner.get(row["email"]) for row in orders if not row["customer_id"]}
    old = {row["old_email"] for row in shop["email_changes"].to_pylist()}
    assert any(row["order_id"] in guests and row["email"] in old for row in orders)
    known = {order: customer for order, customer in guests.items() if customer}
    found = _rows(loaded, "SELECT order_id, customer_id FROM cio_marts.order_completed")
    assert dict(found) == by_number | known
    assert len(found) == len(by_number) + len(known)


def test_times_are_utc(shop, loaded):
    local = dict(
        zip(shop["orders"]["order_id"].to_pylist(), shop["orders"]["ordered_at"].to_pylist(), strict=True)
    )
    found = _rows(loaded, "SELECT order_id, occurred_at FROM cio_marts.order_completed")
    london = ZoneInfo("Europe/London")
    for order, moment in found:
        back = moment.replace(tzinfo=UTC).astimezone(london).replace(tzinfo=None)
        assert back == local[order]
    assert {(local[order] - moment).seconds for order, moment in found} == {0, 3600}


def test_state_is_the_sum_of_orders_and_refunds(loaded):
    state = _rows(
        loaded,
        "SELECT customer_id, lifetime_orders, lifetime_value, is_first_time_buyer, is_repeat_buyer, vip_tier "
        "FROM cio_marts.retention_customer_state",
    )
    orders: dict[str, list[Decimal]] = defaultdict(list)
    for customer, total in _rows(loaded, "SELECT customer_id, total FROM cio_marts.order_completed"):
        orders[customer].append(total)
    refunds: dict[str, Decimal] = defaultdict(Decimal)
    for customer, amount in _rows(loaded, "SELECT customer_id, amount FROM cio_marts.order_refunded"):
        refunds[customer] += amount
    lost: dict[str, Decimal] = defaultdict(Decimal)
    for customer, amount in _rows(loaded, "SELECT customer_id, amount FROM cio_staging.stg_chargebacks"):
        lost[customer] += amount
    assert lost
    assert {row[5] for row in state} == {"none", "silver", "gold"}
    for customer, count, value, first_time, repeat, tier in state:
        assert count == len(orders[customer])
        assert value == sum(orders[customer]) - refunds[customer] - lost[customer]
        assert (first_time, repeat) == (count == 1, count > 1)
        assert tier == ("gold" if value >= 1000 else "silver" if value >= 300 else "none")


def test_history_ends_with_the_day(shop):
    for table in shop.values():
        for field in table.schema:
            if field.type == TIME and table.num_rows:
                assert pc.max(table[field.name]).as_py() < datetime(2026, 11, 1) + timedelta(hours=2)


def test_loading_again_changes_nothing_and_one_percent_is_one_percent(shop_endpoints, redshift, build_marts):
    ensure_loaded(shop_endpoints, customers=800)
    build_marts()
    query = "SELECT customer_id, accepts_marketing FROM cio_marts.retention_customer_state"
    seen = [_people(redshift, query)]
    for _ in range(2):
        changed = change_customers(shop_endpoints, percent=1)
        ensure_loaded(shop_endpoints, customers=800)
        build_marts()
        seen.append(_people(redshift, query))
        assert changed == 8
        assert len(set(seen[-1]) - set(seen[-2])) == 8
        assert len(seen[-1]) == 800


def _people(connection, query: str) -> list[tuple[Any, ...]]:
    found = [tuple(row) for row in _rows(connection, query)]
    connection.commit()
    return found


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_share_that_is_none(shop_endpoints, percent):
    with pytest.raises(ShopError, match="is no share of the customers"):
        change_customers(shop_endpoints, percent=percent)


def test_no_shop_to_change(shop_endpoints):
    with pytest.raises(ShopError, match="there is no shop to change"):
        change_customers(shop_endpoints, percent=1)


def test_an_empty_shop_is_refused(shop_endpoints):
    with pytest.raises(ShopError, match="ask for one or more"):
        load(shop_endpoints, customers=0)


def test_a_sandbox_that_is_gone(shop_endpoints):
    gone = shop_endpoints | {"redshift": shop_endpoints["redshift"] | {"port": free_port()}}
    with pytest.raises(ShopError, match=r"no sandbox answers at .*Next step: start it"):
        load(gone, customers=10)
