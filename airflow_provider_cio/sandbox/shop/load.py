"""Put a shop into the local Redshift: Parquet to S3, COPY."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import redshift_connector
from redshift_connector.core import Connection
from redshift_connector.error import Error as DriverError

from airflow_provider_cio.sandbox import s3
from airflow_provider_cio.sandbox.shop import retail, sample
from airflow_provider_cio.sandbox.shop.errors import ShopError
from airflow_provider_cio.sandbox.shop.tables import SCHEMA, TABLES, create_table

ROLE = "arn:aws:iam::123456789012:role/redshift-copy-unload"


def connect(endpoints: dict[str, Any]) -> Connection:
    """A connection to the sandbox's Redshift.

    :raises ShopError: nothing answers there.
    """
    try:
        return redshift_connector.connect(**endpoints["redshift"], ssl=False)
    except (DriverError, OSError) as error:
        where = "{host}:{port}".format(**endpoints["redshift"])
        raise ShopError(
            f"no sandbox answers at {where} ({type(error).__name__}). Next step: start it, `... sandbox up`."
        ) from error


def load(
    endpoints: dict[str, Any], *, customers: int, orders: Path | None = None, as_of: date | None = None
) -> dict[str, int]:
    """Load a shop in place of what was there; rows by table.

    :param customers: size of the sample shop; not used with ``orders``.
    :param as_of: where the history of the sample shop ends; not used with ``orders``.
    :raises ShopError: the orders cannot be read, or the sandbox does not answer.
    """
    if orders is None and customers < 1:
        raise ShopError(f"a shop of {customers} customers is none. Next step: ask for one or more.")
    what = _what(customers, orders, as_of)
    parts = [retail.read(orders)] if orders is not None else sample.generate(customers, as_of=as_of)
    rows: dict[str, int] = {}
    with connect(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for name in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{name}")
            cursor.execute(create_table(name))
        for number, tables in enumerate(parts):
            for name, table in tables.items():
                _copy(cursor, endpoints["s3"], name, number, table)
                rows[name] = rows.get(name, 0) + table.num_rows
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {SCHEMA}.loaded (what VARCHAR(256))")
        cursor.execute(f"DELETE FROM {SCHEMA}.loaded")
        cursor.execute(f"INSERT INTO {SCHEMA}.loaded VALUES (%s)", (what,))
        connection.commit()
    return rows


def ensure_loaded(endpoints: dict[str, Any], *, customers: int, orders: Path | None = None) -> None:
    """As ``load``, unless just this shop is there already."""
    what = _what(customers, orders)
    with connect(endpoints) as connection:
        there = _loaded(connection) == what
    if not there:
        load(endpoints, customers=customers, orders=orders)


def change_customers(endpoints: dict[str, Any], *, percent: float) -> int:
    """Turn the marketing consent of this share of the customers, always the same ones; how many (at least one).

    :raises ShopError: the percentage is not above 0 and at most 100, or no shop is loaded.
    """
    if not 0 < percent <= 100:
        raise ShopError(f"{percent} is no share of the customers. Next step: give a percentage up to 100.")
    with connect(endpoints) as connection, connection.cursor() as cursor:
        if _loaded(connection) is None:
            raise ShopError("there is no shop to change. Next step: load one, `... sandbox shop`.")
        cursor.execute(f"SELECT COUNT(DISTINCT customer_id) FROM {SCHEMA}.customers")
        ((people,),) = cursor.fetchall()
        wanted = max(1, round(int(people) * percent / 100))
        cursor.execute(
            f"UPDATE {SCHEMA}.customers SET accepts_marketing = NOT COALESCE(accepts_marketing, FALSE) "
            f"WHERE customer_id IN (SELECT customer_id FROM {SCHEMA}.customers WHERE customer_id IS NOT NULL "
            f"GROUP BY customer_id ORDER BY MD5(customer_id), customer_id LIMIT {wanted})"
        )
        connection.commit()
    return wanted


def _copy(cursor: Any, storage: dict[str, str], name: str, number: int, table: pa.Table) -> None:
    if not table.num_rows:
        return
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    key = f"shop/{name}/{number:05}.parquet"
    client = s3.client(storage["endpoint_url"])
    client.put_object(Bucket=storage["bucket"], Key=key, Body=buffer.getvalue())
    source = f"s3://{storage['bucket']}/{key}"
    cursor.execute(f"COPY {SCHEMA}.{name} FROM '{source}' IAM_ROLE '{ROLE}' FORMAT AS PARQUET")
    client.delete_object(Bucket=storage["bucket"], Key=key)
    client.close()


def _what(customers: int, orders: Path | None, as_of: date | None = None) -> str:
    if orders is None:
        return json.dumps({"sample": customers} | ({"as_of": as_of.isoformat()} if as_of else {}))
    if not orders.is_file():
        raise ShopError(f"there is no file {orders}. Next step: name a Parquet or a .csv file of orders.")
    return json.dumps({"orders": orders.name, "bytes": orders.stat().st_size})


def _loaded(connection: Connection) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM svv_tables WHERE table_schema = %s AND table_name = %s", (SCHEMA, "loaded")
        )
        if not cursor.fetchall():
            return None
        cursor.execute(f"SELECT what FROM {SCHEMA}.loaded")
        found: Iterable[Any] = cursor.fetchall()
    return next((str(row[0]) for row in found), None)
