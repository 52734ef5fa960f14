"""The rows that are sent: frozen plans of people with 12 attributes, and of events with 8 properties."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Sync

COMMON = {
    "description": "bench",
    "owner": "bench",
    "source": "cio_marts.bench",
    "identity": {"id": "id"},
}
PEOPLE = Sync.model_validate(
    COMMON
    | {"name": "people", "kind": "people", "attributes": {f"attribute_{i}": f"a{i}" for i in range(12)}}
)
EVENTS = Sync.model_validate(
    COMMON
    | {
        "name": "orders",
        "kind": "events",
        "event": "Order Completed",
        "key": "order_id",
        "occurred_at": {"column": "at", "time_zone": "UTC"},
        "lookback": "30d",
        "properties": {f"property_{i}": f"a{i}" for i in range(8)},
    }
)
SYNCS = {"people": PEOPLE, "events": EVENTS}
_OIDS = {
    "people": (1043, 1043, 1043, 1043, 20, 20, 20, 701, 1700, 16, 1184, 1043),
    "events": (1043, 1043, 1043, 20, 20, 701, 1700, 16),
}
COLUMNS = {kind: tuple(Column(f"f_{i}", oid) for i, oid in enumerate(oids)) for kind, oids in _OIDS.items()}


def rows(kind: str, count: int, start: int = 0) -> pa.Table:
    """Rows of a frozen plan, as one shard holds them."""
    numbers = range(start, start + count)
    texts = [
        [f"customer-{i:09}@example.com" for i in numbers],
        [f"Ada {i} of Lovelace" for i in numbers],
        [f"value {i % 977} of a person" for i in numbers],
        [f"one of {i % 12} kinds" for i in numbers],
    ]
    moments = pa.array(
        [datetime.fromtimestamp(1_750_000_000 + i, UTC) for i in numbers], pa.timestamp("us", "UTC")
    )
    plain = moments.cast(pa.timestamp("us"))
    values: list[Any] = texts[: 4 if kind == "people" else 3]
    values += [[i * 7919 % 1_000_003 for i in numbers], list(numbers)]
    values += [[i % 40 for i in numbers]] if kind == "people" else []
    values += [
        [i / 8 for i in numbers],
        pa.array([Decimal(i).scaleb(-2) for i in numbers], pa.decimal128(18, 2)),
        [i % 2 == 0 for i in numbers],
    ]
    if kind == "people":
        values += [plain, ["sometimes" if i % 3 == 0 else None for i in numbers]]
    columns: dict[str, Any] = {
        "ordinal": list(numbers),
        "lane_hash": pa.array([(i * 2654435761) % 2**28 for i in numbers], pa.int32()),
        "operation": ["upsert"] * count,
        "identifier": [f"customer-{i:09}" for i in numbers],
        "event_id": [f"01HZX{i:021}" if kind == "events" else None for i in numbers],
        "occurred_at": plain,
        "undecided_since": pa.nulls(count, pa.timestamp("us")),
        **{f"f_{i}": column for i, column in enumerate(values)},
    }
    table = pa.table(columns)
    return table.set_column(4, "event_id", table["event_id"].cast(pa.string()))


def parquet(table: pa.Table) -> bytes:
    """As UNLOAD writes it, about."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="snappy", row_group_size=25_000)
    return sink.getvalue()


def as_item(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """What a peer sends of a row: the same operation, as Python objects."""
    sync = SYNCS[kind]
    values = {name: row[f"f_{i}"] for i, name in enumerate(sync.fields)}
    attributes = {
        name: float(value)
        if isinstance(value, Decimal)
        else int(value.replace(tzinfo=UTC).timestamp())
        if isinstance(value, datetime)
        else value
        for name, value in values.items()
        if value is not None
    }
    item = {"type": "person", "identifiers": {"id": row["identifier"]}, "attributes": attributes}
    if kind == "people":
        return {**item, "action": "identify"}
    at = int(row["occurred_at"].replace(tzinfo=UTC).timestamp())
    return {**item, "action": "event", "name": sync.event, "id": row["event_id"], "timestamp": at}
