"""COPY and UNLOAD, parsed. Options that the local Redshift does not know are refused by name.

Grammar: pages "COPY", "UNLOAD" and "Data format parameters" of the Redshift developer guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_cio.sandbox.redshift.rewrite.bulk_reader import SYNTAX, UNSUPPORTED, BulkReader, Format
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused


@dataclass(frozen=True)
class CopyStatement:
    """A COPY into a table. Names are PostgreSQL's, quoted where needed; no columns means all."""

    table: str
    columns: tuple[str, ...]
    source: str
    iam_role: str
    format: Format
    json_paths: str = "auto"
    """``auto``, ``auto ignorecase``, ``noshred`` or the URL of a jsonpaths file."""
    manifest: bool = False
    gzip: bool = False
    delimiter: str = "|"
    quote: str = '"'
    null_as: str | None = None
    ignore_header: int = 0
    max_error: int = 0
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    truncate_columns: bool = False
    fill_record: bool = False
    ignore_blank_lines: bool = False
    explicit_ids: bool = False
    serialize_to_json: bool = False
    date_format: str | None = None
    time_format: str | None = None
    accept_inv_chars: str | None = None
    escape: bool = False
    remove_quotes: bool = False
    no_load: bool = False


@dataclass(frozen=True)
class UnloadStatement:
    """An UNLOAD. ``query`` is Redshift SQL, unquoted; ``max_file_size`` is in bytes."""

    query: str
    target: str
    iam_role: str
    format: Format = "text"
    manifest: bool = False
    manifest_verbose: bool = False
    parallel: bool = True
    max_file_size: int = 6_200_000_000
    partition_by: tuple[str, ...] = ()
    partition_include: bool = False
    allow_overwrite: bool = False
    clean_path: bool = False
    header: bool = False
    delimiter: str = "|"
    null_as: str = ""
    add_quotes: bool = False
    escape: bool = False
    gzip: bool = False
    extension: str | None = None


def parse_copy(sql: str) -> CopyStatement | None:
    """A COPY ... FROM 's3://...', or None for another statement.

    :raises SqlRefused: unknown or unsupported option.
    """
    reader = BulkReader(sql)
    if not reader.take("COPY"):
        return None
    table = reader.relation()
    columns = reader.names() if reader.peek("(") else ()
    reader.expect("FROM")
    source = reader.text()
    if not source.startswith("s3://"):
        raise SqlRefused(
            f"COPY reads from Amazon S3 only in the local Redshift, not from {source!r}", UNSUPPORTED
        )
    values = reader.options("COPY")
    if values.get("format") == "csv":
        values.setdefault("delimiter", ",")
    return CopyStatement(table, columns, source, **_complete(values))


def parse_unload(sql: str) -> UnloadStatement | None:
    """An UNLOAD ('query') TO 's3://...', or None for another statement.

    :raises SqlRefused: unknown or unsupported option.
    """
    reader = BulkReader(sql)
    if not reader.take("UNLOAD"):
        return None
    reader.expect("(")
    query = reader.text()
    reader.expect(")")
    reader.expect("TO")
    target = reader.text()
    if not target.startswith("s3://"):
        raise SqlRefused(f"UNLOAD writes to Amazon S3 only, not to {target!r}", UNSUPPORTED)
    values = reader.options("UNLOAD")
    if values.get("format") == "csv":
        values.setdefault("delimiter", ",")
    if values.get("allow_overwrite") and values.get("clean_path"):
        raise SqlRefused("UNLOAD: CLEANPATH and ALLOWOVERWRITE exclude each other", SYNTAX)
    statement = UnloadStatement(query, target, **_complete(values))
    if statement.format == "parquet":
        for name in ("header", "add_quotes", "escape", "gzip"):
            if getattr(statement, name):
                raise SqlRefused(
                    f"UNLOAD: {name.replace('_', '').upper()} cannot be used with PARQUET", UNSUPPORTED
                )
    return statement


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    if "iam_role" not in values:
        raise SqlRefused("COPY and UNLOAD need IAM_ROLE '<arn>' or IAM_ROLE default", SYNTAX)
    return {"format": "text"} | values
