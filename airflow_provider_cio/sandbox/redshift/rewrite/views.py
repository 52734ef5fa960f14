"""Late-binding views: a definition that outlives its tables, and an ordinary view while they exist.

The library keeps the definitions in ``rs.late_views``. Dropping or altering a table first takes down the late views
above it; the next statement that names one puts it up again.
"""

from __future__ import annotations

from airflow_provider_cio.core.sqllint.tokens import Token
from airflow_provider_cio.sandbox.redshift.rewrite.names import literal, relation_at
from airflow_provider_cio.sandbox.redshift.rewrite.query import query, revived
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog, Rewritten

_LATE = ["WITH", "NO", "SCHEMA", "BINDING"]


def detach(relation: str) -> str:
    """The statement that takes down the late views above a relation."""
    return f"SELECT rs.detach({literal(relation)})"


def forget(relation: str) -> str:
    """The statement that forgets a late view before it is dropped."""
    return f"SELECT rs.forget({literal(relation)})"


def rename(relation: str, new: str, statement: str) -> str:
    """The statement that renames a relation, and with a late view its definition."""
    call = f"rs.rename_relation({literal(relation)}, {literal(new)}, {literal(statement)})"
    return f"DO {literal(f'BEGIN PERFORM {call}; END')}"


def create_view(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    """CREATE [OR REPLACE] VIEW, late-binding or not.

    :raises SqlRefused: a clause that is not known, or the query is refused.
    """
    replace = solid[1].word == "OR"
    at = 4 if replace else 2
    if solid[at - 1].word != "VIEW":
        raise SqlRefused(f"CREATE {solid[1].word} {solid[2].word} is not part of the local Redshift", "0A000")
    name, at = relation_at(solid, at)
    start = next(index for index, piece in enumerate(solid) if index >= at and piece.word == "AS")
    columns = "".join(piece.text for piece in solid[at:start])
    late = [piece.word for piece in solid[-4:]] == _LATE
    body = pieces[_index(pieces, solid[start]) + 1 :]
    if late:
        body = body[: _index(body, solid[-4])]
        made = f"{name}{columns}", query(body, catalog).strip()
        call = f"rs.create_late_view({literal(name)}, {literal(columns)}, {literal(made[1])}, {str(replace).lower()})"
        return Rewritten(f"DO {literal(f'BEGIN PERFORM {call}; END')}", command_tag="CREATE VIEW")
    head = f"CREATE {'OR REPLACE ' if replace else ''}VIEW {name}{columns}"
    before = (detach(name), f"SELECT rs.replace_late({literal(name)})") if replace else ()
    return Rewritten(f"{head} AS {query(body, catalog)}", prepare=revived(solid, catalog), before=before)


def _index(pieces: list[Token], wanted: Token) -> int:
    return next(index for index, piece in enumerate(pieces) if piece is wanted)
