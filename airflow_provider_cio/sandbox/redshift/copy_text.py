"""COPY of CSV, delimited and JSON files: staged as text, checked by PostgreSQL, then inserted by type.

Codes are those of the page "Load error reference" of the Redshift developer guide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from airflow_provider_cio.sandbox.redshift.backend import Backend
from airflow_provider_cio.sandbox.redshift.load_errors import LoadError, keep
from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import CopyStatement
from airflow_provider_cio.sandbox.redshift.s3io import S3
from airflow_provider_cio.sandbox.redshift.text_records import records

STAGE = "pg_temp.rs_copy_stage"
_CODES = {"date": 1205, "timestamp": 1206, "integer": 1207, "bigint": 1207, "smallint": 1207, "real": 1208}
_CODES |= {"double precision": 1208, "numeric": 1209, "boolean": 1210, "jsonb": 1224}
_ROWS = 20_000


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    required: bool

    @property
    def bare(self) -> str:
        return self.name.strip('"').replace('""', '"')

    @property
    def is_text(self) -> bool:
        return self.type.startswith(("character", "text"))

    @property
    def limit(self) -> int | None:
        found = re.search(r"^character.*\((\d+)\)", self.type)
        return int(found[1]) if found else None

    @property
    def code(self) -> int:
        return 1204 if self.is_text else _CODES.get(re.split(r"[( ]with|\(| without", self.type)[0], 1200)


def load(
    statement: CopyStatement, table: str, columns: tuple[str, ...], files: list[str], backend: Backend, s3: S3
) -> int:
    """Load the files; the number of rows.

    :raises SqlRefused: more records than MAXERROR could not be loaded, or an option is not supported here.
    """
    _check_options(statement)
    known = _columns(table, columns, backend)
    paths = _paths(statement, s3, len(known))
    stage = ", ".join(f"c{number} text" for number in range(len(known)))
    backend.run(f"DROP TABLE IF EXISTS {STAGE}")
    backend.run(f"CREATE TEMPORARY TABLE rs_copy_stage (file text, line bigint, raw text, {stage})")
    unread: list[LoadError] = []
    into = f"COPY {STAGE} FROM STDIN (FORMAT csv, NULL '')"
    backend.copy_in(into, _staged(statement, files, known, paths, s3, unread))
    refused = unread + _refused(known, backend)
    if len(refused) > statement.max_error:
        keep(refused[: statement.max_error + 1], table, backend)
        backend.run(f"DROP TABLE {STAGE}")
        raise SqlRefused(
            f"Load into table '{table}' failed.  Check 'stl_load_errors' system table for details.", "XX000"
        )
    if refused:
        keep(refused, table, backend)
    good = " AND ".join(f"NOT ({_bad(number, column)})" for number, column in enumerate(known))
    values = ", ".join(f"c{number}::{column.type}" for number, column in enumerate(known))
    names = ", ".join(column.name for column in known)
    overriding = "OVERRIDING SYSTEM VALUE " if statement.explicit_ids else ""
    loaded = backend.run(
        f"WITH loaded AS (INSERT INTO {table} ({names}) {overriding}SELECT {values} FROM {STAGE} "
        f"WHERE {good} RETURNING 1) SELECT COUNT(*) FROM loaded"
    )
    backend.run(f"DROP TABLE {STAGE}")
    return int(str(loaded[0][0]))


def _check_options(statement: CopyStatement) -> None:
    formats = {
        "date_format": {None, "auto", "YYYY-MM-DD"},
        "time_format": {None, "auto", "YYYY-MM-DD HH:MI:SS"},
    }
    for name, known in formats.items():
        if getattr(statement, name) not in known:
            raise SqlRefused(
                f"COPY: {name.replace('_', '').upper()} other than 'auto' is not supported here", "0A000"
            )
    for name in ("escape", "remove_quotes"):
        if getattr(statement, name):
            raise SqlRefused(
                f"COPY: {name.replace('_', '').upper()} is not part of the local Redshift", "0A000"
            )


def _columns(table: str, names: tuple[str, ...], backend: Backend) -> list[_Column]:
    found = backend.run(
        "SELECT quote_ident(attname), format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
        f"WHERE attrelid = to_regclass('{table.replace(chr(39), chr(39) * 2)}') AND attnum > 0"
    )
    known = {name: _Column(str(name), str(kind), required == "t") for name, kind, required in found}
    return [known[name] for name in names]


def _paths(statement: CopyStatement, s3: S3, count: int) -> list[str] | None:
    if not statement.json_paths.startswith("s3://"):
        return None
    paths: list[str] = json.loads(s3.read(statement.json_paths))["jsonpaths"]
    if len(paths) != count:
        raise SqlRefused(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(paths)}, "
            f"Number of columns in table or column list: {count}",
            "XX000",
        )
    return paths


def _staged(
    statement: CopyStatement,
    files: list[str],
    columns: list[_Column],
    paths: list[str] | None,
    s3: S3,
    unread: list[LoadError],
) -> Iterator[bytes]:
    names = [column.bare for column in columns]
    rows: list[str] = []
    for url in files:
        for record in records(statement, s3.read(url), names, paths):
            if record.code:
                unread.append(LoadError(url, record.line, "", "", record.raw, "", record.code, record.reason))
                continue
            cells = (
                _cleaned(statement, value, column)
                for value, column in zip(record.values, columns, strict=True)
            )
            rows.append(",".join(map(_quoted, (url, str(record.line), record.raw[:1024], *cells))))
            if len(rows) >= _ROWS:
                yield ("\n".join(rows) + "\n").encode()
                rows.clear()
    if rows:
        yield ("\n".join(rows) + "\n").encode()


def _quoted(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'


def _cleaned(statement: CopyStatement, value: str | None, column: _Column) -> str | None:
    if value is None:
        return None
    if not column.is_text:
        return value.strip() or None
    if (statement.blanks_as_null and not value.strip()) or (statement.empty_as_null and not value):
        return None
    if statement.trim_blanks:
        value = value.rstrip()
    if statement.truncate_columns and column.limit is not None:
        value = value.encode()[: column.limit].decode(errors="ignore")
    return value


def _bad(number: int, column: _Column) -> str:
    cell = f"c{number}"
    kind = column.type.replace("'", "''")
    wrong = [f"NOT pg_input_is_valid({cell}, '{kind}')"]
    if column.limit is not None:
        wrong.append(f"octet_length({cell}) > {column.limit}")
    found = f"{cell} IS NOT NULL AND ({' OR '.join(wrong)})"
    return f"{cell} IS NULL OR {found}" if column.required else found


def _refused(columns: list[_Column], backend: Backend) -> list[LoadError]:
    """The staged records that PostgreSQL cannot read as the table's types; the first bad column of each."""
    numbers = " ".join(f"WHEN {_bad(n, column)} THEN {n}" for n, column in enumerate(columns))
    cells = " ".join(f"WHEN {n} THEN c{n}" for n in range(len(columns)))
    found = backend.run(
        f"SELECT file, line, bad, raw, CASE bad {cells} END FROM "
        f"(SELECT *, CASE {numbers} END AS bad FROM {STAGE}) AS checked WHERE bad IS NOT NULL ORDER BY file, line"
    )
    errors = []
    for file, line, bad, raw, field in found:
        column = columns[int(str(bad))]
        code, reason = (1213, "Missing data for not-null field") if field is None else _why(column)
        errors.append(
            LoadError(
                str(file), int(str(line)), column.bare, column.type, str(raw), field or "", code, reason
            )
        )
    return errors


def _why(column: _Column) -> tuple[int, str]:
    reasons = {
        1204: "String length exceeds DDL length",
        1205: "Invalid date format - length must be 10 or more",
        1206: "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]",
        1224: "Invalid JSON for a SUPER column",
    }
    return column.code, reasons.get(column.code, f"Invalid value, Type: {column.type}")
