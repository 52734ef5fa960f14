"""The moment a run was due, from its id alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from airflow.sdk.definitions.deadline import BaseDeadlineReference, deadline_reference

_MOMENT = re.compile(r"__(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d:\d\d|Z))")


@deadline_reference()
class RunDue(BaseDeadlineReference):
    """When the run was due: Airflow writes it into the run id (`scheduled__2026-11-01T06:00:00+00:00`).

    A run with an id of its own counts from now. Airflow evaluates a reference inside the scheduler, with its
    database session, while it creates the run, and creates no run when that fails: hence no query, no network,
    and no exception.
    """

    required_kwargs: ClassVar[set[str]] = {"run_id"}

    def _evaluate_with(self, *, session: Any = None, run_id: str = "", **_: Any) -> datetime:  # noqa: ARG002
        return due_at(run_id)


def due_at(run_id: str) -> datetime:
    """The moment in a run id, in UTC; now when there is none that can be read."""
    match = _MOMENT.search(run_id or "")
    try:
        return datetime.fromisoformat(match[1]).astimezone(UTC) if match else datetime.now(UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)
