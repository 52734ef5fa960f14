"""Documented sizes, and the two rate limits."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import RefusedError, encode

ITEM_KB = 32
BATCH_KB = 500
ID_BYTES = 150
TOKEN_BYTES = 4096
"""Not documented; push services issue tokens of more than 150 bytes, and say that they may grow."""
ATTRIBUTE_NAME_BYTES = 150
ATTRIBUTE_VALUE_BYTES = 1000
ATTRIBUTES = 300
EVENT_NAME_BYTES = 100
EVENT_DATA_BYTES = 100_000
OBJECT_BYTES = 100_000
NESTED = (dict, list)


def check_text(value: str, limit: int, field: str) -> None:
    """Refuse ``value`` when it is longer than ``limit`` bytes of UTF-8."""
    if 4 * len(value) > limit and len(value.encode()) > limit:
        raise RefusedError("too_long", field, f"{field} cannot be longer than {limit} bytes")


def check_attributes(attributes: dict[str, Any], field: str = "attributes") -> None:
    """300 attributes a call, 150 bytes a name, 1000 bytes a value; preferences are exempt from the last."""
    if len(attributes) > ATTRIBUTES:
        raise RefusedError("too_many", field, f"{field} cannot hold more than {ATTRIBUTES} attributes")
    for name, value in attributes.items():
        if 4 * len(name) > ATTRIBUTE_NAME_BYTES:
            check_text(name, ATTRIBUTE_NAME_BYTES, f"{field} name")
        if type(value) is str:
            if 4 * len(value) > ATTRIBUTE_VALUE_BYTES:
                check_text(value, ATTRIBUTE_VALUE_BYTES, f"{field}.{name}")
        elif type(value) in NESTED and not name.startswith("cio_"):
            check_text(encode(value), ATTRIBUTE_VALUE_BYTES, f"{field}.{name}")


class RateLimiter:
    """At most ``limit`` calls in any second; None allows all."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[float]] = {}

    def clear(self) -> None:
        self._calls = {}

    def allows(self, api: str, limit: int | None) -> bool:
        if limit is None:
            return True
        now, calls = time.monotonic(), self._calls.setdefault(api, deque())
        while calls and now - calls[0] >= 1:
            calls.popleft()
        if len(calls) >= limit:
            return False
        calls.append(now)
        return True
