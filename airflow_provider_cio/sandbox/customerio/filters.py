"""Audience filters as conditions in SQL: those of ``POST /v1/customers``, and the wider ones of segments."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import as_text
from airflow_provider_cio.sandbox.customerio.people import number

DEPTH = 10
COLUMNS = {"id": "id", "email": "email", "phone": "phone"}
TEXT = "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(atom AS TEXT) END"


DAY = 86_400
COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
AGES = {"within_days": ">=", "older_than_days": "<"}


def condition(value: Any, depth: int = 0, *, now: int | None = None) -> tuple[str, list[Any]]:
    """SQL over ``people`` and its values; ValueError says what is wrong with the filter.

    The outermost object has one property. Inner ones may have several, which must then all hold. With ``now``
    (unix seconds), what only data-driven segments know is understood too: attributes that are compared as
    numbers (gt, gte, lt, lte) or as moments (within_days, older_than_days), and events.
    """
    if not isinstance(value, dict) or not value or depth > DEPTH or (depth == 0 and len(value) > 1):
        raise ValueError("a filter is an object with one of and, or, not, segment, attribute")
    parts = [_one(kind, content, depth, now) for kind, content in value.items()]
    return _all(parts, "AND")


def _one(kind: str, content: Any, depth: int, now: int | None) -> tuple[str, list[Any]]:
    if kind in {"and", "or"}:
        return _joined(kind, content, depth, now)
    if kind == "not":
        sql, values = condition(content, depth + 1, now=now)
        return f"NOT ({sql})", values
    if kind == "segment":
        return _segment(content)
    if kind == "attribute":
        return _attribute(content, now)
    if kind == "event" and now is not None:
        return _event(content, now)
    raise ValueError(f"unknown filter {kind!r}; there are: and, or, not, segment, attribute")


def _joined(kind: str, content: Any, depth: int, now: int | None) -> tuple[str, list[Any]]:
    if not isinstance(content, list) or not content:
        raise ValueError(f"{kind} needs a list of filters")
    return _all([condition(each, depth + 1, now=now) for each in content], kind.upper())


def _all(parts: list[tuple[str, list[Any]]], operator: str) -> tuple[str, list[Any]]:
    sql = f" {operator} ".join(f"({part})" for part, _ in parts)
    return sql, [value for _, values in parts for value in values]


def _segment(content: Any) -> tuple[str, list[Any]]:
    if not isinstance(content, dict) or type(content.get("id")) is not int:
        raise ValueError("segment.id must be an integer")
    return "cio IN (SELECT cio FROM members WHERE segment = CAST(? AS INTEGER))", [str(content["id"])]


def _attribute(content: Any, now: int | None) -> tuple[str, list[Any]]:
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
    if now is not None and operator in COMPARISONS:
        return _compared(field, COMPARISONS[operator], content.get("value"))
    if now is not None and operator in AGES:
        return _compared(field, AGES[operator], now - DAY * _days(content.get("value")))
    raise ValueError("attribute.operator must be eq or exists")


def _compared(field: str, sign: str, value: Any) -> tuple[str, list[Any]]:
    if type(value) not in {int, float}:
        raise ValueError("attribute.value must be a number")
    number_of = "CASE WHEN type IN ('integer', 'real') THEN atom END"
    return f"EXISTS (SELECT 1 FROM json_each(attributes) WHERE key = ? AND {number_of} {sign} ?)", [
        field,
        value,
    ]


def _event(content: Any, now: int) -> tuple[str, list[Any]]:
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError("event.name must be a string")
    at_least = content.get("at_least", 1)
    if type(at_least) is not int or at_least < 1:
        raise ValueError("event.at_least must be 1 or more")
    since = now - DAY * _days(content["within_days"]) if "within_days" in content else 0
    counted = (
        "SELECT count(*) FROM activities WHERE activities.cio = people.cio"
        " AND type = 'event' AND name = ? AND timestamp >= ?"
    )
    return f"({counted}) >= ?", [name, since, at_least]


def _days(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("days must be 0 or more")
    return value


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
