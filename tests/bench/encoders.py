"""Rows to items: our renderer against other ways of making the same JSON, each single-threaded."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from clock import Runner, interleave, table
from rows import COLUMNS, SYNCS, as_item, rows

from airflow_provider_cio.core.operations import render

ROWS, PIECE = 100_000, 10_000


def as_structs(kind: str, batch: pa.Table) -> pa.Table:
    """The items as nested Arrow columns, for writers that take those."""
    fields = list(SYNCS[kind].fields)
    columns = [batch[f"f_{i}"].combine_chunks() for i in range(len(fields))]
    plain = [
        column.cast(pa.float64())
        if pa.types.is_decimal(column.type)
        else pc.divide(column.cast(pa.int64()), 1_000_000)
        if pa.types.is_timestamp(column.type)
        else column
        for column in columns
    ]
    count = batch.num_rows

    def constant(text: str) -> pa.Array:
        return pa.repeat(pa.scalar(text), count)

    made = {
        "type": constant("person"),
        "action": constant("identify" if kind == "people" else "event"),
        "identifiers": pa.StructArray.from_arrays([batch["identifier"].combine_chunks()], ["id"]),
    }
    if kind == "events":
        moments = batch["occurred_at"].combine_chunks().cast(pa.int64())
        made |= {
            "name": constant("Order Completed"),
            "id": batch["event_id"].combine_chunks(),
            "timestamp": pc.divide(moments, 1_000_000),
        }
    return pa.table({**made, "attributes": pa.StructArray.from_arrays(plain, fields)})


def ours(kind: str, piece: pa.Table) -> int:
    return len(render(piece, SYNCS[kind], COLUMNS[kind]).items)


def arro3(kind: str, piece: pa.Table) -> int:
    from arro3.io import write_ndjson

    sink = io.BytesIO()
    write_ndjson(as_structs(kind, piece), sink)
    return sink.getbuffer().nbytes


def polars(kind: str, piece: pa.Table) -> int:
    import polars as pl

    frame = pl.from_arrow(as_structs(kind, piece))
    return len(frame.select(pl.struct(pl.all()).struct.json_encode()))


def duckdb(kind: str, piece: pa.Table) -> int:
    import duckdb as engine

    connection = engine.connect(config={"threads": 1})
    connection.register("items", as_structs(kind, piece))
    return len(connection.sql("SELECT to_json(items) FROM items").to_arrow_table())


def orjson(kind: str, piece: pa.Table) -> int:
    import orjson as encoder

    return len([encoder.dumps(as_item(kind, row)) for row in piece.to_pylist()])


def dumps(kind: str, piece: pa.Table) -> int:
    return len([json.dumps(as_item(kind, row)) for row in piece.to_pylist()])


WAYS: dict[str, Callable[[str, pa.Table], int]] = {
    "ours: pyarrow kernels, every row checked": ours,
    "arro3-io write_ndjson": arro3,
    "polars struct.json_encode": polars,
    "duckdb to_json": duckdb,
    "orjson, a row at a time": orjson,
    "json.dumps, a row at a time": dumps,
}


def run(rounds: int) -> None:
    """People and events."""
    for kind in SYNCS:
        pieces = [rows(kind, PIECE, start) for start in range(0, ROWS, PIECE)]

        def work(way: Callable[[str, pa.Table], int], kind: str = kind, pieces: list[Any] = pieces) -> None:
            for piece in pieces:
                way(kind, piece)

        runners = [Runner(name, ROWS, lambda way=way: work(way)) for name, way in WAYS.items()]
        interleave(runners, rounds)
        table(f"Rows to items, {kind}", runners, runners[0])
