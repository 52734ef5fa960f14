"""A real shop's order lines in the layout of Online Retail II -> the tables of the sample shop.

Layout: Invoice, StockCode, Description, Quantity, InvoiceDate, Price, Customer ID, Country; Parquet or CSV.
Chen, D. (2012), Online Retail II, UCI Machine Learning Repository, doi 10.24432/C5CG6D, CC BY 4.0.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.sandbox.shop.columns import MONEY
from airflow_provider_cio.sandbox.shop.retail_file import read_lines
from airflow_provider_cio.sandbox.shop.tables import TABLES, conform

CURRENCY = "GBP"
_INDISPENSABLE = {
    "lines_without_invoice_or_date": ("order_id", "ordered_at"),
    "lines_without_quantity_or_price": ("quantity", "unit_price"),
}


def read(file: Path) -> dict[str, pa.Table]:
    """All tables of the shop, `load_findings` among them.

    Every line is an order's, a cancellation's, or left out for one counted reason.

    :raises ShopError: the file is not of this layout; names the columns that are missing.
    """
    lines = read_lines(file)
    usable, findings = _usable(lines)
    cancelled = pc.starts_with(usable["order_id"], "C")
    bought, returned = usable.filter(pc.invert(cancelled)), usable.filter(cancelled)
    orders, refunds = _invoices(bought), _invoices(returned)
    findings |= {
        "cancellation_lines": returned.num_rows,
        "lines_without_customer": _count(pc.is_null(lines["customer_id"])),
        "lines_without_description": _count(pc.is_null(lines["name"])),
        "lines_with_price_not_above_zero": _count(pc.less_equal(lines["unit_price"], 0)),
        "lines_with_quantity_not_above_zero": _count(pc.less_equal(bought["quantity"], 0)),
        "orders_without_customer": _count(pc.is_null(orders["customer_id"])),
        "cancellations_without_customer": _count(pc.is_null(refunds["customer_id"])),
        "cancellations_with_value_not_above_zero": _count(pc.greater_equal(refunds["amount"], 0)),
        "invoices_with_several_customers": _count(pc.greater(orders["customers"], 1))
        + _count(pc.greater(refunds["customers"], 1)),
    }
    filled = {
        "customers": _customers(lines),
        "products": _products(lines),
        "orders": _orders(orders),
        "order_lines": _order_lines(bought),
        "refunds": _refunds(refunds),
        "load_findings": conform(
            "load_findings", {"finding": pa.array(list(findings)), "rows": pa.array(list(findings.values()))}
        ),
    }
    return {name: filled.get(name, _empty(name)) for name in TABLES}


def _usable(lines: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """Lines that become part of an order or a cancellation, and how many do not, by reason."""
    findings = {"lines": lines.num_rows}
    for reason, columns in _INDISPENSABLE.items():
        missing = pc.or_(*(pc.is_null(lines[column]) for column in columns))
        findings[reason] = _count(missing)
        lines = lines.filter(pc.invert(missing))
    adjusts = pc.starts_with(lines["order_id"], "A")
    findings["adjustment_lines"] = _count(adjusts)
    return lines.filter(pc.invert(adjusts)), findings


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(pc.fill_null(mask, fill_value=False)).as_py() or 0)


def _amount(lines: pa.Table) -> pa.ChunkedArray:
    return pc.multiply(lines["unit_price"], lines["quantity"].cast(pa.decimal128(19, 0)))


def _invoices(lines: pa.Table) -> pa.Table:
    """One row per invoice: its customer (the first by number, if there are several), first moment, amount."""
    grouped = lines.append_column("amount", _amount(lines)).group_by("order_id")
    wanted = [
        ("customer_id", "min"),
        ("ordered_at", "min"),
        ("amount", "sum"),
        ("customer_id", "count_distinct"),
    ]
    found = grouped.aggregate(wanted).sort_by("order_id")
    return found.rename_columns(
        {
            "customer_id_min": "customer_id",
            "ordered_at_min": "ordered_at",
            "amount_sum": "amount",
            "customer_id_count_distinct": "customers",
        }
    )


def _customers(lines: pa.Table) -> pa.Table:
    known = lines.filter(pc.is_valid(lines["customer_id"])).sort_by(
        [("ordered_at", "ascending"), ("order_id", "ascending")]
    )
    first = known.group_by("customer_id", use_threads=False).aggregate(
        [("ordered_at", "min"), ("country", "last")]
    )
    first = first.sort_by("customer_id")
    count = first.num_rows
    nothing = pa.nulls(count, pa.string())
    return conform(
        "customers",
        {
            "customer_id": first["customer_id"],
            "email": nothing,
            "first_name": nothing,
            "last_name": nothing,
            "country": first["country_last"],
            "created_at": first["ordered_at_min"],
            "accepts_marketing": pa.nulls(count, pa.bool_()),
        },
    )


def _products(lines: pa.Table) -> pa.Table:
    named = lines.filter(pc.is_valid(lines["sku"])).sort_by("sku")
    found = named.group_by("sku").aggregate([("name", "max")]).sort_by("sku")
    count = found.num_rows
    return conform(
        "products",
        {
            "sku": found["sku"],
            "name": found["name_max"],
            "category": pa.nulls(count, pa.string()),
            "unit_cost": pa.nulls(count, MONEY),
        },
    )


def _money(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.round(values, ndigits=2).cast(pa.decimal128(38, 2), safe=False).cast(MONEY)


def _orders(orders: pa.Table) -> pa.Table:
    count = orders.num_rows
    return conform(
        "orders",
        {
            "order_id": orders["order_id"],
            "customer_id": orders["customer_id"],
            "email": pa.nulls(count, pa.string()),
            "ordered_at": orders["ordered_at"],
            "currency": pa.array([CURRENCY] * count),
            "discount": pa.nulls(count, MONEY),
            "total": _money(orders["amount"]),
        },
    )


def _order_lines(lines: pa.Table) -> pa.Table:
    numbers = pa.array(range(lines.num_rows), pa.int64())
    return conform(
        "order_lines",
        {name: lines[name] for name in ("order_id", "sku", "quantity", "unit_price")}
        | {"line_number": numbers},
    )


def _refunds(refunds: pa.Table) -> pa.Table:
    count = refunds.num_rows
    return conform(
        "refunds",
        {
            "refund_id": refunds["order_id"],
            "order_id": pa.nulls(count, pa.string()),
            "customer_id": refunds["customer_id"],
            "refunded_at": refunds["ordered_at"],
            "amount": _money(pc.negate(refunds["amount"])),
            "reason": pa.array(["cancelled"] * count),
        },
    )


def _empty(name: str) -> pa.Table:
    return pa.table({column: pa.array([], kind) for column, kind in TABLES[name].items()})
