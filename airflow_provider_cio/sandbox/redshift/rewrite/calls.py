"""Calls whose grammar PostgreSQL does not share: date parts without quotes, LISTAGG, DECODE, OBJECT, ARRAY ..."""

from __future__ import annotations

from collections.abc import Callable

from airflow_provider_cio.core.sqllint.tokens import Token, closing, split
from airflow_provider_cio.sandbox.redshift.rewrite.date_parts import counted, read, span
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused


def calls(pieces: list[Token]) -> str:
    """The text of tokens, calls rewritten from the inside out."""
    made: list[str] = []
    index = 0
    while index < len(pieces):
        opening = _opening(pieces, index)
        if not opening:
            made.append(pieces[index].text)
            index += 1
            continue
        end = closing(pieces, opening)
        name, inside = pieces[index].word, pieces[opening + 1 : end]
        if name == "LISTAGG":
            written, end = _listagg(pieces, inside, end)
            made.append(written)
        else:
            made.append(_REWRITTEN[name](_arguments(inside)))
        index = end + 1
    return "".join(made)


def _opening(pieces: list[Token], index: int) -> int:
    """Index of the bracket if a call that is rewritten begins here, else 0."""
    if pieces[index].kind != "word" or (
        pieces[index].word not in _REWRITTEN and pieces[index].word != "LISTAGG"
    ):
        return 0
    before = next((piece.word for piece in reversed(pieces[:index]) if piece.kind != "space"), "")
    after = next((i for i in range(index + 1, len(pieces)) if pieces[i].kind != "space"), 0)
    return after if after and pieces[after].word == "(" and before != "." else 0


def _arguments(inside: list[Token]) -> list[str]:
    if not any(piece.kind != "space" for piece in inside):
        return []
    return [calls(part).strip() for part in split(inside)]


def _dateadd(arguments: list[str]) -> str:
    part, number, moment = _exactly(3, "DATEADD", arguments)
    return f"rs.moved({moment}, ({number}) * interval '{span(counted(part))}')"


def _datediff(arguments: list[str]) -> str:
    part, start, end = _exactly(3, "DATEDIFF", arguments)
    unit = counted(part)
    return f"(rs.{unit}s_of({end}) - rs.{unit}s_of({start}))"


def _date_trunc(arguments: list[str]) -> str:
    part, moment = _exactly(2, "DATE_TRUNC", arguments)
    return f"rs.date_trunc('{counted(part)}', {moment})"


def _date_part(arguments: list[str]) -> str:
    part, moment = _exactly(2, "DATE_PART", arguments)
    return f"rs.datepart('{read(part)}', {moment})"


def _extract(arguments: list[str]) -> str:
    part, _, moment = arguments[0].partition(" ")
    keyword, _, moment = moment.strip().partition(" ")
    if keyword.upper() != "FROM":
        raise SqlRefused('syntax error in EXTRACT: "FROM" was expected', "42601")
    return f"rs.extracted('{read(part)}', {moment.strip()})"


def _decode(arguments: list[str]) -> str:
    value, *rest = arguments
    cases = [
        f"WHEN ({value}) IS NOT DISTINCT FROM ({search}) THEN ({result})"
        for search, result in zip(rest[::2], rest[1::2], strict=False)
    ]
    default = f" ELSE ({rest[-1]})" if len(rest) % 2 else ""
    return f"CASE {' '.join(cases)}{default} END"


def _nvl2(arguments: list[str]) -> str:
    tested, given, missing = _exactly(3, "NVL2", arguments)
    return f"CASE WHEN ({tested}) IS NOT NULL THEN ({given}) ELSE ({missing}) END"


def _convert(arguments: list[str]) -> str:
    kind, value = _exactly(2, "CONVERT", arguments)
    return f"CAST({value} AS {kind})"


def _median(arguments: list[str]) -> str:
    return f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {arguments[0]})"


def _exactly(count: int, name: str, arguments: list[str]) -> list[str]:
    if len(arguments) != count:
        raise SqlRefused(f"{name} takes {count} arguments, not {len(arguments)}", "42883")
    return arguments


def _renamed(name: str) -> Callable[[list[str]], str]:
    return lambda arguments: f"{name}({', '.join(arguments)})"


_REWRITTEN: dict[str, Callable[[list[str]], str]] = {
    "DATEADD": _dateadd,
    "DATE_ADD": _dateadd,
    "DATEDIFF": _datediff,
    "DATE_DIFF": _datediff,
    "DATE_PART": _date_part,
    "PGDATE_PART": _date_part,
    "DATE_TRUNC": _date_trunc,
    "EXTRACT": _extract,
    "DECODE": _decode,
    "NVL": _renamed("COALESCE"),
    "NVL2": _nvl2,
    "CONVERT": _convert,
    "MEDIAN": _median,
    "OBJECT": _renamed("jsonb_build_object"),
    "ARRAY": _renamed("jsonb_build_array"),
    "JSON_SERIALIZE": _renamed("rs.json_serialize"),
}


def _listagg(pieces: list[Token], inside: list[Token], end: int) -> tuple[str, int]:
    """``string_agg`` for LISTAGG, and the index of the call's last token."""
    solid = [i for i in range(end + 1, len(pieces)) if pieces[i].kind != "space"]
    order = ""
    if [pieces[i].word for i in solid[:3]] == ["WITHIN", "GROUP", "("]:
        end = closing(pieces, solid[2])
        order = calls(pieces[solid[2] + 1 : end]).strip()
        solid = [i for i in solid if i > end]
    if solid and pieces[solid[0]].word == "OVER":
        raise SqlRefused("LISTAGG as a window function is not part of the local Redshift", "0A000")
    value, *rest = _arguments(inside)
    distinct = value[:8].upper() == "DISTINCT"
    value = f"({value[8:].strip() if distinct else value})::text"
    if distinct and order:
        words = order.split()
        way = words[-1] if words[-1].upper() in {"ASC", "DESC"} else ""
        order = f"ORDER BY {value} {way}"
    call = f"{'DISTINCT ' if distinct else ''}{value}, {rest[0] if rest else chr(39) * 2}"
    return f"string_agg({call} {order})", end
