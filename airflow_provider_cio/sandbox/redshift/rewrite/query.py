"""Queries: structure on the tree where there is any to change, then words."""

from __future__ import annotations

from airflow_provider_cio.core.sqllint.tokens import Token
from airflow_provider_cio.sandbox.redshift.rewrite.names import literal, relation_at
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog
from airflow_provider_cio.sandbox.redshift.rewrite.tree import restructured
from airflow_provider_cio.sandbox.redshift.rewrite.words import words


def query(pieces: list[Token], catalog: Catalog) -> str:
    """PostgreSQL text of a query, or of a statement that holds one.

    :raises SqlRefused: Redshift refuses it, or it is not known here.
    """
    return words(restructured(pieces, catalog))


_ENDS = {
    "WHERE",
    "GROUP",
    "ORDER",
    "HAVING",
    "QUALIFY",
    "LIMIT",
    "UNION",
    "EXCEPT",
    "MINUS",
    "INTERSECT",
    "SET",
    "WHEN",
}
_BEGINS = {"FROM", "USING", "INTO", "UPDATE"}


def relations(solid: list[Token]) -> list[str]:
    """Names that stand where a relation may: after FROM, JOIN, USING, INTO, UPDATE, or a comma in FROM."""
    found: dict[str, None] = {}
    within = [False]
    for index, piece in enumerate(solid[:-1]):
        if piece.word == "(":
            within.append(False)
        elif piece.word == ")" and len(within) > 1:
            within.pop()
        elif piece.word in _BEGINS | _ENDS:
            within[-1] = piece.word in _BEGINS
        named = piece.word in _BEGINS | {"JOIN"} or (piece.word == "," and within[-1])
        if named and solid[index + 1].kind in {"word", "name"}:
            name, after = relation_at(solid, index + 1)
            if after >= len(solid) or solid[after].word != "(":
                found[name] = None
    return list(found)


def revived(solid: list[Token], catalog: Catalog) -> tuple[str, ...]:
    """The statements that put up the late views which a statement names and which are down."""
    missing = [name for name in relations(solid) if "." in name and catalog.columns(name) is None]
    return tuple(f"SELECT rs.revive({literal(name)})" for name in missing)
