"""Rows of a frozen plan and the syncs that render them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa

from airflow_provider_cio.core.contract import Sync


def people(nulls: str = "omit", **attributes: Any) -> Sync:
    return Sync.model_validate(
        {
            "name": "people",
            "kind": "people",
            "description": "d",
            "owner": "o",
            "source": "cio_marts.people",
            "identity": {"id": "customer_id"},
            "attributes": attributes,
            "nulls": nulls,
        }
    )


def events(**properties: Any) -> Sync:
    return Sync.model_validate(
        {
            "name": "orders",
            "kind": "events",
            "description": "d",
            "owner": "o",
            "source": "cio_marts.orders",
            "identity": {"email": "email"},
            "event": 'Order "Completed" é',
            "key": "order_id",
            "occurred_at": "at",
            "lookback": "30d",
            "properties": properties,
        }
    )


def table(
    *columns: pa.Array, operations: list[str] | None = None, identifiers: list[str | None] | None = None
) -> pa.Table:
    count = len(columns[0]) if columns else len(identifiers or [])
    return pa.table(
        {
            "operation": pa.array(operations or ["upsert"] * count, pa.string()),
            "identifier": pa.array(identifiers or [f"c{n}" for n in range(count)], pa.string()),
            **{f"f_{n}": column for n, column in enumerate(columns)},
        }
    )


def column(values: list[Any], kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(values, kind)


def parsed(item: bytes) -> Any:
    return json.loads(item, parse_float=lambda text: Decimal(text))
