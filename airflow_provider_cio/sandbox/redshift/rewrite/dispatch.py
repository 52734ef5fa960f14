"""One way for each kind of statement; a kind without one is refused by name."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_cio.core.sqllint.tokens import Token, split, text, tokens
from airflow_provider_cio.sandbox.redshift.rewrite import views
from airflow_provider_cio.sandbox.redshift.rewrite.names import literal, quoted, relation_at
from airflow_provider_cio.sandbox.redshift.rewrite.query import query, revived
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog, Rewritten
from airflow_provider_cio.sandbox.redshift.rewrite.tables import (
    Physical,
    byte_limit,
    column,
    create_table,
    limit_name,
)
from airflow_provider_cio.sandbox.redshift.rewrite.types import mapped_type

LEFT_OUT = frozenset(
    {"ATTACH", "CALL", "CANCEL", "DEALLOCATE", "DESC", "DETACH", "EXECUTE", "PREPARE", "REFRESH"}
)
"""Statements of Redshift without a handler (page "SQL commands")."""

Handler = Callable[[list[Token], list[Token], Catalog], Rewritten]
"""Every token, and those that are not space."""


def plain(sql: str, catalog: Catalog) -> Rewritten:
    """Any statement but COPY and UNLOAD.

    :raises SqlRefused: it is refused.
    """
    pieces = tokens(sql)
    solid = [piece for piece in pieces if piece.kind not in {"space"} and piece.word != ";"]
    if not solid:
        return Rewritten(sql)
    first = solid[0].word
    handler = _HANDLERS.get(first)
    if handler is None:
        if first in LEFT_OUT:
            raise SqlRefused(f"{first} is not part of the local Redshift", "0A000")
        raise SqlRefused(f'syntax error at or near "{solid[0].text}"', "42601")
    return handler([piece for piece in pieces if piece.word != ";"], solid, catalog)


def _query(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    return Rewritten(query(pieces, catalog), prepare=revived(solid, catalog))


def _unchanged(pieces: list[Token], _: list[Token], __: Catalog) -> Rewritten:
    return Rewritten(text(pieces))


def _nothing(_: list[Token], solid: list[Token], __: Catalog) -> Rewritten:
    return Rewritten("SET rs.noop = '1'", command_tag=solid[0].word)


def _insert(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    at = 2 if solid[1].word == "INTO" else 1
    return _writing(pieces, solid, catalog, at)


def _update(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    return _writing(pieces, solid, catalog, 1)


def _delete(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    if solid[1].word == "FROM":
        return _writing(pieces, solid, catalog, 2)
    at = pieces.index(solid[0]) + 1
    return _writing([*pieces[:at], Token("word", " FROM", solid[0].line), *pieces[at:]], solid, catalog, 1)


def _merge(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    if solid[-1].word == "DUPLICATES":
        raise SqlRefused("MERGE ... REMOVE DUPLICATES is not part of the local Redshift", "0A000")
    return _writing(pieces, solid, catalog, 2)


def _writing(pieces: list[Token], solid: list[Token], catalog: Catalog, at: int) -> Rewritten:
    table, _ = relation_at(solid, at)
    return Rewritten(query(pieces, catalog), prepare=revived(solid, catalog), writes=table)


def _create(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    words = [piece.word for piece in solid[1:5]]
    if words[:1] == ["SCHEMA"] or words[:1] == ["DATABASE"]:
        return Rewritten(text(pieces))
    if "VIEW" in words and words[0] != "MATERIALIZED":
        return views.create_view(pieces, solid, catalog)
    if words[0] in {"TABLE", "TEMP", "TEMPORARY", "LOCAL"} and "TABLE" in words:
        return _create_table(pieces, solid, catalog)
    raise SqlRefused(f"CREATE {words[0]} is not part of the local Redshift", "0A000")


def _create_table(pieces: list[Token], solid: list[Token], catalog: Catalog) -> Rewritten:
    made = create_table(pieces)
    sql = made.head
    if made.columns is not None:
        sql += f" ({made.columns})"
    note = made.physical.note(made.table)
    if made.query is None:
        return Rewritten(sql, after=(note,))
    sql += f" AS {query(made.query, catalog)}"
    # Redshift collects statistics of a CTAS by itself (page "CREATE TABLE AS").
    return Rewritten(sql, prepare=revived(solid, catalog), after=(note, f"ANALYZE {made.table}"))


def _analyze(_: list[Token], solid: list[Token], __: Catalog) -> Rewritten:
    at = 2 if len(solid) > 1 and solid[1].word == "VERBOSE" else 1
    if len(solid) == at or solid[at].word in {"COMPRESSION", "PREDICATE", "ALL"}:
        return Rewritten("SET rs.noop = '1'", command_tag="ANALYZE")
    return Rewritten(f"ANALYZE {relation_at(solid, at)[0]}")


def _alter(pieces: list[Token], solid: list[Token], _: Catalog) -> Rewritten:
    if solid[1].word != "TABLE":
        return Rewritten(text(pieces))
    table, at = relation_at(solid, 2)
    before = (views.detach(table),)
    words = [piece.word for piece in solid[at : at + 3]]
    if words[0] == "APPEND":
        source, _at = relation_at(solid, at + 2)
        moved = f"WITH moved AS (DELETE FROM {source} RETURNING *) INSERT INTO {table} SELECT * FROM moved"
        return Rewritten(moved, commits=True, command_tag="ALTER TABLE APPEND")
    if words[0] == "ADD" and words[1] not in {"CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN"}:
        start = at + 2 if words[1] == "COLUMN" else at + 1
        return Rewritten(f"ALTER TABLE {table} ADD COLUMN {column(solid[start:], Physical())}", before=before)
    if words[0] == "ALTER" and solid[-1].word not in {"AUTO", "NONE"} and "TYPE" in [p.word for p in solid]:
        start = next(index for index, piece in enumerate(solid) if piece.word == "TYPE")
        kind, _at = mapped_type(solid, start + 1)
        name = quoted(solid[start - 1].value)
        limit = byte_limit(name, kind)
        add = f", ADD {limit}" if limit else ""
        drop = f"DROP CONSTRAINT IF EXISTS {limit_name(name)}"
        return Rewritten(f"ALTER TABLE {table} {drop}, ALTER COLUMN {name} TYPE {kind}{add}", before=before)
    if words[:2] == ["RENAME", "TO"]:
        return Rewritten(
            views.rename(table, quoted(solid[at + 2].value), text(pieces)),
            before=before,
            command_tag="ALTER TABLE",
        )
    if words[0] in {"RENAME", "OWNER", "SET"} or (words[0] == "DROP" and words[1] != "CONSTRAINT"):
        return Rewritten(text(pieces), before=before)
    if words[0] in {"ADD", "DROP", "ALTER"}:
        return Rewritten("SET rs.noop = '1'", command_tag="ALTER TABLE")
    raise SqlRefused(f"ALTER TABLE ... {words[0]} is not part of the local Redshift", "0A000")


def _drop(pieces: list[Token], solid: list[Token], _: Catalog) -> Rewritten:
    kind = solid[1].word
    if kind not in {"TABLE", "VIEW"}:
        cascade = solid[-1].word == "CASCADE" and kind == "SCHEMA"
        at = 4 if solid[2].word == "IF" else 2
        name, _at = relation_at(solid, at)
        before = (f"SELECT rs.forget_schema({literal(name)})",) if cascade else ()
        return Rewritten(text(pieces), before=before)
    at = 4 if solid[2].word == "IF" else 2
    names = [relation_at(part, 0)[0] for part in split(solid[at:]) if part]
    forget = tuple(views.forget(name) for name in names) if kind == "VIEW" else ()
    return Rewritten(query_names(pieces), before=forget + tuple(views.detach(name) for name in names))


def query_names(pieces: list[Token]) -> str:
    """The text of tokens, ``#temp`` names quoted."""
    return "".join(f'"{p.value}"' if p.kind == "word" and p.text.startswith("#") else p.text for p in pieces)


def _truncate(pieces: list[Token], _: list[Token], __: Catalog) -> Rewritten:
    return Rewritten(query_names(pieces), commits=True)


def _lock(_: list[Token], solid: list[Token], __: Catalog) -> Rewritten:
    start = 2 if solid[1].word == "TABLE" else 1
    names = [relation_at(part, 0)[0] for part in split(solid[start:])]
    return Rewritten(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE")


def _set(pieces: list[Token], solid: list[Token], _: Catalog) -> Rewritten:
    words = [piece.word for piece in solid]
    if len(solid) > 1 and solid[1].value in _SETTINGS:
        return Rewritten("SET rs.noop = '1'", command_tag="SET")
    if "SEARCH_PATH" in words[:3]:
        return Rewritten(f"{text(pieces).rstrip()}, rs, pg_catalog")
    return Rewritten(text(pieces))


_SETTINGS = {
    "enable_result_cache_for_session",
    "query_group",
    "statement_timeout",
    "wlm_query_slot_count",
    "analyze_threshold_percent",
    "describe_field_name_in_uppercase",
    "enable_case_sensitive_identifier",
    "json_serialization_enable",
    "mv_enable_aqmv_for_session",
}
"""Settings of Redshift that change nothing here."""

_HANDLERS: dict[str, Handler] = {
    "SELECT": _query,
    "WITH": _query,
    "(": _query,
    "VALUES": _query,
    "EXPLAIN": _query,
    "DECLARE": _query,
    "INSERT": _insert,
    "UPDATE": _update,
    "DELETE": _delete,
    "MERGE": _merge,
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "TRUNCATE": _truncate,
    "LOCK": _lock,
    "SET": _set,
    "VACUUM": _nothing,
    "ANALYZE": _analyze,
    "ANALYSE": _analyze,
    "COMMENT": _nothing,
    "GRANT": _nothing,
    "REVOKE": _nothing,
} | dict.fromkeys(
    ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SHOW", "RESET", "FETCH", "CLOSE", "USE"),
    _unchanged,
)
