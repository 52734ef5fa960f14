"""Names as PostgreSQL wants them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow_provider_cio.core.sqllint.tokens import Token

_RESERVED_TEXT = """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
    cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
    current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable
    desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group
    grouping having ilike in initially inner inout int integer intersect interval into is isnull join lateral leading
    least left like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric
    offset on only or order out outer overlaps overlay placing position precision primary real references returning
    right row select session_user setof similar smallint some substring symmetric system_user table tablesample then
    time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where
    window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
    xmlserialize xmltable json_array json_arrayagg json_object json_objectagg
"""
_RESERVED = frozenset(_RESERVED_TEXT.split())


def quoted(name: str) -> str:
    """A folded name, in quotes where PostgreSQL's ``quote_ident`` would set them."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in _RESERVED
    return name if plain else '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def relation_at(pieces: Sequence[Token], at: int) -> tuple[str, int]:
    """The dotted name that begins at a token (no spaces among the tokens), and the index after it."""
    parts: list[str] = []
    while at < len(pieces) and pieces[at].kind in {"word", "name"}:
        parts.append(quoted(pieces[at].value))
        at += 1
        if at >= len(pieces) or pieces[at].word != ".":
            break
        at += 1
    return ".".join(parts), at
