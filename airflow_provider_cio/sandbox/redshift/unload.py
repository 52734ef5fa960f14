"""UNLOAD: the rows of a query as files in S3, with a manifest."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from airflow_provider_cio.sandbox.redshift import unload_text
from airflow_provider_cio.sandbox.redshift.backend import Backend, BackendError
from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import UnloadStatement
from airflow_provider_cio.sandbox.redshift.s3io import S3, S3Error

SLICES = 2
_ARROW = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
_NUMERIC = 1700
_NAMES = {16: "boolean", 20: "int8", 21: "int2", 23: "int4", 700: "float4", 701: "float8", 1082: "date"}


@dataclass(frozen=True)
class _File:
    url: str
    size: int
    rows: int


def unload(statement: UnloadStatement, query: str, backend: Backend, s3: S3) -> str:
    """Write the files of ``query`` (PostgreSQL text); what Redshift reports of it.

    :raises SqlRefused: with the SQLSTATE that Redshift gives.
    """
    try:
        described = backend.describe(query)
        table = _read(statement, described, backend, query)
        _clear_target(statement, s3)
        files = [_write(statement, described, url, part, s3) for url, part in _parts(statement, table)]
        if statement.manifest:
            s3.write(f"{statement.target}manifest", _manifest(statement, described, files))
    except BackendError as error:
        raise SqlRefused(str(error), error.sqlstate) from error
    except S3Error as error:
        raise SqlRefused(str(error), "XX000") from error
    backend.run(f"SET rs.last_unload_count = '{table.num_rows}'")
    return f"UNLOAD completed, {table.num_rows} record(s) unloaded successfully."


def _read(
    statement: UnloadStatement, described: list[tuple[str, int, int]], backend: Backend, query: str
) -> pa.Table:
    """The rows: typed for Parquet, as PostgreSQL's text for the other formats."""
    names = [name for name, _, _ in described]
    if len(set(names)) < len(names):
        raise SqlRefused("UNLOAD: the query's columns need names of their own", "42701")
    typed = statement.format == "parquet"
    types = {name: _type(oid, modifier) if typed else pa.string() for name, oid, modifier in described}
    content = b"".join(backend.copy_out(f"COPY ({query}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)"))
    if not content:
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    table = pcsv.read_csv(
        io.BytesIO(content),
        pcsv.ReadOptions(column_names=names, block_size=16 << 20),
        pcsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pcsv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    for position, (_, oid, modifier) in enumerate(described):
        if typed and oid == _NUMERIC and modifier < 0:
            name = names[position]
            table = table.set_column(position, name, _decimal(table[name]))
    return table


def _type(oid: int, modifier: int) -> pa.DataType:
    if oid == _NUMERIC and modifier >= 0:
        return pa.decimal128(((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0xFFFF)
    return _ARROW.get(oid, pa.string())  # a NUMERIC without a scale is read as text first


def _decimal(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A NUMERIC without declared scale gets the largest scale that its values use."""
    fraction = pc.struct_field(pc.extract_regex(values, r"\.(?P<digits>\d+)$"), "digits")
    scale = pc.max(pc.binary_length(fraction)).as_py() or 0
    return values.cast(pa.decimal128(38, scale))


def _clear_target(statement: UnloadStatement, s3: S3) -> None:
    found = s3.listing(statement.target)
    if statement.clean_path:
        for url in found:
            s3.delete(url)
    elif found and not statement.allow_overwrite:
        raise S3Error(
            f"Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, "
            f"manually removing the target files in S3, or using the ALLOWOVERWRITE option, at {found[0]}"
        )


def _parts(statement: UnloadStatement, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """URL and rows of each file; Redshift promises no order, and slices deal the rows out."""
    extension = statement.extension or ("parquet" if statement.format == "parquet" else "")
    ending = (f".{extension}" if extension else "") + (".gz" if statement.gzip else "")
    for folder, rows in _partitions(statement, table):
        slices = SLICES if statement.parallel else 1
        for number in range(slices):
            part = rows.take(pa.array(range(number, rows.num_rows, slices), pa.int64()))
            for piece, chunk in enumerate(_pieces(statement, part)):
                name = f"{number:04}_part_{piece:02}" if statement.parallel or folder else f"{piece:03}"
                yield f"{statement.target}{folder}{name}{ending}", chunk


def _pieces(statement: UnloadStatement, rows: pa.Table) -> Iterator[pa.Table]:
    if not rows.num_rows:
        return
    per_file = max(1, rows.num_rows * statement.max_file_size // max(rows.nbytes, 1))
    for start in range(0, rows.num_rows, per_file):
        yield rows.slice(start, per_file)


def _partitions(statement: UnloadStatement, table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    if not statement.partition_by:
        yield "", table
        return
    if not statement.partition_include and set(statement.partition_by) >= set(table.column_names):
        raise SqlRefused("UNLOAD: PARTITION BY takes every column. Next step: add INCLUDE.", "0A000")
    for name in statement.partition_by:
        if name not in table.column_names:
            raise SqlRefused(f"Partition column {name} does not exist in the query's result", "42703")
    kept = [n for n in table.column_names if statement.partition_include or n not in statement.partition_by]
    keys = table.select(statement.partition_by).group_by(statement.partition_by).aggregate([]).to_pylist()
    for key in keys:
        mask = None
        for name, value in key.items():
            column = table[name]
            same = (
                pc.is_null(column)
                if value is None
                else pc.fill_null(pc.equal(column, value), fill_value=False)
            )
            mask = same if mask is None else pc.and_(mask, same)
        folder = "".join(f"{name}={_hive(value)}/" for name, value in key.items())
        yield folder, table.filter(mask).select(kept)


def _hive(value: Any) -> str:
    return "__HIVE_DEFAULT_PARTITION__" if value is None else str(value)


def _write(
    statement: UnloadStatement, described: list[tuple[str, int, int]], url: str, rows: pa.Table, s3: S3
) -> _File:
    if statement.format == "parquet":
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, compression="snappy")
        content = buffer.getvalue()
    else:
        content = unload_text.encode(statement, rows, {name: oid for name, oid, _ in described})
    s3.write(url, content)
    return _File(url, len(content), rows.num_rows)


def _manifest(statement: UnloadStatement, described: list[tuple[str, int, int]], files: list[_File]) -> bytes:
    entries = [
        {"url": file.url, "meta": {"content_length": file.size, "record_count": file.rows}} for file in files
    ]
    manifest: dict[str, Any] = {"entries": entries}
    if statement.manifest_verbose:
        manifest["schema"] = {
            "elements": [
                {"name": n, "type": {"base": _NAMES.get(oid, "character varying")}} for n, oid, _ in described
            ]
        }
        manifest["meta"] = {
            "content_length": sum(file.size for file in files),
            "record_count": sum(file.rows for file in files),
        }
        manifest["author"] = {"name": "Amazon Redshift", "version": "1.0.0"}
    return json.dumps(manifest, indent=1).encode()
