"""Structure that PostgreSQL does not share: QUALIFY, TOP, SUPER navigation, aliases used in their own SELECT list."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope
from sqlglot.parsers.redshift import RedshiftParser
from sqlglot.transforms import eliminate_qualify

from airflow_provider_cio.core.sqllint.tokens import Token, text, tokens
from airflow_provider_cio.sandbox.redshift.rewrite import aliases, super_paths
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog
from airflow_provider_cio.sandbox.redshift.rewrite.sources import Sources

_PLACEHOLDER = "rs_placeholder_"


class _Dialect(Redshift):
    """Redshift's grammar; functions keep their names."""

    class Parser(RedshiftParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}


def restructured(pieces: list[Token], catalog: Catalog) -> list[Token]:
    """The tokens of the same query in PostgreSQL's structure; the very same tokens if there is nothing to change.

    :raises SqlRefused: the query needs it and cannot be read.
    """
    words = [piece.word for piece in pieces if piece.kind != "space"]
    needed = "QUALIFY" in words or any(
        word == "TOP" and before in {"SELECT", "DISTINCT"} for before, word in pairwise(words)
    )
    if not needed and not _may_gain(pieces, words):
        return pieces
    masked = re.sub(r"\$(\d+)", rf"{_PLACEHOLDER}\1", text(pieces))
    try:
        tree = sqlglot.parse_one(masked, dialect=_Dialect)
    except SqlglotError as error:
        if needed:
            raise SqlRefused(f"syntax error: {str(error).splitlines()[0]}", "42601") from error
        return pieces
    made = _transform(tree, catalog, needed=needed)
    if made is None:
        return pieces
    written = made.sql(dialect=_Dialect)
    return tokens(re.sub(rf"{_PLACEHOLDER}(\d+)", r"$\1", written, flags=re.IGNORECASE))


def _may_gain(pieces: list[Token], words: list[str]) -> bool:
    """Whether there can be navigation (a dot or bracket) or an alias that is named again."""
    if "SELECT" not in words:
        return False
    solid = [piece for piece in pieces if piece.kind != "space"]
    named = [piece.value for before, piece in pairwise(solid) if before.word == "AS"]
    used = [piece.value for piece in solid if piece.kind in {"word", "name"}]
    return "." in words or "[" in words or any(used.count(name) > 1 for name in set(named))


def _transform(tree: exp.Expr, catalog: Catalog, *, needed: bool) -> exp.Expr | None:
    """The tree in PostgreSQL's structure, or None if it was so already."""
    sources = Sources(catalog)
    changed = needed
    for scope in traverse_scope(tree):
        changed |= aliases.expand(scope, sources)
        changed |= super_paths.navigate(scope, sources)
        sources.learn(scope)
    for select in list(tree.find_all(exp.Select)):
        if select.args.get("qualify"):
            sources.name_columns(select)
            place = select.parent
            eliminated = eliminate_qualify(select.copy())
            if place is None:
                tree = eliminated
            else:
                select.replace(eliminated)
    return tree if changed else None
