"""Redshift's types in PostgreSQL's words. VARCHAR without a length is VARCHAR(256), also when called TEXT."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_cio.core.sqllint.tokens import Token, closing, text
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused

_SIMPLE = {
    "SMALLINT": "smallint",
    "INT2": "smallint",
    "INTEGER": "integer",
    "INT": "integer",
    "INT4": "integer",
    "BIGINT": "bigint",
    "INT8": "bigint",
    "DECIMAL": "numeric",
    "NUMERIC": "numeric",
    "REAL": "real",
    "FLOAT4": "real",
    "FLOAT8": "double precision",
    "FLOAT": "double precision",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "CHAR": "char",
    "CHARACTER": "char",
    "NCHAR": "char",
    "BPCHAR": "char",
    "VARCHAR": "varchar",
    "NVARCHAR": "varchar",
    "TEXT": "varchar",
    "DATE": "date",
    "TIME": "time",
    "TIMETZ": "timetz",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "DATETIME": "timestamp",
    "SUPER": "jsonb",
    "VARBYTE": "bytea",
    "VARBINARY": "bytea",
}


def mapped_type(pieces: Sequence[Token], at: int, *, column: bool = True) -> tuple[str, int]:
    """PostgreSQL's type for the one that begins at a token (no spaces among them), and the index after it.

    :raises SqlRefused: Redshift has no such type, or the local one does not know it.
    """
    name = pieces[at].word
    if name not in _SIMPLE:
        raise SqlRefused(
            f'type "{pieces[at].value}" does not exist, or is not part of the local Redshift', "42704"
        )
    kind = _SIMPLE[name]
    at += 1
    ahead = [piece.word for piece in pieces[at : at + 3]]
    if name == "DOUBLE" and ahead[:1] == ["PRECISION"]:
        at += 1
    if name == "CHARACTER" and ahead[:1] == ["VARYING"]:
        kind, at = "varchar", at + 1
    size, at = _size(pieces, at)
    ahead = [piece.word for piece in pieces[at : at + 3]]
    if name in {"TIME", "TIMESTAMP"} and ahead == ["WITH", "TIME", "ZONE"]:
        kind, at = f"{kind}tz", at + 3
    elif name in {"TIME", "TIMESTAMP"} and ahead == ["WITHOUT", "TIME", "ZONE"]:
        at += 3
    return kind + _length(kind, name, size, column=column), at


def _size(pieces: Sequence[Token], at: int) -> tuple[str, int]:
    if at >= len(pieces) or pieces[at].word != "(":
        return "", at
    end = closing(pieces, at)
    return text(pieces[at + 1 : end]), end + 1


def _length(kind: str, name: str, size: str, *, column: bool) -> str:
    if kind == "varchar":
        size = {"": "256" if column else "", "MAX": "65535"}.get(size.upper(), size)
        if name == "TEXT":
            size = "256" if column else ""
        if size and not 1 <= int(size) <= 65535:
            raise SqlRefused("length for type character varying cannot exceed 65535", "22023")
    if kind == "numeric":
        size = size or "18,0"
        if int(size.split(",")[0]) > 38:
            raise SqlRefused(f"DECIMAL precision {size.split(',')[0]} must be between 1 and 38", "22023")
    if kind in {"bytea", "jsonb", "double precision", "real"}:
        size = ""
    return f"({size})" if size else ""
