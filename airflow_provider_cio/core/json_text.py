"""Arrow columns -> JSON text, column by column, with pyarrow's kernels.

A value that JSON or Customer.io cannot carry becomes null here and is reported as a :class:`Problem`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from airflow_provider_cio.core.contract import ValueType
from airflow_provider_cio.exceptions import SourceError

TEXT = pa.large_string()

_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}
_TO_ESCAPE = bytes(_ESCAPES)


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows (a mask without nulls) whose value cannot be sent, and why."""

    mask: pa.BooleanArray
    reason: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """JSON text of a column: null where the value is null; ``quoted`` values still lack their quotes.

    ``sizes`` are the bytes of the values before escaping, where a limit applies to them.
    """

    text: pa.LargeStringArray
    quoted: bool = False
    sizes: pa.Array | None = None
    problems: tuple[Problem, ...] = field(default=())


def encode(values: pa.Array, wanted: ValueType | None, *, time_zone: str | None, is_json: bool) -> JsonText:
    """The JSON text of a column, as `wanted` or as its own type says.

    :param time_zone: zone of dates and of timestamps without one; None means UTC.
    :param is_json: the text is JSON already (SUPER through JSON_SERIALIZE).
    :raises TypeError: the Arrow type has no place in JSON, or cannot become `wanted`.
    """
    if pt.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pt.is_null(kind):
        return JsonText(values.cast(TEXT))
    natural = "json" if is_json else _natural(kind)
    encoder = _ENCODERS.get((natural, wanted))
    if encoder is None:
        raise TypeError(f"a column of Arrow type {kind} cannot become type: {wanted or 'JSON'}")
    if time_zone and (natural == "timestamp" or encoder is _seconds):
        values = _in_zone(values, time_zone)
    return encoder(values)


def _natural(kind: pa.DataType) -> str:
    families: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
        ("string", lambda t: pt.is_string(t) or pt.is_large_string(t)),
        ("integer", pt.is_integer),
        ("decimal", pt.is_decimal),
        ("float", pt.is_floating),
        ("boolean", pt.is_boolean),
        ("date", pt.is_date),
        ("timestamp", pt.is_timestamp),
    )
    return next((name for name, test in families if test(kind)), "other")


def string(values: pa.Array) -> JsonText:
    """Text without its quotes, escaped as RFC 8259 wants it: quote, backslash and control characters."""
    text = values.cast(TEXT)
    sizes = pc.binary_length(text)
    for code in _present(text):
        text = pc.replace_substring(text, pattern=chr(code), replacement=_ESCAPES[code])
    return JsonText(text, quoted=True, sizes=sizes)


def _present(text: pa.LargeStringArray) -> Iterator[int]:
    """Characters of the column that need an escape, the backslash first."""
    _, ends, data = text.buffers()
    if data is None or not len(text):
        return
    offsets = memoryview(ends).cast("q")
    used = bytes(memoryview(data)[offsets[text.offset] : offsets[text.offset + len(text)]])
    if len(used.translate(None, _TO_ESCAPE)) < len(used):
        yield from (code for code in sorted(_ESCAPES, reverse=True) if code in used)


def unix_seconds(values: pa.Array) -> pa.Int64Array:
    """Dates and timestamps as whole seconds since 1970, rounded down; no zone means UTC."""
    if pt.is_date(values.type):
        values = values.cast(pa.timestamp("s"))
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[values.type.unit]
    ticks = values.cast(pa.int64())
    if per_second == 1:
        return ticks
    seconds = pc.divide(ticks, per_second)
    return pc.subtract(seconds, pc.greater(pc.multiply(seconds, per_second), ticks).cast(pa.int64()))


def _in_zone(values: pa.Array, time_zone: str) -> pa.Array:
    """Of times that a change of clocks repeats the earlier is meant; skipped ones are the moment after."""
    if pt.is_date(values.type):
        values = values.cast(pa.timestamp("s"))
    if values.type.tz is not None:
        return values
    try:
        return pc.assume_timezone(values, time_zone, ambiguous="earliest", nonexistent="latest")
    except pa.ArrowInvalid:
        raise SourceError(
            f"this machine does not know the time zone {time_zone}.",
            next_step="install the system package tzdata on the workers",
        ) from None


def _plain(values: pa.Array) -> JsonText:
    return JsonText(values.cast(TEXT))


def _seconds(values: pa.Array) -> JsonText:
    return JsonText(unix_seconds(values).cast(TEXT))


def _float(values: pa.Array) -> JsonText:
    finite = pc.is_finite(values)
    if pc.all(finite).as_py() is not False:
        return JsonText(values.cast(TEXT))
    broken = pc.fill_null(pc.invert(finite), fill_value=False)
    return JsonText(_without(values, broken).cast(TEXT), problems=(Problem(broken, "not_a_finite_number"),))


def _whole(values: pa.Array) -> JsonText:
    """Decimals and floats declared as integers: whole values only."""
    floats = pt.is_floating(values.type)
    whole = pc.equal(pc.round(values), values)
    if floats:
        whole = pc.and_(whole, pc.less(pc.abs(values), 2.0**63))
    broken = pc.fill_null(pc.invert(whole), fill_value=False)
    kept = _without(values, broken)
    target = (
        pa.int64()
        if floats
        else pa.decimal128(38, 0)
        if pt.is_decimal128(values.type)
        else pa.decimal256(76, 0)
    )
    return JsonText(kept.cast(target).cast(TEXT), problems=(Problem(broken, "not_a_whole_number"),))


def _iso(values: pa.TimestampArray) -> JsonText:
    """Timestamps as text, to the second; in UTC and with a Z, unless they have no zone."""
    whole = unix_seconds(values).cast(pa.timestamp("s"))
    return string(pc.strftime(whole, format="%Y-%m-%dT%H:%M:%SZ" if values.type.tz else "%Y-%m-%dT%H:%M:%S"))


def _json(values: pa.Array) -> JsonText:
    """JSON text is spliced as it is; what does not parse is a problem, and JSON's null is a null."""
    text = values.cast(TEXT)
    broken = pa.array([not _is_json(value) for value in text.to_pylist()], pa.bool_())
    null = pc.fill_null(pc.equal(text, "null"), fill_value=False)
    kept = _without(text, pc.or_(broken, null))
    return JsonText(kept, sizes=pc.binary_length(kept), problems=(Problem(broken, "invalid_json"),))


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _is_json(text: str | None) -> bool:
    try:
        if text is not None:
            _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _without(values: pa.Array, mask: pa.BooleanArray) -> pa.Array:
    return pc.if_else(mask, pa.scalar(None, values.type), values)


_ENCODERS: dict[tuple[str, ValueType | None], Callable[[pa.Array], JsonText]] = {
    ("string", None): string,
    ("string", "string"): string,
    ("string", "json"): _json,
    ("json", None): _json,
    ("json", "json"): _json,
    ("integer", None): _plain,
    ("integer", "integer"): _plain,
    ("integer", "number"): _plain,
    ("integer", "timestamp"): _plain,
    ("integer", "string"): string,
    ("decimal", None): _plain,
    ("decimal", "number"): _plain,
    ("decimal", "integer"): _whole,
    ("decimal", "string"): string,
    ("float", None): _float,
    ("float", "number"): _float,
    ("float", "integer"): _whole,
    ("float", "string"): string,
    ("boolean", None): _plain,
    ("boolean", "boolean"): _plain,
    ("boolean", "string"): string,
    ("date", None): _seconds,
    ("date", "timestamp"): _seconds,
    ("date", "string"): string,
    ("timestamp", None): _seconds,
    ("timestamp", "timestamp"): _seconds,
    ("timestamp", "string"): _iso,
}
