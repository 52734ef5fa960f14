"""The loader of real orders: small files by hand, and a real year counted by an independent engine."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from airflow_provider_cio.sandbox.shop import ShopError, ensure_loaded, load
from airflow_provider_cio.sandbox.shop.retail import read

pytest_plugins = ("marts_lab",)
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
LINES = """
100,A,Cup,2,2010-01-01 10:00:00,1.50,7.0,United Kingdom
100,B,Mug,1,2010-01-01 10:00:00,2.25,7.0,United Kingdom
101,A,Cup,1,2010-01-02 10:00:00,1.50,,United Kingdom
C102,A,Cup,-2,2010-01-03 10:00:00,1.50,7.0,France
103,Z,,-5,2010-01-04 10:00:00,0.00,,United Kingdom
"""


@pytest.fixture
def csv(tmp_path) -> Path:
    file = tmp_path / "orders.csv"
    file.write_text(HEADER + LINES)
    return file


def test_orders_refunds_and_customers(csv):
    tables = read(csv)
    orders = tables["orders"].to_pylist()
    assert [(o["order_id"], o["customer_id"], str(o["total"])) for o in orders] == [
        ("100", "7", "5.25"),
        ("101", None, "1.50"),
        ("103", None, "0.00"),
    ]
    (refund,) = tables["refunds"].to_pylist()
    assert (refund["refund_id"], refund["customer_id"], str(refund["amount"])) == ("C102", "7", "3.00")
    (customer,) = tables["customers"].to_pylist()
    assert (customer["customer_id"], customer["country"]) == ("7", "France")
    assert tables["order_lines"].num_rows == 4


LEFT_OUT = ("lines_without_invoice_or_date", "lines_without_quantity_or_price", "adjustment_lines")


def findings_of(tables: dict[str, pa.Table]) -> dict[str, int]:
    return dict(zip(*tables["load_findings"].to_pydict().values(), strict=True))


def accounted(tables: dict[str, pa.Table]) -> int:
    findings = findings_of(tables)
    return (
        tables["order_lines"].num_rows
        + findings["cancellation_lines"]
        + sum(findings[reason] for reason in LEFT_OUT)
    )


def test_nothing_is_lost_silently(csv):
    assert findings_of(read(csv)) == {
        "lines": 5,
        "lines_without_invoice_or_date": 0,
        "lines_without_quantity_or_price": 0,
        "adjustment_lines": 0,
        "cancellation_lines": 1,
        "lines_without_customer": 2,
        "lines_without_description": 1,
        "lines_with_price_not_above_zero": 1,
        "lines_with_quantity_not_above_zero": 1,
        "orders_without_customer": 2,
        "cancellations_without_customer": 0,
        "cancellations_with_value_not_above_zero": 0,
        "invoices_with_several_customers": 0,
    }


@pytest.mark.parametrize(
    ("line", "finding"),
    [
        ("101,A,Cup,2,yesterday,1.50,7,UK", "lines_without_invoice_or_date"),
        ("101,A,Cup,2,02/01/2010 10:00,1.50,7,UK", "lines_without_invoice_or_date"),
        (",A,Cup,2,2010-01-01 10:00:00,1.50,7,UK", "lines_without_invoice_or_date"),
        ("101,A,Cup,two,2010-01-01 10:00:00,1.50,7,UK", "lines_without_quantity_or_price"),
        ("101,A,Cup,2.5,2010-01-01 10:00:00,1.50,7,UK", "lines_without_quantity_or_price"),
        ("101,A,Cup,2,2010-01-01 10:00:00,,7,UK", "lines_without_quantity_or_price"),
        ("101,A,Cup,2,2010-01-01 10:00:00,nan,7,UK", "lines_without_quantity_or_price"),
        ("101,A,Cup,99999999,2010-01-01 10:00:00,99999999,7,UK", "lines_without_quantity_or_price"),
        ("A101,B,Adjust bad debt,1,2010-01-01 10:00:00,-9.00,7,UK", "adjustment_lines"),
    ],
)
def test_a_bad_line_is_counted_and_harms_no_other(tmp_path, line, finding):
    good = "100,A,Cup,2,2010-01-01 10:00:00,1.50,7,UK\n" * 3
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEADER}\n{good}{line}\n")
    tables = read(file)
    assert [(o["order_id"], str(o["total"])) for o in tables["orders"].to_pylist()] == [("100", "9.00")]
    assert {reason: findings_of(tables)[reason] for reason in LEFT_OUT} == dict.fromkeys(LEFT_OUT, 0) | {
        finding: 1
    }
    assert accounted(tables) == 4


@pytest.mark.parametrize(
    "moment",
    ["2010-01-02 10:30:00", "2010-01-02T10:30:00", "2010-01-02 10:30", "2010-01-02 10:30:00.000000"],
)
def test_dates_as_text(tmp_path, moment):
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEADER}\n100,A,Cup,2,{moment},1.50,7,UK\n")
    assert read(file)["orders"]["ordered_at"].to_pylist() == [datetime(2010, 1, 2, 10, 30)]


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        (pa.array([datetime(2010, 7, 2, 10, 30)], pa.timestamp("ns")), datetime(2010, 7, 2, 10, 30)),
        (pa.array([datetime(2010, 7, 2, 9, 30)], pa.timestamp("us", "UTC")), datetime(2010, 7, 2, 10, 30)),
        (pa.array([date(2010, 7, 2)]), datetime(2010, 7, 2)),
    ],
)
@pytest.mark.parametrize("customer", [pa.array([7]), pa.array([7.0]), pa.array(["7"]), pa.array(["7.0"])])
def test_parquet_of_any_type(tmp_path, moments, expected, customer):
    values = [pa.array(["100"]), pa.array(["A"]), pa.array(["Cup"]), pa.array([2], pa.int32()), moments]
    values += [pa.array([1.5], pa.float32()), customer, pa.array(["UK"])]
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.table(dict(zip(HEADER.split(","), values, strict=True))), file)
    (order,) = read(file)["orders"].to_pylist()
    assert (order["ordered_at"], order["customer_id"], str(order["total"])) == (expected, "7", "3.00")


def test_an_invoice_of_two_customers_is_one_order_and_a_finding(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(f"{HEADER}\n" + "".join(f"100,A,Cup,1,2010-01-01 10:00:00,1.50,{n},UK\n" for n in (8, 7)))
    tables = read(file)
    assert tables["orders"]["customer_id"].to_pylist() == ["7"]
    assert tables["customers"]["customer_id"].to_pylist() == ["7", "8"]
    assert findings_of(tables)["invoices_with_several_customers"] == 1


def test_another_layout_is_refused(tmp_path):
    file = tmp_path / "orders.parquet"
    pq.write_table(pa.table({"Invoice": ["1"], "Price": [1.0]}), file)
    with pytest.raises(ShopError, match=r"lacks the columns StockCode, Description, Quantity.*Next step"):
        read(file)


def test_another_format_is_refused(tmp_path):
    file = tmp_path / "orders.parquet"
    file.write_text("not Parquet")
    with pytest.raises(ShopError, match=r"cannot be read.*Next step"):
        read(file)


def test_an_absent_file(shop_endpoints, tmp_path):
    with pytest.raises(ShopError, match=r"there is no file .*Next step"):
        ensure_loaded(shop_endpoints, customers=1, orders=tmp_path / "orders.parquet")


def _real_orders() -> Path | None:
    beside = Path(__file__).parents[4] / "shared" / "data" / "online_retail_ii_2009_2010.parquet"
    named = Path(os.environ.get("CIO_ORDERS", beside))
    return named if named.is_file() else None


REAL = _real_orders()


@pytest.mark.skipif(REAL is None, reason="no year of Online Retail II: name its file in CIO_ORDERS")
def test_a_real_year(shop_endpoints, redshift, build_marts):
    """Customers and orders of the marts are those that duckdb counts in the file."""
    load(shop_endpoints, customers=0, orders=REAL)
    build_marts()
    counted = duckdb.sql(
        f"""
        SELECT count(DISTINCT "Customer ID"),
               count(DISTINCT Invoice) FILTER (NOT starts_with(Invoice, 'C') AND "Customer ID" IS NOT NULL),
               count(DISTINCT Invoice) FILTER (starts_with(Invoice, 'C') AND "Customer ID" IS NOT NULL),
               count(*) FILTER ("Customer ID" IS NULL)
        FROM '{REAL}'
        """
    ).fetchall()[0]
    with redshift.cursor() as cursor:
        found = []
        for query in (
            "SELECT COUNT(*), COUNT(DISTINCT customer_id) FROM cio_marts.retention_customer_state",
            "SELECT COUNT(*), COUNT(DISTINCT order_id) FROM cio_marts.order_completed",
            "SELECT COUNT(*), COUNT(DISTINCT refund_id) FROM cio_marts.order_refunded",
        ):
            cursor.execute(query)
            (rows, keys) = cursor.fetchone()
            assert rows == keys
            found.append(rows)
        cursor.execute("SELECT rows FROM shop.load_findings WHERE finding = 'lines_without_customer'")
        found.append(cursor.fetchone()[0])
        cursor.execute("SELECT SUM(total) FROM cio_marts.order_completed")
        value = cursor.fetchone()[0]
    assert tuple(found) == counted
    expected = duckdb.sql(
        f"""SELECT sum(Price * Quantity) FROM '{REAL}'
        WHERE NOT starts_with(Invoice, 'C') AND "Customer ID" IS NOT NULL"""
    ).fetchall()[0][0]
    assert abs(float(value) - expected) < 100  # each order is rounded to the penny


@pytest.mark.skipif(REAL is None, reason="no year of Online Retail II: name its file in CIO_ORDERS")
def test_a_real_year_is_accounted_for_line_by_line():
    tables = read(REAL)
    findings = findings_of(tables)
    names = (
        "lines",
        "adjustment_lines",
        "cancellation_lines",
        "lines_without_customer",
        "lines_without_description",
        "lines_with_price_not_above_zero",
    )
    counted = duckdb.sql(
        f"""
        SELECT count(*), count(*) FILTER (starts_with(Invoice, 'A')), count(*) FILTER (starts_with(Invoice, 'C')),
               count(*) FILTER ("Customer ID" IS NULL), count(*) FILTER (trim(coalesce(Description, '')) = ''),
               count(*) FILTER (Price <= 0)
        FROM '{REAL}'
        """
    ).fetchall()[0]
    assert tuple(findings[name] for name in names) == counted
    assert accounted(tables) == counted[0]
    refunded = duckdb.sql(f"SELECT -sum(Price * Quantity) FROM '{REAL}' WHERE starts_with(Invoice, 'C')")
    assert abs(float(pc.sum(tables["refunds"]["amount"]).as_py()) - refunded.fetchall()[0][0]) < 25
