"""Records of CSV, delimited and JSON files, as COPY reads them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import CopyStatement

_LONGEST = 16 << 20
"""Bytes of the largest value: a SUPER of 16 MB."""
_STEP = re.compile(r"\.(\w+)|\['([^']*)'\]|\[(\d+)\]")


@dataclass(frozen=True)
class Record:
    """One record; ``code`` and ``reason`` of Redshift's load error reference where it cannot be read."""

    line: int
    raw: str
    values: tuple[str | None, ...] = ()
    code: int = 0
    reason: str = ""


def records(
    statement: CopyStatement, content: bytes, columns: list[str], paths: list[str] | None
) -> Iterator[Record]:
    """The records of one file.

    :param columns: unquoted names, in the order of the values.
    :param paths: one jsonpath for each column, or None to match by name.
    """
    text = _text(statement, content)
    if statement.format == "json":
        return _json(statement, text, columns, paths)
    return _delimited(statement, text, len(columns))


def _text(statement: CopyStatement, content: bytes) -> str:
    try:
        if statement.gzip:
            content = gzip.decompress(content)
        if statement.accept_inv_chars is not None:
            return content.decode(errors="replace").replace("\ufffd", statement.accept_inv_chars)
        return content.decode()
    except OSError as error:
        raise SqlRefused("the file is not in the gzip format", "XX000") from error
    except UnicodeDecodeError as error:
        raise SqlRefused("String contains invalid or unsupported UTF8 codepoints", "XX000") from error


def _delimited(statement: CopyStatement, text: str, count: int) -> Iterator[Record]:
    lines = text.split("\n")
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=statement.delimiter,
        quotechar=statement.quote,
        quoting=csv.QUOTE_MINIMAL if statement.format == "csv" else csv.QUOTE_NONE,
    )
    before = 0
    for row in reader:
        line, before = before + 1, reader.line_num
        raw = "\n".join(lines[line - 1 : before]).rstrip("\r")
        if line <= statement.ignore_header or (not row and statement.ignore_blank_lines):
            continue
        if not row:
            yield Record(line, raw, code=1211, reason="Input line contained no data")
        elif len(row) > count:
            yield Record(line, raw, code=1202, reason="Extra column(s) found")
        elif len(row) < count and not statement.fill_record:
            yield Record(
                line, raw, code=1203, reason="Input data had fewer columns than were defined in the DDL"
            )
        else:
            null = "\\N" if statement.null_as is None else statement.null_as
            values = [None if value == null else value for value in row]
            yield Record(line, raw, tuple(values + [None] * (count - len(row))))


def _json(
    statement: CopyStatement, text: str, columns: list[str], paths: list[str] | None
) -> Iterator[Record]:
    decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number)
    at, line = 0, 1
    while (found := re.compile(r"\S").search(text, at)) is not None:
        line += text.count("\n", at, found.start())
        at = found.start()
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            end = text.find("\n", at) if "\n" in text[at:] else len(text)
            yield Record(line, text[at:end], code=1216, reason=f"Invalid JSON: {error.msg}")
        else:
            raw = text[at:end]
            if statement.json_paths.lower() == "noshred":
                yield Record(line, raw, (raw,))
            elif not isinstance(value, dict):
                yield Record(line, raw, code=1216, reason="Invalid JSON: an object was expected")
            elif paths is not None:
                yield Record(line, raw, tuple(_written(_at(value, path)) for path in paths))
            else:
                if statement.json_paths.lower().endswith("ignorecase"):
                    value = {key.lower(): inner for key, inner in value.items()}
                yield Record(line, raw, tuple(_written(value.get(name)) for name in columns))
        line += text.count("\n", at, end)
        at = end


class _Number(float):
    """A number that keeps its digits when it is written."""

    def __new__(cls, digits: str) -> _Number:
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    digits: str

    def __repr__(self) -> str:
        return self.digits


def _written(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _encoded(value)


def _encoded(value: Any) -> str:
    """JSON without white space; numbers as they were."""
    if isinstance(value, _Number):
        return value.digits
    if isinstance(value, dict):
        inner = (f"{json.dumps(key, ensure_ascii=False)}:{_encoded(item)}" for key, item in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encoded, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _at(value: Any, path: str) -> Any:
    for name, quoted, index in _STEP.findall(path.removeprefix("$")):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(name or quoted) if isinstance(value, dict) else None
    return value
