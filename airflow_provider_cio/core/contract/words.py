"""The words of the contract: kinds, types, durations, names."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Kind = Literal[
    "people", "events", "objects", "relationships", "devices", "merges", "suppressions", "deletions"
]
Nulls = Literal["omit", "clear"]
ValueType = Literal["string", "integer", "number", "boolean", "timestamp", "json"]
Canonical = Literal["id", "email"]
Identifier = Literal["id", "email", "phone", "cio_id", "anonymous_id", "object_id", "cio_object_id"]
Transport = Literal["track", "pipelines"]

_DURATION = re.compile(r"^(\d+)\s*(s|m|h|d)$")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a duration as a number and a unit: 90s, 45m, 6h or 30d")
    return timedelta(**{_UNIT[match[2]]: int(match[1])})


def _time_zone(value: str) -> str:
    try:
        return str(ZoneInfo(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong = f"'{value}' is not a time zone of the IANA database, such as UTC or Europe/London"
        raise ValueError(wrong) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=_DURATION.pattern)]),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Percent = Annotated[float, Field(ge=0, le=100)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,126}$")]


class Model(BaseModel):
    """Immutable, and unknown keys are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
