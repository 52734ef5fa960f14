"""Snapshots as a run leaves them, for what shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_provider_cio.core.snapshot import About, Run, Summary

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def run(**changes: Any) -> Run:
    """A run that ended at noon."""
    values = {"run_id": "scheduled__2026-11-25T11:50:00+00:00", "plan_id": "01K", "status": "sent"}
    return Run(
        **values | {"finished_at": NOW, "accepted": 10, "added": 10, "source": 12, "lag": 600.0} | changes
    )


def snapshot(name: str, **changes: Any) -> Summary:
    """A summary whose about has what `changes` says of it."""
    of_about = {key: changes.pop(key) for key in list(changes) if key in About.model_fields}
    about = {"subject": "sync", "name": name, "kind": "people", "owner": "retention", "deadline": 3600.0}
    values = {"taken_at": NOW, "last": run(), "delivered_at": NOW, "recent": [1, 5, 10]}
    return Summary(about=About(**about | of_about), **values | changes)
