"""What the tasks of a Dag tell: of failures, and that a run is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow.sdk.definitions.deadline import DeadlineAlert

from airflow_provider_cio.core.contract import Connections
from airflow_provider_cio.core.watch.metrics import Subject, SubjectKind
from airflow_provider_cio.core.watch.monitoring_file import monitoring_beside
from airflow_provider_cio.deadlines.callback import Promised, deadline_alert, promise
from airflow_provider_cio.hooks.alerts import Desk, on_end, on_failure
from airflow_provider_cio.hooks.snapshots import keep_mended


class Watched:
    """A sync, an audience or the reporting, with the channels of its own or of the monitoring.yaml beside its contract.

    Without monitoring.yaml and without a deadline its tasks tell nobody anything.
    """

    def __init__(
        self, promised: Promised, connections: Connections, folder: Path, *, kind: SubjectKind = "sync"
    ) -> None:
        self._promised, self._connections, self._kind = promised, connections, kind
        self._monitoring = monitoring_beside(folder / "contract.yaml")
        deadline = promised.deadline
        desk = Desk.of(connections, self._monitoring, deadline.notify if deadline else None)
        self._desk = replace(desk, extra=(("promise", promise(deadline)),)) if deadline else desk
        self._subject = Subject(kind, promised.name)

    @property
    def deadline(self) -> DeadlineAlert | None:
        """Of the Dag."""
        return deadline_alert(
            self._promised, kind=self._kind, connections=self._connections, monitoring=self._monitoring
        )

    @property
    def every_task(self) -> dict[str, Any]:
        """Arguments of each task."""
        if self._monitoring is None:
            return {}
        return {"on_failure_callback": on_failure(self._desk, self._subject, self._promised.owner)}

    @property
    def last_task(self) -> dict[str, Any]:
        """Arguments of the task whose success means that the run is done."""
        deadline = self._promised.deadline is not None
        if self._monitoring is None and not deadline:
            return {}
        checks = (["failed"] if self._monitoring else []) + (["deadline"] if deadline else [])
        ended = on_end(self._desk, self._subject, self._promised.owner, checks)
        return {"on_success_callback": [ended, keep_mended]}

    @property
    def ended_apart(self) -> dict[str, Any]:
        """Arguments of a last task that skips itself where its run was asked for less than the whole.

        Such a run is not late any more; what failed before it has not been mended.
        """
        if self._promised.deadline is None:
            return {}
        ended = on_end(self._desk, self._subject, self._promised.owner, ["deadline"])
        return {"on_skipped_callback": [ended, keep_mended]}
