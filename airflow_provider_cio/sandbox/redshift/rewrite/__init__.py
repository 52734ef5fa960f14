"""Redshift SQL as PostgreSQL runs it: structure is rewritten here, functions live in the library."""

from __future__ import annotations

from airflow_provider_cio.core.sqllint import lint_sql
from airflow_provider_cio.core.sqllint.tokens import UnfinishedError, split, text, tokens
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import parse_copy, parse_unload
from airflow_provider_cio.sandbox.redshift.rewrite.dispatch import plain
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog, Rewritten

__all__ = ["Catalog", "Rewritten", "SqlRefused", "rewrite", "statements"]


def statements(script: str) -> list[str]:
    """The statements of a script, without empty ones.

    :raises SqlRefused: an open quote or comment.
    """
    try:
        parts = list(split(tokens(script), ";"))
    except UnfinishedError as error:
        raise SqlRefused(f"syntax error: {error}", "42601") from error
    return [text(part).strip() for part in parts if any(piece.kind != "space" for piece in part)]


def rewrite(sql: str, catalog: Catalog) -> Rewritten:
    """One statement for PostgreSQL; placeholders ``$1`` stay as they are.

    :raises SqlRefused: Redshift refuses it, or the local Redshift does not know it.
    """
    try:
        return _rewritten(sql, catalog)
    except UnfinishedError as error:
        raise SqlRefused(f"syntax error: {error}", "42601") from error
    except (IndexError, StopIteration, ValueError) as error:
        first = next((piece.word for piece in tokens(sql) if piece.word), "")
        raise SqlRefused(
            f"syntax error: this form of {first} is unknown, or it ends too early", "42601"
        ) from error


def _rewritten(sql: str, catalog: Catalog) -> Rewritten:
    copy = parse_copy(sql)
    if copy is not None:
        return Rewritten("", copy=copy)
    unload = parse_unload(sql)
    if unload is not None:
        return Rewritten("", unload=unload)
    _refuse(sql)
    return plain(sql, catalog)


def _refuse(sql: str) -> None:
    for finding in lint_sql(sql):
        sqlstate = {"syntax": "42601", "type": "42704", "function": "42883"}.get(finding.rule, "0A000")
        raise SqlRefused(str(finding), sqlstate)
