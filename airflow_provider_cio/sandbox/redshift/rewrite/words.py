"""Words of a query that PostgreSQL spells otherwise: MINUS, SYSDATE, APPROXIMATE, ``#temp``, types, literals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from airflow_provider_cio.core.sqllint.tokens import Token
from airflow_provider_cio.sandbox.redshift.rewrite.calls import calls
from airflow_provider_cio.sandbox.redshift.rewrite.types import mapped_type

_TYPES = {
    "SUPER",
    "NVARCHAR",
    "NCHAR",
    "BPCHAR",
    "DATETIME",
    "VARBYTE",
    "VARBINARY",
    "VARCHAR",
    "TEXT",
    "CHAR",
}
_TYPES |= {"DECIMAL", "NUMERIC", "CHARACTER"}
_SYSTEM_VIEWS = ("svv_", "stl_", "sys_", "stv_", "svl_", "pg_table_def")


def words(pieces: list[Token]) -> str:
    """PostgreSQL text of a query's tokens."""
    return calls(_words(pieces))


def _words(pieces: list[Token]) -> list[Token]:
    made: list[Token] = []
    index = 0
    while index < len(pieces):
        taken = _type(pieces, index, made)
        if taken:
            index = taken
            continue
        piece = pieces[index]
        following = _after(pieces, index)
        if piece.word == "APPROXIMATE" and following in {"COUNT", "PERCENTILE_DISC"}:
            index += 1
            continue
        if _is_catalogue(piece, pieces, index):
            piece = replace(piece, text="rs")
        made.append(_word(piece, following))
        index += 1
    return made


def _word(piece: Token, following: str) -> Token:
    if piece.kind == "string" and "\\" in piece.text and piece.text[0] == "'":
        return replace(piece, text="E" + piece.text)
    if piece.kind == "word" and piece.text.startswith("#"):
        return Token("name", f'"{piece.value}"', piece.line)
    if piece.kind == "name":
        return replace(piece, text=piece.text.lower())
    if piece.word == "MINUS" and following in {"SELECT", "(", "ALL"}:
        return replace(piece, text="EXCEPT")
    if piece.word == "SYSDATE":
        return replace(piece, text="rs.sysdate()")
    return piece


def _after(pieces: list[Token], index: int) -> str:
    return next((piece.word for piece in _solid(pieces, index + 1)), "")


def _solid(pieces: list[Token], index: int) -> Iterable[Token]:
    return (piece for piece in pieces[index:] if piece.kind != "space")


def _is_catalogue(piece: Token, pieces: list[Token], index: int) -> bool:
    """Whether ``pg_catalog`` stands before one of Redshift's own views."""
    if piece.kind != "word" or piece.value != "pg_catalog" or _after(pieces, index) != ".":
        return False
    name = pieces[index + 2].value if index + 2 < len(pieces) else ""
    return name.startswith(_SYSTEM_VIEWS)


def _type(pieces: list[Token], index: int, made: list[Token]) -> int:
    """Map the type of a cast that begins at ``index``; the index after it, or 0."""
    if pieces[index].word not in _TYPES:
        return 0
    before = next((piece.word for piece in reversed(made) if piece.kind != "space"), "")
    if before not in {"::", "AS"}:
        return 0
    ahead = [i for i in range(index, len(pieces)) if pieces[i].kind != "space"][:12]
    solid = [pieces[i] for i in ahead]
    kind, used = mapped_type(solid, 0, column=False)
    if before == "AS" and (used >= len(solid) or solid[used].word != ")"):
        return 0
    made.append(Token("word", kind, pieces[index].line))
    return ahead[used - 1] + 1
