"""The tables of a shop, as Redshift and Parquet know them."""

from __future__ import annotations

import pyarrow as pa

from airflow_provider_cio.sandbox.shop.columns import MONEY, TIME

SCHEMA = "shop"
TEXT, WHOLE, TRUTH = pa.string(), pa.int64(), pa.bool_()
UNIT_PRICE = pa.decimal128(12, 4)

TABLES: dict[str, dict[str, pa.DataType]] = {
    "customers": {
        "customer_id": TEXT,
        "email": TEXT,
        "first_name": TEXT,
        "last_name": TEXT,
        "country": TEXT,
        "created_at": TIME,
        "accepts_marketing": TRUTH,
    },
    "email_changes": {"customer_id": TEXT, "old_email": TEXT, "new_email": TEXT, "changed_at": TIME},
    "products": {"sku": TEXT, "name": TEXT, "category": TEXT, "unit_cost": MONEY},
    "sessions": {"session_id": TEXT, "customer_id": TEXT, "started_at": TIME, "channel": TEXT},
    "product_views": {"session_id": TEXT, "customer_id": TEXT, "sku": TEXT, "viewed_at": TIME},
    "carts": {"cart_id": TEXT, "customer_id": TEXT, "sku": TEXT, "quantity": WHOLE, "updated_at": TIME},
    "checkouts": {
        "checkout_id": TEXT,
        "cart_id": TEXT,
        "customer_id": TEXT,
        "email": TEXT,
        "started_at": TIME,
    },
    "orders": {
        "order_id": TEXT,
        "customer_id": TEXT,
        "email": TEXT,
        "ordered_at": TIME,
        "currency": TEXT,
        "discount": MONEY,
        "total": MONEY,
    },
    "order_lines": {
        "order_id": TEXT,
        "line_number": WHOLE,
        "sku": TEXT,
        "quantity": WHOLE,
        "unit_price": UNIT_PRICE,
    },
    "payments": {"payment_id": TEXT, "order_id": TEXT, "status": TEXT, "amount": MONEY, "paid_at": TIME},
    "refunds": {
        "refund_id": TEXT,
        "order_id": TEXT,
        "customer_id": TEXT,
        "refunded_at": TIME,
        "amount": MONEY,
        "reason": TEXT,
    },
    "returns": {"return_id": TEXT, "order_id": TEXT, "sku": TEXT, "quantity": WHOLE, "returned_at": TIME},
    "chargebacks": {"chargeback_id": TEXT, "order_id": TEXT, "amount": MONEY, "received_at": TIME},
    "subscriptions": {
        "subscription_id": TEXT,
        "customer_id": TEXT,
        "sku": TEXT,
        "status": TEXT,
        "started_at": TIME,
        "ended_at": TIME,
    },
    "tickets": {"ticket_id": TEXT, "customer_id": TEXT, "topic": TEXT, "opened_at": TIME},
    "load_findings": {"finding": TEXT, "rows": WHOLE},
}
_REDSHIFT = {
    TEXT: "VARCHAR(256)",
    WHOLE: "BIGINT",
    TRUTH: "BOOLEAN",
    TIME: "TIMESTAMP",
    MONEY: "DECIMAL(12,2)",
    UNIT_PRICE: "DECIMAL(12,4)",
}


def create_table(name: str) -> str:
    """Its CREATE TABLE. Timestamps are the shop's local time, without a zone, as shops keep them."""
    columns = ", ".join(f'"{column}" {_REDSHIFT[kind]}' for column, kind in TABLES[name].items())
    return f"CREATE TABLE {SCHEMA}.{name} ({columns})"


def conform(name: str, columns: dict[str, pa.Array]) -> pa.Table:
    """Columns in the table's order and types."""
    wanted = TABLES[name]
    return pa.table({column: columns[column].cast(kind) for column, kind in wanted.items()})
