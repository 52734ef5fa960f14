"""The moment a run was due, from its id alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from airflow.sdk.definitions.deadline import BaseDeadlineReference, deadline_reference

from airflow_provider_cio.core.run_id import moment_of


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
    return moment_of(run_id) or datetime.now(UTC)
