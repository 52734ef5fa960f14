"""The moment that Airflow writes into the id of a run."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_MOMENT = re.compile(r"__(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:\d\d|Z))")


def moment_of(run_id: str) -> datetime | None:
    """When the run was due, in UTC (`scheduled__2026-11-01T06:00:00+00:00`); None in an id of its own."""
    match = _MOMENT.search(run_id or "")
    try:
        return datetime.fromisoformat(match[1]).astimezone(UTC) if match else None
    except (ValueError, OverflowError):
        return None
