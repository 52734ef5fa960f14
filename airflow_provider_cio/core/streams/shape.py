"""What a stream is: its columns, its key, and how far back it still changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Source = Literal["app_api", "export", "data_out", "webhooks"]
Type = Literal["text", "long", "integer", "boolean", "moment"]
"""A `text` has at most 4096 bytes, a `long` 60,000."""
SQL_TYPES: dict[Type, str] = {
    "text": "VARCHAR(4096)",
    "long": "VARCHAR(65535)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "moment": "TIMESTAMP",
}
_JSON_TYPES: dict[Type, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "long": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "moment": {"type": ["string", "null"], "format": "date-time"},
}


@dataclass(frozen=True)
class Field:
    """A column of a stream."""

    name: str
    type: Type
    description: str


@dataclass(frozen=True)
class Stream:
    """One table of `cio_raw`.

    :param lookback: the App API and exports show rows by day, and a day still changes for so long; a stream without
        one is read whole each time.
    :param newest: of rows of one key that are equally recent, the one with the greatest value here wins.
    :param snapshot: what a reading does not show is gone.
    """

    name: str
    description: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    sources: tuple[Source, ...]
    lookback: timedelta = timedelta(0)
    newest: str | None = None
    snapshot: bool = False

    @property
    def names(self) -> list[str]:
        """Of its own columns, in the order of the table."""
        return [field.name for field in self.fields]

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of a row."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.description,
            "type": "object",
            "required": list(self.key),
            "properties": {
                field.name: {**_JSON_TYPES[field.type], "description": field.description}
                for field in self.fields
            },
        }


def fields(text: str) -> tuple[Field, ...]:
    """One field a line: name, type, description."""
    lines = (line.split(maxsplit=2) for line in text.strip().splitlines())
    return tuple(Field(name, kind, description) for name, kind, description in lines)  # type: ignore[arg-type]
