"""Rules about sources: views of the allowed schemas, and SQL that parses as Redshift's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from airflow_provider_cio.core.contract_files import read_sql
from airflow_provider_cio.core.findings import Finding, Folder, SyncFile
from airflow_provider_cio.core.yaml_lines import Location
from airflow_provider_cio.exceptions import Mistake


def source_is_a_view(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Sources lie in `source_schemas`: raw tables are not curated, and change without notice."""
    if file.sync.sql is not None:
        yield from _sql_file(file, folder)
        return
    source = file.sync.source or ""
    schema, dot, _ = source.rpartition(".")
    if not dot:
        yield file.error(
            ("source",), f"'{source}' names no schema", f"write `{_schemas(folder)[0]}.{source}`"
        )
    elif schema not in _schemas(folder):
        yield file.error(
            ("source",),
            f"schema '{schema}' is not one for sources ({', '.join(_schemas(folder))})",
            "make a view there, or add the schema to `source_schemas` in contract.yaml",
        )


def expressions_parse(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """Expressions are single SQL expressions over the source's columns, without queries inside."""
    fields: list[tuple[Location, str | None]] = [
        ((*key.split(".", 1), "expression"), field.expression) for key, field in file.sync.values.items()
    ]
    if file.sync.occurred_at is not None:
        fields.append((("occurred_at", "expression"), file.sync.occurred_at.expression))
    for at, expression in fields:
        if expression is None or "{{" in expression:
            continue
        try:
            parsed = sqlglot.parse_one(f"SELECT {expression}", read="redshift")
        except SqlglotError:
            yield file.error(at, "not an SQL expression of Redshift", "try it in a SELECT list")
            continue
        if (
            not isinstance(parsed, exp.Select)
            or len(parsed.expressions) != 1
            or len(list(parsed.find_all(exp.Query))) > 1
        ):
            yield file.error(at, "not one expression over the source's columns", "move queries into the view")


def _sql_file(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    path, text = Path(file.sync.sql or ""), read_sql(file.sync)

    def wrong(line: int, message: str, next_step: str) -> Finding:
        return Finding.of(Mistake(str(path), line, "", message, next_step))

    if "{{" in text or "{%" in text:
        yield file.warning(("sql",), "the file holds templates: its tables are not checked", "use plain SQL")
        return
    try:
        statements = sqlglot.parse(text, read="redshift")
    except ParseError as error:
        first = error.errors[0]
        yield wrong(
            int(first["line"] or 1), f"not SQL of Redshift: {first['description']}", "try it in Redshift"
        )
        return
    except SqlglotError:
        yield wrong(1, "not SQL of Redshift: a quotation is not closed", "try it in Redshift")
        return
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        yield wrong(1, "the file must hold exactly one SELECT", "keep the query, move the rest to the models")
        return
    query = statements[0]
    local = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or (not table.db and table.name in local):
            continue
        if table.db not in _schemas(folder):
            yield wrong(
                int(table.this.meta.get("line", 1)),
                f"'{table.db + '.' if table.db else ''}{table.name}' is not in a schema for sources "
                f"({', '.join(_schemas(folder))})",
                "read from a view there, or add the schema to `source_schemas` in contract.yaml",
            )


def _schemas(folder: Folder) -> list[str]:
    return folder.contract.source_schemas
