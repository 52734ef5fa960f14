"""What happened in the sample shop since yesterday: its history ends with a month, and carts are hot for three days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_cio.sandbox.shop.load import connect
from airflow_provider_cio.sandbox.shop.tables import SCHEMA

CLOCK = ZoneInfo("Europe/London")
CART_AGE, ORDER_AGE = timedelta(hours=30), timedelta(hours=28)
_LOOK_BACK = timedelta(hours=60)


def go_on(endpoints: dict[str, Any], *, now: datetime | None = None) -> int:
    """Every tenth customer left a cart yesterday, and every other of them has bought since; how many carts.

    Nothing happens while there are carts of these days, so that it can be repeated.
    """
    now = now or datetime.now(UTC)
    with connect(endpoints) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*) FROM {SCHEMA}.carts WHERE cart_id LIKE 'L%' AND updated_at > '{_shown(now - _LOOK_BACK)}'"
        )
        ((there,),) = cursor.fetchall()
        if there:
            return 0
        mark = f"{now:%Y%m%d}"
        cursor.execute(
            f"INSERT INTO {SCHEMA}.carts (cart_id, customer_id, sku, quantity, updated_at) "
            f"SELECT 'L{mark}-' || customer_id, customer_id, sku, 1, '{_shown(now - CART_AGE)}' FROM ("
            "SELECT c.customer_id, p.sku, ROW_NUMBER() OVER (ORDER BY MD5(c.customer_id)) AS place "
            f"FROM (SELECT DISTINCT customer_id FROM {SCHEMA}.customers WHERE customer_id IS NOT NULL) AS c "
            f"CROSS JOIN (SELECT MIN(sku) AS sku FROM {SCHEMA}.products) AS p) AS numbered WHERE MOD(place, 10) = 0"
        )
        bought = (
            f"FROM (SELECT cart_id, customer_id, sku, ROW_NUMBER() OVER (ORDER BY cart_id) AS place "
            f"FROM {SCHEMA}.carts WHERE cart_id LIKE 'L{mark}-%') AS placed WHERE MOD(place, 2) = 0"
        )
        when = _shown(now - ORDER_AGE)
        for table, columns, values in (
            (
                "orders",
                "order_id, customer_id, ordered_at, currency, discount, total",
                f"customer_id, '{when}', 'GBP', 0, 40",
            ),
            ("order_lines", "order_id, line_number, sku, quantity, unit_price", "1, sku, 1, 40"),
            ("payments", "order_id, payment_id, status, amount, paid_at", f"cart_id, 'paid', 40, '{when}'"),
        ):
            cursor.execute(
                f"INSERT INTO {SCHEMA}.{table} ({columns}) SELECT 'O' || cart_id, {values} {bought}"
            )
        cursor.execute(f"SELECT COUNT(*) FROM {SCHEMA}.carts WHERE cart_id LIKE 'L{mark}-%'")
        ((left,),) = cursor.fetchall()
        connection.commit()
    return int(left)


def _shown(moment: datetime) -> str:
    """As the shop's clock shows it."""
    return f"{moment.astimezone(CLOCK):%Y-%m-%d %H:%M:%S}"
