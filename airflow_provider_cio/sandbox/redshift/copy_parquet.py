"""COPY ... FORMAT AS PARQUET: columns by position, equal in number, streamed as CSV into the backend."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pyarrow.types as pt

from airflow_provider_cio.sandbox.redshift.s3io import S3

ROWS_AT_ONCE = 65_536
_CSV = pcsv.WriteOptions(include_header=False, quoting_style="all_valid")


class SpectrumError(Exception):
    """A file does not fit the table, in the words of Redshift's columnar COPY."""


def rows(files: list[str], columns: int, s3: S3, *, nested: bool) -> Iterator[bytes]:
    """The files' rows as CSV: values quoted, nulls empty.

    :param nested: lists and structures become JSON (``SERIALIZETOJSON``); otherwise they are refused.
    """
    for url in files:
        _check(url, columns, s3, nested=nested)
    for url in files:
        with _naming(url):
            source = pq.ParquetFile(io.BytesIO(s3.read(url)), pre_buffer=False)
            for batch in source.iter_batches(batch_size=ROWS_AT_ONCE):
                flat = [_flat(column) for column in batch.columns]
                text = io.BytesIO()
                names = [f"c{position}" for position in range(columns)]
                pcsv.write_csv(pa.RecordBatch.from_arrays(flat, names=names), text, _CSV)
                yield text.getvalue()


def _check(url: str, columns: int, s3: S3, *, nested: bool) -> None:
    """Columnar COPY maps by position and wants as many columns as the table has."""
    with _naming(url):
        schema = pq.read_schema(io.BytesIO(s3.read(url)))
    if len(schema) != columns:
        raise SpectrumError(
            f"Spectrum Scan Error: Unmatched number of columns between table and file. "
            f"Table columns: {columns}, Data columns: {len(schema)}, File name: {url}"
        )
    found = [position for position, field in enumerate(schema, 1) if pt.is_nested(field.type)]
    if found and not nested:
        raise SpectrumError(
            f"Spectrum Scan Error: column {found[0]} of {url} is nested. "
            "Next step: add SERIALIZETOJSON to load it into a SUPER column."
        )


@contextlib.contextmanager
def _naming(url: str) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        raise SpectrumError(
            f"Spectrum Scan Error: {url} cannot be read as Parquet: {type(error).__name__}"
        ) from error


def _flat(column: pa.Array) -> pa.Array:
    """What CSV can carry: nested values as JSON text, binary as its hexadecimal digits."""
    kind = column.type
    if pt.is_dictionary(kind):
        return _flat(column.dictionary_decode())
    if pt.is_nested(kind):
        return pa.array(
            [None if value is None else _json(value) for value in column.to_pylist()], pa.string()
        )
    if pt.is_timestamp(kind) and kind.tz is not None:
        return pc.strftime(column.cast(pa.timestamp("us", "UTC")), format="%Y-%m-%d %H:%M:%S+00")
    if pt.is_binary(kind) or pt.is_large_binary(kind):
        return column.cast(pa.string() if pt.is_binary(kind) else pa.large_string())
    return column


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
