"""The tables of the shop: who bought what, and when."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_cio.core.models.source_shape import SourceTable, key, moment, number, text, truth, whole

_CUSTOMER = key("Customer's number", "rows without an account's number are nobody's")

SHOP: Mapping[str, SourceTable] = {
    "customers": SourceTable(
        "Registered customers",
        "created_at",
        {
            "customer_id": key("The one identifier of a person"),
            "email": key("Email", "orders of guests cannot be given to a customer"),
            "first_name": text("First name", "first_name is null"),
            "last_name": text("Last name", "last_name is null"),
            "country": text("Country", "country is null"),
            "created_at": moment("When the account was made", "all accounts count as there from the start"),
            "accepts_marketing": truth(
                "Consent given in the shop", "nobody is suppressed for a missing consent"
            ),
        },
    ),
    "email_changes": SourceTable(
        "Changes of an email",
        "changed_at",
        {
            "customer_id": key("Whose email it was"),
            "old_email": key("Email before"),
            "changed_at": moment("When it changed"),
        },
        "orders of guests under an email that was given up are nobody's",
    ),
    "products": SourceTable(
        "Products",
        None,
        {
            "sku": key("Product's number"),
            "name": text("Name", "name is null"),
            "category": key("Category", "category affinity and cycles by category are null"),
            "unit_cost": number("Cost of one unit", "margins are null and gross_margin_bucket is 'unknown'"),
        },
        "categories and margins are null",
    ),
    "orders": SourceTable(
        "Orders, paid or not",
        "ordered_at",
        {
            "order_id": key("Order's number"),
            "customer_id": _CUSTOMER,
            "email": key("Email of the order", "orders of guests are nobody's"),
            "ordered_at": moment("When it was ordered"),
            "currency": key("Currency of the amounts", "all orders are in the currency of the business"),
            "discount": number("Reduction that is in the total", "discount sensitivity is 0"),
            "total": number("What the customer owes"),
        },
    ),
    "order_lines": SourceTable(
        "Lines of orders",
        None,
        {
            "order_id": key("Order's number"),
            "line_number": whole("Tells the lines of an order apart"),
            "sku": key("Product's number"),
            "quantity": number("Units"),
            "unit_price": number("Price of one unit, in the order's currency"),
        },
        "products, affinity, margins and replenishment are null or empty",
    ),
    "discounts": SourceTable(
        "Reductions by order and code",
        None,
        {
            "order_id": key("Order's number"),
            "code": key("Code", "codes are null"),
            "amount": number("Reduction, in the order's currency"),
        },
        "reductions are those of the orders themselves",
    ),
    "payments": SourceTable(
        "Attempts to pay",
        "paid_at",
        {
            "order_id": key("Order's number"),
            "status": key("'paid' or anything else"),
            "paid_at": moment("When it was tried"),
        },
        "every order counts as paid",
    ),
    "refunds": SourceTable(
        "Refunds and cancellations",
        "refunded_at",
        {
            "refund_id": key("Refund's number"),
            "order_id": key("Order's number", "refunds correct a customer's value, not an order's state"),
            "customer_id": _CUSTOMER,
            "refunded_at": moment("When it was refunded"),
            "amount": number("What was paid back, above zero, in the order's currency"),
            "reason": text("Reason", "reason is null"),
        },
        "orders are never refunded",
    ),
    "returns": SourceTable(
        "Goods that came back, for money or for other goods",
        "returned_at",
        {
            "return_id": key("Return's number"),
            "order_id": key("Order's number"),
            "sku": key("Product's number", "sku is null"),
            "returned_at": moment("When they came back"),
            "is_exchange": truth("Exchanged for other goods", "exchanges count as returns"),
        },
        "the return rate knows refunds only",
    ),
    "chargebacks": SourceTable(
        "Payments that a bank took back",
        "received_at",
        {
            "chargeback_id": key("Chargeback's number"),
            "order_id": key("Order's number"),
            "amount": number("What was taken back, in the order's currency"),
            "received_at": moment("When it was taken back"),
        },
        "orders are never charged back",
    ),
    "carts": SourceTable(
        "States of carts",
        "updated_at",
        {
            "cart_id": key("Cart's number"),
            "customer_id": _CUSTOMER,
            "sku": key("Product's number", "sku and value of a cart are null"),
            "quantity": number("Units", "one unit each"),
            "updated_at": moment("When it was changed"),
        },
        "cart_high_intent is empty, and there is no event 'Cart Updated'",
    ),
    "checkouts": SourceTable(
        "Checkouts that were started",
        "started_at",
        {
            "checkout_id": key("Checkout's number"),
            "cart_id": key("Cart's number", "cart_id is null"),
            "customer_id": _CUSTOMER,
            "email": key("Email of the checkout", "checkouts of guests are nobody's"),
            "started_at": moment("When it was started"),
        },
        "there is no event 'Checkout Started'",
    ),
    "sessions": SourceTable(
        "Visits",
        "started_at",
        {
            "session_id": key("Visit's number"),
            "customer_id": _CUSTOMER,
            "started_at": moment("When it began"),
        },
        "inactivity does not see visits",
    ),
    "product_views": SourceTable(
        "Products that were looked at",
        "viewed_at",
        {
            "session_id": key("Visit's number"),
            "customer_id": _CUSTOMER,
            "sku": key("Product's number"),
            "viewed_at": moment("When it was looked at"),
        },
        "high_intent_non_buyers sees carts and checkouts only, and there is no event 'Product Viewed'",
    ),
    "stock_requests": SourceTable(
        "Wishes to hear when a product is back",
        "requested_at",
        {
            "request_id": key("Wish's number"),
            "customer_id": _CUSTOMER,
            "sku": key("Product's number"),
            "requested_at": moment("When it was asked"),
        },
        "there is no event 'Back In Stock Requested'",
    ),
    "subscriptions": SourceTable(
        "Subscriptions",
        "started_at",
        {
            "subscription_id": key("Subscription's number"),
            "customer_id": _CUSTOMER,
            "sku": key("Product's number", "a subscription does not stop a reminder to buy again"),
            "status": key("'active', 'paused' or 'cancelled'"),
            "started_at": moment("When it began"),
            "ended_at": moment("When it was paused or cancelled", "there are no events of subscriptions"),
        },
        "subscription_state is 'none' for everybody",
    ),
    "tickets": SourceTable(
        "Support tickets",
        "opened_at",
        {
            "ticket_id": key("Ticket's number"),
            "customer_id": _CUSTOMER,
            "topic": text("Topic", "topic is null"),
            "opened_at": moment("When it was opened"),
        },
        "nobody is support-sensitive, and inactivity does not see tickets",
    ),
}
