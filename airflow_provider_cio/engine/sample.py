"""A few rows of a source as they would be sent, for `preview`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from airflow_provider_cio.core.columns import Column, Family
from airflow_provider_cio.core.event_id import ulid
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source, mapped

_ARROW: dict[Family, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "super": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us"),
}


def sample(ctx: SyncContext, n: int) -> tuple[pa.Table, tuple[Column, ...]]:
    """Up to `n` source rows in the shape of :func:`core.operations.render`, and their payload columns."""

    def read(session: Session) -> tuple[Source, list[tuple[Any, ...]]]:
        source = resolve(ctx, session)
        return source, session.fetch(f"SELECT * FROM ({mapped(source)}) AS mapped LIMIT {int(n)}")

    source, rows = ctx.warehouse.transaction(read, keep=False)
    return table_of(source, rows), tuple(column for _, column in source.fields)


def table_of(source: Source, rows: list[tuple[Any, ...]]) -> pa.Table:
    """Rows of :func:`warehouse.mapped` in the shape of :func:`core.operations.render`."""
    keys, identifiers, kinds, partners, moments, *payload = (
        zip(*rows, strict=True) if rows else ((),) * (5 + len(source.fields))
    )
    columns = [column for _, column in source.fields]
    table: dict[str, pa.Array] = {
        "operation": pa.array(["upsert"] * len(rows), pa.string()),
        "identifier": pa.array(identifiers, pa.string()),
        "identified_by": pa.array(kinds, pa.string()),
        "partner": pa.array(partners, pa.string()),
        "occurred_at": pa.array(moments, pa.timestamp("us")),
    }
    table["event_id"] = pa.array(
        [
            None
            if key is None or at is None
            else ulid(source.workspace, source.sync, key, round(at.timestamp() * 1000))
            for key, at in zip(
                keys, table["occurred_at"].cast(pa.timestamp("us", "UTC")).to_pylist(), strict=True
            )
        ],
        pa.string(),
    )
    for column, values in zip(columns, payload, strict=True):
        # A decimal's precision and scale are those of its values.
        kind = (
            None
            if column.family == "decimal" and any(v is not None for v in values)
            else _ARROW.get(column.family)
        )
        table[column.name] = pa.array(values, kind)
    return pa.table(table)
