"""Rows of others become a stream's own columns, by name: nothing is lost, and what does not fit is told.

A value that is not of its column's type goes to `_extra` with its name, and so does every field that is not declared.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.streams import Stream, Type

ARROW: dict[Type, pa.DataType] = {
    "text": pa.string(),
    "long": pa.string(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "moment": pa.timestamp("us"),
}
EXTRA_BYTES = 60_000
BYTES: dict[Type, int] = {"text": 4096, "long": 60_000}
_READABLE: dict[Type, str] = {
    "integer": r"^-?[0-9]{1,18}(\.0+)?$",
    "boolean": r"^(?i:true|false|0|1)$",
    "moment": r"^([0-9]{1,11}(\.0+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z?)$",
}
_MICROSECONDS = 1_000_000


@dataclass
class Odd:
    """What a load met that the stream does not declare: values by field."""

    unknown: Counter[str] = field(default_factory=Counter)
    mistyped: Counter[str] = field(default_factory=Counter)
    too_long: Counter[str] = field(default_factory=Counter)

    def add(self, other: Odd) -> None:
        """Sum up."""
        self.unknown += other.unknown
        self.mistyped += other.mistyped
        self.too_long += other.too_long

    def clear(self) -> None:
        """As if nothing had been met."""
        for counts in vars(self).values():
            counts.clear()

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Counts by field, without what is empty."""
        return {name: dict(counts) for name, counts in vars(self).items() if counts}


def schema_of(stream: Stream) -> pa.Schema:
    """Columns of the canonical Parquet, in the order of the stage table: a columnar COPY goes by position."""
    own = [(each.name, ARROW[each.type]) for each in stream.fields]
    return pa.schema([*own, ("recency", pa.int64()), ("_extra", pa.string())])


def from_json(rows: Sequence[Mapping[str, Any]], stream: Stream, recency: int) -> tuple[pa.Table, Odd]:
    """Rows of an API, whose names are the stream's or end up in `_extra`."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names}
    return fit(pa.table(columns), stream, pa.scalar(recency, pa.int64()))


def fit(table: pa.Table, stream: Stream, recency: pa.Scalar | pa.ChunkedArray) -> tuple[pa.Table, Odd]:
    """A table with the stream's columns under their names, in any order and of any type."""
    odd, extras, columns = Odd(), dict[str, pa.ChunkedArray](), list[Any]()
    for each in stream.fields:
        if each.name not in table.column_names:
            columns.append(pa.nulls(len(table), ARROW[each.type]))
            continue
        given = table[each.name]
        value = _cast(given, each.type)
        lost = pc.and_(pc.is_valid(given), pc.is_null(value))
        if pc.any(lost).as_py():
            odd.mistyped[each.name] += pc.sum(lost).as_py()
            extras[each.name] = pc.if_else(lost, _as_text(given), None)
        if each.type in BYTES:
            value, cut = _shortened(value, BYTES[each.type])
            odd.too_long += Counter({each.name: cut})
        columns.append(value)
    for name in table.column_names:
        if name not in stream.names:
            extras[name] = _as_text(table[name])
            odd.unknown[name] += len(table) - table[name].null_count
    # 1970 stands for "none" in data-out.
    columns = [_without_epoch(column) if pa.types.is_timestamp(column.type) else column for column in columns]
    moment = (
        pa.array([recency.as_py()] * len(table), pa.int64()) if isinstance(recency, pa.Scalar) else recency
    )
    arrays = [*columns, moment, _extra(extras, len(table))]
    return pa.Table.from_arrays(arrays, schema=schema_of(stream)), odd


def _cast(given: pa.ChunkedArray, kind: Type) -> pa.ChunkedArray:
    """Of the wanted type, null where that is impossible."""
    if kind == "moment" and pa.types.is_timestamp(given.type):
        return given.cast(pa.timestamp("us", given.type.tz)).cast(ARROW["moment"])
    if given.type == ARROW[kind]:
        return given
    text = _as_text(given)
    if kind in BYTES:
        return text
    good = pc.match_substring_regex(text, _READABLE[kind])
    text = pc.if_else(good, text, None)
    if kind == "moment":
        return _moment(text)
    if kind == "integer":
        text = pc.replace_substring_regex(text, r"\.0+$", "")
    return text.cast(ARROW[kind])


def _moment(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Unix seconds or ISO 8601 in UTC."""
    is_number = pc.match_substring_regex(text, r"^[0-9]+(\.0+)?$")
    seconds = pc.replace_substring_regex(pc.if_else(is_number, text, None), r"\.0+$", "").cast(pa.int64())
    iso = pc.utf8_rtrim(pc.replace_substring(pc.if_else(is_number, None, text), "T", " "), "Z")
    return pc.coalesce(pc.multiply(seconds, _MICROSECONDS).cast(ARROW["moment"]), iso.cast(ARROW["moment"]))


def _as_text(given: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(given.type) or pa.types.is_binary(given.type):
        return pa.chunked_array([[_text(value) for value in given.to_pylist()]], pa.string())
    return given.cast(pa.string())


def _without_epoch(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(moments.cast(pa.int64()), 0), None, moments)


def _shortened(text: pa.ChunkedArray, most: int) -> tuple[pa.ChunkedArray, int]:
    """Texts of at most the column's bytes; how many were cut. A character has at most four bytes."""
    long = pc.fill_null(pc.greater(pc.binary_length(text), most), False)  # noqa: FBT003
    count = pc.sum(long).as_py() or 0
    return (
        (pc.if_else(long, pc.utf8_slice_codeunits(text, 0, most // 4), text), count) if count else (text, 0)
    )


def _extra(extras: Mapping[str, pa.ChunkedArray], length: int) -> Any:
    """JSON objects of what has no column; null where there is nothing."""
    if not extras:
        return pa.nulls(length, pa.string())
    rows = pa.table(dict(extras)).to_pylist()
    texts = [
        json.dumps(found) if (found := {k: v for k, v in row.items() if v is not None}) else None
        for row in rows
    ]
    return pa.array(
        [text if text is None or len(text) <= EXTRA_BYTES else '{"_too_long":true}' for text in texts]
    )


def _text(value: Any) -> str | None:
    """A JSON value as text: a text as it is, anything nested as JSON."""
    if type(value) is int:
        return str(value)
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str)
