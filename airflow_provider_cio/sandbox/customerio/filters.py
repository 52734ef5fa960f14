"""The audience filter of ``POST /v1/customers``, as a condition in SQL."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import as_text
from airflow_provider_cio.sandbox.customerio.people import number

DEPTH = 10
COLUMNS = {"id": "id", "email": "email", "phone": "phone"}
TEXT = "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(atom AS TEXT) END"


def condition(value: Any, depth: int = 0) -> tuple[str, list[Any]]:
    """SQL over ``people`` and its values; ValueError says what is wrong with the filter.

    The outermost object has one property. Inner ones may have several, which must then all hold.
    """
    if not isinstance(value, dict) or not value or depth > DEPTH or (depth == 0 and len(value) > 1):
        raise ValueError("a filter is an object with one of and, or, not, segment, attribute")
    parts = [_one(kind, content, depth) for kind, content in value.items()]
    return _all(parts, "AND")


def _one(kind: str, content: Any, depth: int) -> tuple[str, list[Any]]:
    if kind in {"and", "or"}:
        return _joined(kind, content, depth)
    if kind == "not":
        sql, values = condition(content, depth + 1)
        return f"NOT ({sql})", values
    if kind == "segment":
        return _segment(content)
    if kind == "attribute":
        return _attribute(content)
    raise ValueError(f"unknown filter {kind!r}; there are: and, or, not, segment, attribute")


def _joined(kind: str, content: Any, depth: int) -> tuple[str, list[Any]]:
    if not isinstance(content, list) or not content:
        raise ValueError(f"{kind} needs a list of filters")
    return _all([condition(each, depth + 1) for each in content], kind.upper())


def _all(parts: list[tuple[str, list[Any]]], operator: str) -> tuple[str, list[Any]]:
    sql = f" {operator} ".join(f"({part})" for part, _ in parts)
    return sql, [value for _, values in parts for value in values]


def _segment(content: Any) -> tuple[str, list[Any]]:
    if not isinstance(content, dict) or type(content.get("id")) is not int:
        raise ValueError("segment.id must be an integer")
    return "cio IN (SELECT cio FROM members WHERE segment = CAST(? AS INTEGER))", [str(content["id"])]


def _attribute(content: Any) -> tuple[str, list[Any]]:
    field = content.get("field") if isinstance(content, dict) else None
    if not isinstance(field, str) or not field:
        raise ValueError("attribute.field must be a string")
    operator = content.get("operator")
    if operator == "exists":
        return _exists(field)
    if operator == "eq":
        if "value" not in content:
            raise ValueError("attribute.value is required for eq")
        return _equals(field, as_text(content["value"]))
    raise ValueError("attribute.operator must be eq or exists")


def _exists(field: str) -> tuple[str, list[Any]]:
    if field == "cio_id":
        return "1", []
    if field in COLUMNS:
        return f"{COLUMNS[field]} IS NOT NULL", []
    return "EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ?)", [field]


def _equals(field: str, text: str) -> tuple[str, list[Any]]:
    """Values compare as text, as the App API shows them; emails without case."""
    if field == "cio_id":
        return "cio = ?", [number(text)]
    if field == "email":
        return "(email_key IS NOT NULL AND email_key = ?)", [text.lower()]
    if field in COLUMNS:
        return f"({COLUMNS[field]} IS NOT NULL AND {COLUMNS[field]} = ?)", [text]
    return f"EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ? AND {TEXT} = ?)", [field, text]
