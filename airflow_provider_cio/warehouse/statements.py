"""Redshift expressions as text: quoting, canonical forms, hashes and event ids.

What reaches Redshift as a name goes through :func:`identifier`, every value through :func:`literal`.
"""

from __future__ import annotations

from airflow_provider_cio.core.columns import Family
from airflow_provider_cio.core.contract import Identifier
from airflow_provider_cio.core.event_id import ALPHABET
from airflow_provider_cio.exceptions import SourceError

_TRIMMED = "' ' || CHR(9) || CHR(10) || CHR(13)"
SEPARATOR = "CHR(31)"
"""Between the parts of a row key: the ASCII unit separator, which none of them may hold."""
_INLINE_BYTES = 200
"""Longer texts enter a payload hash as their own hash: 300 of them would not fit into a VARCHAR."""


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def relation(name: str) -> str:
    """``schema.view`` quoted part by part; Redshift folds names to lower case, so this does."""
    return ".".join(identifier(part) for part in name.lower().split("."))


def literal(value: str | int | None) -> str:
    """A value as SQL text. A backslash becomes CHR(92): Redshift would read it as an escape."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if "\0" in value:
        raise ValueError("a text with a NUL character cannot be written in SQL")
    quoted = "'" + value.replace("'", "''") + "'"
    return "(" + quoted.replace("\\", "' || CHR(92) || '") + ")" if "\\" in value else quoted


def canonical_text(expression: str, family: Family) -> str:
    """A value's text, the same for the same value whatever the session: NULL stays NULL.

    Floats rely on the session's ``extra_float_digits = 2`` (17 digits, which tell all floats apart).
    """
    match family:
        case "text":
            return expression
        case "boolean":  # Redshift has no cast from BOOLEAN to VARCHAR
            return f"CASE WHEN {expression} THEN 'true' WHEN NOT {expression} THEN 'false' END"
        case "date":
            return f"TO_CHAR({expression}, 'YYYY-MM-DD')"
        case "timestamp":
            return f"TO_CHAR({expression}, 'YYYY-MM-DD HH24:MI:SS.US')"
        case "timestamptz":
            return f"TO_CHAR({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        case "super":
            return f"JSON_SERIALIZE({expression})"
        case _:
            return f"CAST({expression} AS VARCHAR(64))"


def trimmed(text: str) -> str:
    """Without the white space around it."""
    return f"BTRIM({text}, {_TRIMMED})"


def canonical_identity(expression: str, family: Family, kind: Identifier) -> str:
    """What :func:`core.identity.canonical` makes of a value, in SQL."""
    text = f"NULLIF({trimmed(canonical_text(expression, family))}, '')"
    if kind == "phone":
        return f"NULLIF(TRANSLATE({text}, ' .-()', ''), '')"
    return f"LOWER({text})" if kind == "email" else text


def length_prefixed(expression: str, family: Family) -> str:
    """A value's part of the hashed text: ``<bytes>:<text>``; ``~`` for NULL, so that it differs from ''."""
    text = canonical_text(expression, family)
    if family in {"text", "super"}:
        body = f"CASE WHEN OCTET_LENGTH({text}) > {_INLINE_BYTES} THEN SHA2({text}, 256) ELSE {text} END"
        body = f"CAST({body} AS VARCHAR({_INLINE_BYTES}))"
    else:
        body = text
    return f"COALESCE(CAST(OCTET_LENGTH({text}) AS VARCHAR(10)) || ':' || {body}, '~')"


def utc(expression: str, family: Family, time_zone: str | None, where: str) -> str:
    """A moment as TIMESTAMP in UTC.

    :raises SourceError: it is no date or timestamp, or has no zone and none is named.
    """
    if family == "timestamptz":
        return f"{expression} AT TIME ZONE 'UTC'"
    if family not in {"timestamp", "date"}:
        raise SourceError(
            f"{where}: `occurred_at` is {family}, not a date or timestamp.",
            next_step="cast it to TIMESTAMP in the view or in an expression.",
        )
    if time_zone is None:
        raise SourceError(
            f"{where}: `occurred_at` is a {family.upper()} without a time zone.",
            next_step="name its zone: `occurred_at: {column: ..., time_zone: UTC}`.",
        )
    moment = f"CAST({expression} AS TIMESTAMP)" if family == "date" else expression
    return moment if time_zone == "UTC" else f"CONVERT_TIMEZONE({literal(time_zone)}, 'UTC', {moment})"


def key_hash(expression: str) -> str:
    """What :func:`core.redaction.hashed` makes of a key, in SQL."""
    return f"SUBSTRING(SHA2({expression}, 256), 1, 12)"


def event_digest(workspace: str, sync: str, key: str) -> str:
    """The hashed part of an event id, as hexadecimal digits."""
    return f"SHA2({literal(f'{len(workspace)}:{workspace}{len(sync)}:{sync}')} || {key}, 256)"


def milliseconds(moment: str) -> str:
    """A TIMESTAMP in UTC as milliseconds since 1970."""
    return f"DATEDIFF(ms, CAST('1970-01-01' AS TIMESTAMP), {moment})"


def event_id(digest: str, milliseconds: str) -> str:
    """What :func:`core.event_id.ulid` makes of a row, from columns (they are named 16 and 10 times)."""
    time = [_digit(f"({milliseconds} / {32**place})") for place in reversed(range(10))]
    chance = [
        _digit(f"(STRTOL(SUBSTRING({digest}, {1 + 5 * group}, 5), 16) / {32**place})")
        for group in range(4)
        for place in reversed(range(4))
    ]
    return f"CAST({' || '.join(time + chance)} AS VARCHAR(26))"


def _digit(number: str) -> str:
    return f"SUBSTRING('{ALPHABET}', CAST({number} % 32 AS INTEGER) + 1, 1)"


def shard_of(expression: str, shards: int) -> str:
    """The shard of a canonical identity."""
    return f"CAST(STRTOL(SUBSTRING(MD5({expression}), 1, 6), 16) % {shards} AS SMALLINT)"


def lane_hash(expression: str) -> str:
    """28 bits of a canonical identity, independent of its shard."""
    return f"CAST(STRTOL(SUBSTRING(MD5({expression}), 7, 7), 16) AS INTEGER)"
