"""Files of UNLOAD that people read: CSV, delimited text, and JSON with one object per line.

Values come as PostgreSQL's own text; null stays null. (Page "UNLOAD" of the Redshift developer guide.)
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator

import pyarrow as pa

from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import UnloadStatement

_BOOLEAN = 16
_BARE = frozenset({20, 21, 23, 700, 701, 1700, 114, 3802})
"""Types whose text is JSON already: numbers, and SUPER."""


def encode(statement: UnloadStatement, rows: pa.Table, types: dict[str, int]) -> bytes:
    """One file. ``types`` are the type OIDs of the query's columns."""
    encoder = {"csv": _csv, "json": _json, "text": _text}[statement.format]
    content = "".join(encoder(statement, rows, types)).encode()
    return gzip.compress(content, mtime=0) if statement.gzip else content


def _values(rows: pa.Table) -> Iterator[tuple[str | None, ...]]:
    return zip(*(column.to_pylist() for column in rows.columns), strict=True)


def _csv(statement: UnloadStatement, rows: pa.Table, _types: dict[str, int]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=statement.delimiter, lineterminator="\n")
    if statement.header:
        writer.writerow(rows.column_names)
    for row in _values(rows):
        writer.writerow([statement.null_as if value is None else value for value in row])
    yield out.getvalue()


def _text(statement: UnloadStatement, rows: pa.Table, _types: dict[str, int]) -> Iterator[str]:
    if statement.header:
        yield statement.delimiter.join(rows.column_names) + "\n"
    for row in _values(rows):
        yield statement.delimiter.join(_field(statement, value) for value in row) + "\n"


def _field(statement: UnloadStatement, value: str | None) -> str:
    if value is None:
        return statement.null_as
    if statement.escape:
        for character in ("\\", "\n", "\r", statement.delimiter, '"', "'"):
            value = value.replace(character, "\\" + character)
    return f'"{value}"' if statement.add_quotes else value


def _json(_statement: UnloadStatement, rows: pa.Table, types: dict[str, int]) -> Iterator[str]:
    names = [json.dumps(name) for name in rows.column_names]
    kinds = [types[name] for name in rows.column_names]
    for row in _values(rows):
        members = (
            f"{name}:{_member(kind, value)}" for name, kind, value in zip(names, kinds, row, strict=True)
        )
        yield "{" + ",".join(members) + "}\n"


def _member(kind: int, value: str | None) -> str:
    if value is None:
        return "null"
    if kind == _BOOLEAN:
        return "true" if value == "t" else "false"
    return value if kind in _BARE else json.dumps(value, ensure_ascii=False)
