"""The one gate for text that may hold a person's data: hash it, mask it, or cut it out."""

from __future__ import annotations

import logging
import re
from hashlib import sha256
from typing import Any

_MAX = 500
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(basic|bearer)\s+[\w.~+/=-]+"), r"\1 <secret>"),
    (re.compile(r"(?i)\b(password|secret|token|api_?key|aws_\w+)(\s*[=:]\s*)[^\s,;&]+"), r"\1\2<secret>"),
    (re.compile(r"[^\s@<>\"]+(?:@|%40)[\w.-]+"), "<email>"),
    (re.compile(r"\"(?:[^\"\\]|\\.)*\""), '"<text>"'),
    (re.compile(r"(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)"), "'<text>'"),
    (re.compile(r"\+?\d[\d ().-]{7,}\d"), "<number>"),
)


def redact(text: str) -> str:
    """A third party's message without secrets, addresses, quotations and long numbers; 500 characters."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= _MAX else text[:_MAX] + "..."


def hashed(value: object) -> str:
    """12 hex digits that stand for a value in logs: the same value, the same digits."""
    return sha256(str(value).encode()).hexdigest()[:12]


def mask(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with its values replaced by their kinds, and its identifiers by their hashes."""
    return {
        key: {name: f"#{hashed(value)}" for name, value in part.items()}
        if key == "identifiers"
        else {name: _kind(value) for name, value in part.items()}
        if key == "attributes"
        else part
        for key, part in operation.items()
    }


def _kind(value: Any) -> Any:
    match value:
        case bool() | None | "":
            return value
        case str():
            return f"<text of {len(value)}>"
        case int() | float():
            return "<number>"
        case list():
            return f"<list of {len(value)}>"
        case _:
            return f"<object of {len(value)}>"


class RedactingFilter(logging.Filter):
    """Passes every record on with its message redacted."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record in place."""
        record.msg, record.args = redact(record.getMessage()), ()
        return True
