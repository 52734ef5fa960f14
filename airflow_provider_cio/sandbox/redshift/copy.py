"""COPY: find the files, stream them into the table, and tell what Redshift would tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from airflow_provider_cio.sandbox.redshift import copy_parquet, copy_text
from airflow_provider_cio.sandbox.redshift.backend import Backend, BackendError
from airflow_provider_cio.sandbox.redshift.copy_parquet import SpectrumError
from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import CopyStatement
from airflow_provider_cio.sandbox.redshift.s3io import S3, S3Error

COLUMNAR = frozenset(
    {"table", "columns", "source", "iam_role", "format", "manifest"}
    | {"explicit_ids", "serialize_to_json", "fill_record", "no_load"}
)
"""What a COPY of Parquet may say (page "COPY from columnar data formats")."""


@dataclass(frozen=True)
class Target:
    """The table a COPY fills, as PostgreSQL knows it."""

    table: str
    columns: tuple[str, ...]
    """Quoted names, in the order of the file's columns."""


def copy(statement: CopyStatement, backend: Backend, s3: S3) -> str:
    """Load the files; what Redshift reports of it.

    :raises SqlRefused: with the SQLSTATE that Redshift gives.
    """
    target = _target(statement, backend)
    try:
        files = list(_files(statement, s3))
        if statement.no_load:
            return f"Load into table '{statement.table}' was checked only (NOLOAD)."
        loaded = _load(statement, target, files, backend, s3)
    except (S3Error, SpectrumError) as error:
        raise SqlRefused(str(error), "XX000") from error
    backend.run(f"SET rs.last_copy_count = '{loaded}'")
    backend.run(f"ANALYZE {target.table}")
    return f"Load into table '{statement.table}' completed, {loaded} record(s) loaded successfully."


def _load(statement: CopyStatement, target: Target, files: list[str], backend: Backend, s3: S3) -> int:
    if statement.format != "parquet":
        return copy_text.load(statement, target.table, target.columns, files, backend, s3)
    for option in fields(statement):
        if option.name not in COLUMNAR and getattr(statement, option.name) != option.default:
            name = option.name.replace("_", "").upper()
            raise SqlRefused(f"{name} is not supported for columnar formats such as PARQUET", "0A000")
    into = f"COPY {target.table} ({', '.join(target.columns)}) FROM STDIN (FORMAT csv, NULL '')"
    try:
        return backend.copy_in(
            into, copy_parquet.rows(files, len(target.columns), s3, nested=statement.serialize_to_json)
        )
    except BackendError as error:
        raise SqlRefused(f"Spectrum Scan Error: {error}; table {target.table}", "XX000") from error


def _target(statement: CopyStatement, backend: Backend) -> Target:
    found = backend.run(
        "SELECT quote_ident(attname), attidentity <> '' FROM pg_attribute "
        f"WHERE attrelid = to_regclass('{statement.table.replace(chr(39), chr(39) * 2)}') "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    if not found:
        raise SqlRefused(f"Cannot COPY into nonexistent table {statement.table}", "42P01")
    loaded = tuple(str(name) for name, identity in found if identity == "f" or statement.explicit_ids)
    known = {name for name, _ in found}
    for name in statement.columns:
        if name not in known:
            raise SqlRefused(f'column "{name}" of relation "{statement.table}" does not exist', "42703")
    return Target(statement.table, statement.columns or loaded)


def _files(statement: CopyStatement, s3: S3) -> Iterator[str]:
    if not statement.manifest:
        files = s3.listing(statement.source)
        if not files:
            raise S3Error(f"The specified S3 prefix '{statement.source}' does not exist")
        yield from files
        return
    for entry in _entries(statement, s3):
        url = entry["url"]
        if statement.format == "parquet" and "content_length" not in entry.get("meta", {}):
            raise S3Error(
                f"The manifest {statement.source} lacks meta.content_length, which PARQUET needs, at {url}"
            )
        if s3.listing(url):
            yield url
        elif entry.get("mandatory", False):
            raise S3Error(f"Problem reading manifest file: the mandatory file {url} does not exist")


def _entries(statement: CopyStatement, s3: S3) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads(s3.read(statement.source))["entries"]
        if all(str(entry["url"]).startswith("s3://") for entry in entries):
            return entries
    except (ValueError, KeyError, TypeError):
        pass
    raise S3Error(
        f"Problem reading manifest file: {statement.source} is no JSON with entries that have a url"
    )
