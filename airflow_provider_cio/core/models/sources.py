"""The tables that the models read, in the shape in which they read them, whatever a team's own are called.

What a team does not have is left out of `models.yaml`: the models see an empty table, or a column of nulls, and
the build says by name what that costs (a degradation). Tables of this provider (`ours`: what Customer.io did, holdouts,
audiences) need no mapping: they are read where they are, from the day on which they are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_cio.core.columns import Family

Kind = Literal["key", "text", "number", "whole", "truth", "moment"]

SQL_TYPES: Mapping[Kind, str] = {
    "key": "VARCHAR(256)",
    "text": "VARCHAR(1024)",
    "number": "DECIMAL(18, 4)",
    "whole": "BIGINT",
    "truth": "BOOLEAN",
    "moment": "TIMESTAMP",
}
ACCEPTED: Mapping[Kind, frozenset[Family]] = {
    "key": frozenset({"text", "integer", "decimal"}),
    "text": frozenset({"text", "integer", "decimal"}),
    "number": frozenset({"integer", "decimal", "float"}),
    "whole": frozenset({"integer", "decimal"}),
    "truth": frozenset({"boolean"}),
    "moment": frozenset({"date", "timestamp", "timestamptz"}),
}
"""Which types of Redshift a column may have: another one stops the build."""


@dataclass(frozen=True)
class SourceColumn:
    """A column as the models read it; `lost` says what its absence costs, and is empty where it is needed."""

    kind: Kind
    meaning: str
    lost: str = ""


@dataclass(frozen=True)
class SourceTable:
    """A table as the models read it; rows whose `moment` is not before `as_of` are not there.

    :param ours: where this provider keeps it, in UTC and with these names of columns; a mapping goes before it.
    """

    meaning: str
    moment: str | None
    columns: Mapping[str, SourceColumn]
    lost: str = ""
    ours: str = ""


def _key(meaning: str, lost: str = "") -> SourceColumn:
    return SourceColumn("key", meaning, lost)


def _moment(meaning: str, lost: str = "") -> SourceColumn:
    return SourceColumn("moment", meaning, lost)


def _number(meaning: str, lost: str = "") -> SourceColumn:
    return SourceColumn("number", meaning, lost)


def _text(meaning: str, lost: str = "") -> SourceColumn:
    return SourceColumn("text", meaning, lost)


def _whole(meaning: str, lost: str = "") -> SourceColumn:
    return SourceColumn("whole", meaning, lost)


_CUSTOMER = _key("Customer's number", "rows without an account's number are nobody's")

SOURCES: Mapping[str, SourceTable] = {
    "customers": SourceTable(
        "Registered customers",
        "created_at",
        {
            "customer_id": _key("The one identifier of a person"),
            "email": _key("Email", "orders of guests cannot be given to a customer"),
            "first_name": _text("First name", "first_name is null"),
            "last_name": _text("Last name", "last_name is null"),
            "country": _text("Country", "country is null"),
            "created_at": _moment("When the account was made", "all accounts count as there from the start"),
            "accepts_marketing": SourceColumn(
                "truth", "Consent given in the shop", "nobody is suppressed for a missing consent"
            ),
        },
    ),
    "email_changes": SourceTable(
        "Changes of an email",
        "changed_at",
        {
            "customer_id": _key("Whose email it was"),
            "old_email": _key("Email before"),
            "changed_at": _moment("When it changed"),
        },
        "orders of guests under an email that was given up are nobody's",
    ),
    "products": SourceTable(
        "Products",
        None,
        {
            "sku": _key("Product's number"),
            "name": _text("Name", "name is null"),
            "category": _key("Category", "category affinity and cycles by category are null"),
            "unit_cost": _number("Cost of one unit", "margins are null and gross_margin_bucket is 'unknown'"),
        },
        "categories and margins are null",
    ),
    "orders": SourceTable(
        "Orders, paid or not",
        "ordered_at",
        {
            "order_id": _key("Order's number"),
            "customer_id": _CUSTOMER,
            "email": _key("Email of the order", "orders of guests are nobody's"),
            "ordered_at": _moment("When it was ordered"),
            "currency": _key("Currency of the amounts", "all orders are in the currency of the business"),
            "discount": _number("Reduction that is in the total", "discount sensitivity is 0"),
            "total": _number("What the customer owes"),
        },
    ),
    "order_lines": SourceTable(
        "Lines of orders",
        None,
        {
            "order_id": _key("Order's number"),
            "line_number": SourceColumn("whole", "Tells the lines of an order apart"),
            "sku": _key("Product's number"),
            "quantity": _number("Units"),
            "unit_price": _number("Price of one unit, in the order's currency"),
        },
        "products, affinity, margins and replenishment are null or empty",
    ),
    "discounts": SourceTable(
        "Reductions by order and code",
        None,
        {
            "order_id": _key("Order's number"),
            "code": _key("Code", "codes are null"),
            "amount": _number("Reduction, in the order's currency"),
        },
        "reductions are those of the orders themselves",
    ),
    "payments": SourceTable(
        "Attempts to pay",
        "paid_at",
        {
            "order_id": _key("Order's number"),
            "status": _key("'paid' or anything else"),
            "paid_at": _moment("When it was tried"),
        },
        "every order counts as paid",
    ),
    "refunds": SourceTable(
        "Refunds and cancellations",
        "refunded_at",
        {
            "refund_id": _key("Refund's number"),
            "order_id": _key("Order's number", "refunds correct a customer's value, not an order's state"),
            "customer_id": _CUSTOMER,
            "refunded_at": _moment("When it was refunded"),
            "amount": _number("What was paid back, above zero, in the order's currency"),
            "reason": _text("Reason", "reason is null"),
        },
        "orders are never refunded",
    ),
    "returns": SourceTable(
        "Goods that came back, for money or for other goods",
        "returned_at",
        {
            "return_id": _key("Return's number"),
            "order_id": _key("Order's number"),
            "sku": _key("Product's number", "sku is null"),
            "returned_at": _moment("When they came back"),
            "is_exchange": SourceColumn("truth", "Exchanged for other goods", "exchanges count as returns"),
        },
        "the return rate knows refunds only",
    ),
    "chargebacks": SourceTable(
        "Payments that a bank took back",
        "received_at",
        {
            "chargeback_id": _key("Chargeback's number"),
            "order_id": _key("Order's number"),
            "amount": _number("What was taken back, in the order's currency"),
            "received_at": _moment("When it was taken back"),
        },
        "orders are never charged back",
    ),
    "carts": SourceTable(
        "States of carts",
        "updated_at",
        {
            "cart_id": _key("Cart's number"),
            "customer_id": _CUSTOMER,
            "sku": _key("Product's number", "sku and value of a cart are null"),
            "quantity": _number("Units", "one unit each"),
            "updated_at": _moment("When it was changed"),
        },
        "cart_high_intent is empty, and there is no event 'Cart Updated'",
    ),
    "checkouts": SourceTable(
        "Checkouts that were started",
        "started_at",
        {
            "checkout_id": _key("Checkout's number"),
            "cart_id": _key("Cart's number", "cart_id is null"),
            "customer_id": _CUSTOMER,
            "email": _key("Email of the checkout", "checkouts of guests are nobody's"),
            "started_at": _moment("When it was started"),
        },
        "there is no event 'Checkout Started'",
    ),
    "sessions": SourceTable(
        "Visits",
        "started_at",
        {
            "session_id": _key("Visit's number"),
            "customer_id": _CUSTOMER,
            "started_at": _moment("When it began"),
        },
        "inactivity does not see visits",
    ),
    "product_views": SourceTable(
        "Products that were looked at",
        "viewed_at",
        {
            "session_id": _key("Visit's number"),
            "customer_id": _CUSTOMER,
            "sku": _key("Product's number"),
            "viewed_at": _moment("When it was looked at"),
        },
        "high_intent_non_buyers sees carts and checkouts only, and there is no event 'Product Viewed'",
    ),
    "stock_requests": SourceTable(
        "Wishes to hear when a product is back",
        "requested_at",
        {
            "request_id": _key("Wish's number"),
            "customer_id": _CUSTOMER,
            "sku": _key("Product's number"),
            "requested_at": _moment("When it was asked"),
        },
        "there is no event 'Back In Stock Requested'",
    ),
    "subscriptions": SourceTable(
        "Subscriptions",
        "started_at",
        {
            "subscription_id": _key("Subscription's number"),
            "customer_id": _CUSTOMER,
            "sku": _key("Product's number", "a subscription does not stop a reminder to buy again"),
            "status": _key("'active', 'paused' or 'cancelled'"),
            "started_at": _moment("When it began"),
            "ended_at": _moment("When it was paused or cancelled", "there are no events of subscriptions"),
        },
        "subscription_state is 'none' for everybody",
    ),
    "tickets": SourceTable(
        "Support tickets",
        "opened_at",
        {
            "ticket_id": _key("Ticket's number"),
            "customer_id": _CUSTOMER,
            "topic": _text("Topic", "topic is null"),
            "opened_at": _moment("When it was opened"),
        },
        "nobody is support-sensitive, and inactivity does not see tickets",
    ),
    "deliveries": SourceTable(
        "Messages that Customer.io made, one row each",
        "sent_at",
        {
            "delivery_id": _key("Customer.io's id of the message"),
            "customer_id": _key("Customer's number", "a message is given to a person by cio_id only"),
            "cio_id": _key("Customer.io's own id of the person", "messages without customer_id are nobody's"),
            "channel": _key("email, sms, push, in_app, whatsapp", "all messages count as email"),
            "campaign_id": _whole("Campaign that sent it", "messages of campaigns are of no campaign"),
            "broadcast_id": _whole("Broadcast that sent it", "messages of broadcasts are of none"),
            "newsletter_id": _whole("Newsletter that sent it", "messages of newsletters are of none"),
            "transactional_message_id": _whole(
                "Transactional message", "transactional messages count as contact"
            ),
            "variation": _whole("Step or variation", "performance is not told by step"),
            "sent_at": _moment("When it was sent"),
        },
        "marts of messages are empty, last_message_ts and engagement are null: nobody counts as messaged",
        ours="cio_staging.stg_customerio__deliveries",
    ),
    "delivery_metrics": SourceTable(
        "What became of messages, by first moments",
        None,
        {
            "delivery_id": _key("Customer.io's id of the message"),
            "first_opened_at": _moment(
                "Opened, by whomever; read for messages other than emails",
                "opens of other messages than emails count where they are marked as a person's",
            ),
            "first_human_opened_at": _moment(
                "Opened by a person, not by a machine", "nobody opened an email"
            ),
            "first_clicked_at": _moment(
                "A link was clicked, by whomever; read for messages other than emails",
                "clicks in other messages than emails count where they are marked as a person's",
            ),
            "first_human_clicked_at": _moment(
                "A link was clicked by a person, not by a machine", "nobody clicked in an email"
            ),
            "first_unsubscribed_at": _moment("Unsubscribed from it", "nobody unsubscribed from a message"),
        },
        "nobody opened or clicked anything",
        ours="cio_staging.stg_customerio__delivery_metrics",
    ),
    "profiles": SourceTable(
        "Customer.io's ids of people",
        None,
        {
            "cio_id": _key("Customer.io's own id of the person"),
            "customer_id": _key("Customer's number"),
        },
        "messages without customer_id are nobody's",
        ours="cio_staging.stg_customerio__people",
    ),
    "campaign_actions": SourceTable(
        "Steps of campaigns",
        None,
        {
            "campaign_id": _whole("Campaign"),
            "campaign_name": _text("Its name", "campaigns have no names"),
            "campaign_state": _key("Its state", "a stopped campaign's journeys count as live"),
        },
        "campaigns have no names, and every one counts as running",
        ours="cio_staging.stg_customerio__campaign_actions",
    ),
    "holdouts": SourceTable(
        "Who was held out of which experiment",
        "assigned_at",
        {
            "experiment": _key("Experiment"),
            "member": _key("Customer's number, or email"),
            "held_out": SourceColumn("truth", "Held out, or treated"),
            "assigned_at": _moment("When it was drawn"),
        },
        "holdout_lift is empty",
        ours="cio_sync.holdout_assignments",
    ),
    "audience_members": SourceTable(
        "Which identifiers are in which audience",
        "added_at",
        {
            "audience": _key("Audience"),
            "destination": _key("Destination"),
            "field": _key("Kind of identifier"),
            "identifier": _key("Hash, or id"),
            "state": _key("present, adding, add_sent, removing, remove_sent or absent"),
            "added_at": _moment("When it was added"),
        },
        "channel_overlap is empty",
        ours="cio_sync.audience_members",
    ),
}


def degradations(known: Collection[str]) -> dict[str, str]:
    """What is not there, by name (`tickets`, `orders.discount`), and what it costs.

    :param known: `source.column` of all columns that are there.
    """
    lost: dict[str, str] = {}
    for name, table in SOURCES.items():
        missing = {f"{name}.{column}": spec.lost for column, spec in table.columns.items()}
        missing = {key: cost for key, cost in missing.items() if key not in known}
        lost |= {name: table.lost} if len(missing) == len(table.columns) else missing
    return lost
