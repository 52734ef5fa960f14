"""A skincare shop, made up: the same shop for the same size and day, with the untidiness of a real one.

Guests check out without an account, some change their email, two customers share one, some have none; a few
accounts were exported twice or without their number; refunds come late; all times are the shop's local ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa

from airflow_provider_cio.sandbox.shop import columns as c
from airflow_provider_cio.sandbox.shop.columns import Booleans, Integers
from airflow_provider_cio.sandbox.shop.products import CATALOGUE, PRICES
from airflow_provider_cio.sandbox.shop.tables import TABLES, UNIT_PRICE, conform

SEED = 20_260
CUSTOMERS_AT_ONCE = 50_000
HISTORY_DAYS = 730
FIRST_NAMES = [
    "Ada",
    "Björk",
    "Chloé",
    "Dev",
    "Emre",
    "Fatima",
    "Grace",
    "Hana",
    "Iris",
    "José",
    "Kofi",
    "Zoë",
]
LAST_NAMES = [
    "Adams",
    "Brown",
    "Çelik",
    "Dubois",
    "Evans",
    "Garcia",
    "Ito",
    "Jones",
    "Müller",
    "O'Neil",
    "Silva",
]
COUNTRIES = ["United Kingdom", "France", "Germany", "Ireland", "Netherlands", "Spain"]
CHANNELS = ["direct", "email", "search", "social"]
TOPICS = ["delivery", "ingredients", "returns", "subscription"]


def generate(customers: int, *, as_of: date | None = None) -> Iterator[dict[str, pa.Table]]:
    """All tables, in parts of at most 50,000 customers; products and findings come with the first part.

    :param as_of: the shop's history ends as this day begins (UTC); the first of this month unless given.
    """
    last = as_of or datetime.now(UTC).date().replace(day=1)
    now = int(datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp()) * c.MICROSECONDS
    for first in range(0, customers, CUSTOMERS_AT_ONCE):
        size = min(CUSTOMERS_AT_ONCE, customers - first)
        part = _Part(np.random.default_rng([SEED, first]), first, size, now)
        tables = part.tables()
        if first == 0:
            tables |= CATALOGUE
        yield {name: tables[name] for name in TABLES if name in tables}


class _Part:
    """The history of `size` neighbouring customers."""

    def __init__(self, rng: np.random.Generator, first: int, size: int, now: int) -> None:
        self.rng, self.first, self.size, self.now = rng, first, size, now
        self.numbers = np.arange(first, first + size)
        self.joined_at = now - rng.integers(1, HISTORY_DAYS * c.DAY, size)

    def tables(self) -> dict[str, pa.Table]:
        made = self._people()
        made |= self._browsing()
        orders, per_order = self._orders()
        made |= orders
        made |= self._after_orders(per_order)
        made |= self._relations()
        return made

    def _customer_ids(self, numbers: Integers) -> pa.Array:
        return c.numbered("C", numbers)

    def _emails(self, numbers: Integers, host: str = "example.com") -> pa.Array:
        return c.joined(c.numbered("person.", numbers, 1), f"@{host}")

    def _people(self) -> dict[str, pa.Table]:
        rng, size = self.rng, self.size
        shared = np.where(
            c.chance(rng, size, 0.004) & (self.numbers > self.first), self.numbers - 1, self.numbers
        )
        changed = c.chance(rng, size, 0.02)
        email = pa.array(np.where(changed, "new.", "")).cast(pa.string())
        email = c.joined(email, self._emails(shared))
        email = c.masked(email, c.chance(rng, size, 0.01))
        customers = {
            "customer_id": self._customer_ids(self.numbers),
            "email": email,
            "first_name": c.masked(
                c.pick(FIRST_NAMES, self.numbers % len(FIRST_NAMES)), c.chance(rng, size, 0.05)
            ),
            "last_name": c.pick(LAST_NAMES, self.numbers * 7 % len(LAST_NAMES)),
            "country": c.pick(COUNTRIES, c.choose(rng, size, [60, 12, 12, 6, 6, 4])),
            "created_at": c.times(c.shop_clock(self.joined_at)),
            "accepts_marketing": c.masked(pa.array(c.chance(rng, size, 0.7)), c.chance(rng, size, 0.03)),
        }
        who = self.numbers[changed]
        people = conform("customers", customers)
        changes = {
            "customer_id": self._customer_ids(who),
            "old_email": self._emails(who),
            "new_email": c.joined("new.", self._emails(who)),
            "changed_at": c.times(c.shop_clock(self._later(self.joined_at[changed]))),
        }
        return {
            "customers": pa.concat_tables([people, self._export_faults(people)]).combine_chunks(),
            "email_changes": conform("email_changes", changes),
        }

    def _export_faults(self, people: pa.Table) -> pa.Table:
        """Rows that a careless export wrote again, some of them without the customer's number."""
        rng = np.random.default_rng([SEED, self.first, 1])
        again = people.filter(pa.array(c.chance(rng, self.size, 0.004)))
        nameless = c.masked(again["customer_id"], c.chance(rng, again.num_rows, 0.5))
        return again.set_column(0, again.schema.field(0), nameless)

    def _later(self, moments: Integers) -> Integers:
        """Any moment between these and now."""
        return moments + (self.rng.random(len(moments)) * (self.now - moments)).astype(np.int64)

    def _browsing(self) -> dict[str, pa.Table]:
        rng = self.rng
        who = np.repeat(np.arange(self.size), rng.poisson(2.0, self.size))
        count = len(who)
        started = self._later(self.joined_at[who])
        session = c.numbered(f"S{self.first}-", np.arange(count))
        customer = c.masked(self._customer_ids(self.numbers[who]), c.chance(rng, count, 0.3))
        viewed = np.repeat(np.arange(count), rng.integers(1, 4, count))
        sku = self._skus(len(viewed))
        at = c.shop_clock(started[viewed] + c.position_within(viewed) * 90 * c.MICROSECONDS)
        carted = np.flatnonzero(c.chance(rng, count, 0.25))
        checked = carted[c.chance(rng, len(carted), 0.5)]
        cart_ids = c.numbered(f"K{self.first}-", np.arange(count))
        sessions = {
            "session_id": session,
            "customer_id": customer,
            "started_at": c.times(c.shop_clock(started)),
            "channel": c.pick(CHANNELS, rng.integers(0, len(CHANNELS), count)),
        }
        views = {
            "session_id": session.take(pa.array(viewed)),
            "customer_id": customer.take(pa.array(viewed)),
            "sku": sku,
            "viewed_at": c.times(at),
        }
        carts = {
            "cart_id": cart_ids.take(pa.array(carted)),
            "customer_id": customer.take(pa.array(carted)),
            "sku": self._skus(len(carted)),
            "quantity": pa.array(rng.integers(1, 4, len(carted))),
            "updated_at": c.times(c.shop_clock(started[carted] + 5 * 60 * c.MICROSECONDS)),
        }
        checkouts = {
            "checkout_id": c.numbered(f"H{self.first}-", checked),
            "cart_id": cart_ids.take(pa.array(checked)),
            "customer_id": customer.take(pa.array(checked)),
            "email": self._emails(self.numbers[who[checked]]),
            "started_at": c.times(c.shop_clock(started[checked] + 9 * 60 * c.MICROSECONDS)),
        }
        return {
            "sessions": conform("sessions", sessions),
            "product_views": conform("product_views", views),
            "carts": conform("carts", carts),
            "checkouts": conform("checkouts", checkouts),
        }

    def _skus(self, count: int) -> pa.Array:
        return (
            CATALOGUE["products"]["sku"]
            .combine_chunks()
            .take(pa.array(self.rng.integers(0, len(PRICES), count)))
        )

    def _orders(self) -> tuple[dict[str, pa.Table], _Orders]:
        rng = self.rng
        who = np.repeat(np.arange(self.size), rng.geometric(0.42, self.size) - c.chance(rng, self.size, 0.35))
        count = len(who)
        ordered = self._later(self.joined_at[who])
        guest = c.chance(rng, count, 0.06)
        line_of = np.repeat(np.arange(count), rng.integers(1, 5, count))
        product = rng.integers(0, len(PRICES), len(line_of))
        quantity = rng.integers(1, 4, len(line_of))
        gross = c.sum_by(line_of, PRICES[product] * quantity, count)
        discount = np.where(c.chance(rng, count, 0.25), gross // 10, 0)
        ids = c.numbered(f"O{self.first}-", np.arange(count))
        orders = {
            "order_id": ids,
            "customer_id": c.masked(self._customer_ids(self.numbers[who]), guest),
            "email": self._emails(self.numbers[who]),
            "ordered_at": c.times(c.shop_clock(ordered)),
            "currency": pa.array(["GBP"] * count, pa.string()),
            "discount": c.money(discount),
            "total": c.money(gross - discount),
        }
        lines = {
            "order_id": ids.take(pa.array(line_of)),
            "line_number": pa.array(c.position_within(line_of) + 1),
            "sku": CATALOGUE["products"]["sku"].combine_chunks().take(pa.array(product)),
            "quantity": pa.array(quantity),
            "unit_price": c.money(PRICES[product]).cast(UNIT_PRICE),
        }
        made = {"orders": conform("orders", orders), "order_lines": conform("order_lines", lines)}
        return made, _Orders(ids, orders["customer_id"], ordered, gross - discount)

    def _after_orders(self, orders: _Orders) -> dict[str, pa.Table]:
        rng, count = self.rng, len(orders.at)
        failed = c.chance(rng, count, 0.02)
        refunded = np.flatnonzero(c.chance(rng, count, 0.06) & ~failed)
        returned = refunded[c.chance(rng, len(refunded), 0.5)]
        disputed = np.flatnonzero(c.chance(rng, count, 0.003) & ~failed)
        late = self._later(orders.at[refunded])
        partly = np.where(
            c.chance(rng, len(refunded), 0.3), orders.total[refunded] // 2, orders.total[refunded]
        )
        payments = {
            "payment_id": c.joined("P-", orders.ids),
            "order_id": orders.ids,
            "status": c.pick(["paid", "failed"], failed.astype(np.int64)),
            "amount": c.money(orders.total),
            "paid_at": c.times(c.shop_clock(orders.at + 30 * c.MICROSECONDS)),
        }
        refunds = {
            "refund_id": c.joined("R-", orders.pick(refunded)),
            "order_id": orders.pick(refunded),
            "customer_id": orders.customers.take(pa.array(refunded)),
            "refunded_at": c.times(c.shop_clock(late)),
            "amount": c.money(partly),
            "reason": c.pick(["damaged", "unwanted", "late delivery"], rng.integers(0, 3, len(refunded))),
        }
        returns = {
            "return_id": c.joined("T-", orders.pick(returned)),
            "order_id": orders.pick(returned),
            "sku": self._skus(len(returned)),
            "quantity": pa.array(np.ones(len(returned), np.int64)),
            "returned_at": c.times(c.shop_clock(self._later(orders.at[returned]))),
        }
        chargebacks = {
            "chargeback_id": c.joined("B-", orders.pick(disputed)),
            "order_id": orders.pick(disputed),
            "amount": c.money(orders.total[disputed]),
            "received_at": c.times(c.shop_clock(self._later(orders.at[disputed]))),
        }
        return {
            "payments": conform("payments", payments),
            "refunds": conform("refunds", refunds),
            "returns": conform("returns", returns),
            "chargebacks": conform("chargebacks", chargebacks),
        }

    def _relations(self) -> dict[str, pa.Table]:
        rng = self.rng
        subscribed = np.flatnonzero(c.chance(rng, self.size, 0.15))
        asked = np.flatnonzero(c.chance(rng, self.size, 0.08))
        status = c.choose(rng, len(subscribed), [70, 10, 20])
        started = self._later(self.joined_at[subscribed])
        running: Booleans = status == 0
        subscriptions = {
            "subscription_id": c.numbered("U", self.numbers[subscribed]),
            "customer_id": self._customer_ids(self.numbers[subscribed]),
            "sku": self._skus(len(subscribed)),
            "status": c.pick(["active", "paused", "cancelled"], status),
            "started_at": c.times(c.shop_clock(started)),
            "ended_at": c.masked(c.times(c.shop_clock(self._later(started))), running),
        }
        tickets = {
            "ticket_id": c.numbered("Q", self.numbers[asked]),
            "customer_id": self._customer_ids(self.numbers[asked]),
            "topic": c.pick(TOPICS, rng.integers(0, len(TOPICS), len(asked))),
            "opened_at": c.times(c.shop_clock(self._later(self.joined_at[asked]))),
        }
        return {
            "subscriptions": conform("subscriptions", subscriptions),
            "tickets": conform("tickets", tickets),
        }


class _Orders:
    """What later tables need to know of the orders."""

    def __init__(self, ids: pa.Array, customers: pa.Array, at: Integers, total: Integers) -> None:
        self.ids, self.customers, self.at, self.total = ids, customers, at, total

    def pick(self, positions: Integers) -> pa.Array:
        return self.ids.take(pa.array(positions))
