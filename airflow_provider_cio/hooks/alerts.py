"""Alerts from Airflow: tell owners through notifiers, and keep the books while tasks fail, end, or are late.

The ways to Redshift are imported by what uses them: a Dag file is parsed often, and needs neither Arrow nor a driver.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_cio.core.contract import Connections, Notify
from airflow_provider_cio.core.watch.alerting import Message, Observation, QuietHours
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.core.watch.monitoring_file import Monitoring
from airflow_provider_cio.exceptions import CustomerIOProviderError, EndedEarlyError
from airflow_provider_cio.hooks.notifiers import send

if TYPE_CHECKING:
    from airflow_provider_cio.warehouse.session import Warehouse

log = logging.getLogger(__name__)
NOBODY = "nobody: no notifier is named"
_CAUSES = {
    "WarehouseError": "redshift",
    "AuthenticationError": "",
    "DestinationDownError": "destination",
    "RateLimitedError": "destination",
    "UnknownOutcomeError": "destination",
}
"""Of errors that one outage brings to many."""


@dataclass(frozen=True)
class Desk:
    """Where the books of alerts are, and how owners are told.

    :param extra: more names for the notifiers' templates.
    """

    connections: Connections
    channels: tuple[Notify, ...] = ()
    quiet: QuietHours | None = None
    runbook: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, connections: Connections, monitoring: Monitoring | None, own: Notify | None = None) -> Desk:
        """The channels of monitoring.yaml, unless the subject has its own."""
        if monitoring is None:
            return cls(connections, (own,) if own else ())
        channels = (own,) if own else tuple(monitoring.channels)
        return cls(connections, channels, monitoring.quiet, monitoring.runbook)

    def link(self, anchor: str) -> str:
        """The place in the run-book."""
        return f"{self.runbook}#{anchor.replace('_', '-')}" if self.runbook else ""

    def see(self, *observations: Observation) -> str:
        """Write down what was seen, and tell whoever must know; who was told.

        When Redshift cannot be reached, what is bad is told all the same, each time.
        """
        from airflow_provider_cio.hooks.warehouse import open_warehouse
        from airflow_provider_cio.warehouse.state import ensure_tables
        from airflow_provider_cio.warehouse.watch.alerts import observe

        try:
            with closing(open_warehouse(self.connections)) as warehouse:
                ensure_tables(warehouse)
                warehouse.transaction(lambda session: observe(session, warehouse.schema, observations))
                told = [
                    self.deliver(warehouse, only=name)
                    for name in sorted({each.alert for each in observations})
                ]
                return next(filter(None, told), "nobody anew")
        except CustomerIOProviderError as error:
            log.warning("The books of alerts cannot be reached, so the owner is told without them: %s", error)
            bad = [each for each in observations if each.verdict in {"warning", "critical"}]
            return ", ".join(self.tell(_unrecorded(each)) for each in bad)

    def deliver(
        self,
        warehouse: Warehouse,
        *,
        only: str | None = None,
        channels: Callable[[Message], Sequence[Notify]] | None = None,
    ) -> str:
        """Tell what is due (of the outage of alert `only`); who was told.

        :raises Exception: a notifier's own, when all of a message failed; the next one who looks tries again.
        """
        from airflow_provider_cio.warehouse.watch import alerts

        schema = warehouse.schema
        due = warehouse.transaction(
            lambda session: alerts.claim(session, schema, datetime.now(UTC), self.quiet, only)
        )
        by: list[str] = []
        errors: list[Exception] = []
        for message in due:
            try:
                by.append(self.tell(message, channels(message) if channels else None))
            except Exception as error:  # noqa: BLE001 - raised below, when the others were told
                errors.append(error)
                warehouse.transaction(partial(alerts.not_told, schema=schema, message=message))
            else:
                warehouse.transaction(partial(alerts.told, schema=schema, message=message, by=by[-1]))
        if errors:
            raise errors[0]
        return ", ".join(by)

    def tell(self, message: Message, channels: Sequence[Notify] | None = None) -> str:
        """Through every channel; an error of one does not keep the others back. Who was told.

        :raises Exception: the first error, when no channel worked.
        """
        log.warning("%s", message.text)
        told: list[str] = []
        errors: list[Exception] = []
        for channel in self.channels if channels is None else channels:
            try:
                send(channel, context_of(message) | dict(self.extra))
            except Exception as error:  # noqa: BLE001 - whatever a notifier raises, the others are tried
                log.error("%s did not tell %s: %s", channel.notifier, message.owner, error)  # noqa: TRY400
                errors.append(error)
            else:
                told.append(channel.notifier)
        if errors and not told:
            raise errors[0]
        return ", ".join(told) or NOBODY


def context_of(message: Message) -> dict[str, Any]:
    """What the templates of a notifier see."""
    first = message.alerts[0]
    return {
        "state": message.state,
        "message": message.text,
        "owner": message.owner,
        "group": message.group,
        "alerts": [each.alert for each in message.alerts],
        "runbook": first.runbook,
        "sync": first.subject.name,
        "promise": first.message,
        "dag_run": {"dag_run_id": first.run_id},
    }


def on_failure(desk: Desk, subject: Subject, owner: str) -> Callable[[Any], None]:
    """A task's `on_failure_callback`: its owner hears of it once, with the error's class and what to do."""

    def tell(context: Any) -> None:
        error, task = context.get("exception"), context["task_instance"].task_id
        if isinstance(error, EndedEarlyError):
            return  # the task that ended it has told
        name = type(error).__name__
        step = getattr(error, "next_step", "") or "read the log of the task."
        seen = Observation(
            "failed",
            subject,
            "critical",
            f"task {task} of run {context['run_id']} failed: {name}. Next step: {step}",
            run_id=str(context["run_id"]),
            owner=owner,
            group=_CAUSES.get(name, ""),
            runbook=desk.link(name.lower()),
        )
        desk.see(seen)

    return tell


def on_end(desk: Desk, subject: Subject, owner: str, checks: Sequence[str]) -> Callable[[Any], None]:
    """The last task's `on_success_callback`: the run is done, so nothing is late or failed any more."""

    def tell(context: Any) -> None:
        run_id = str(context["run_id"])
        seen = [
            Observation(
                check,
                subject,
                "ok",
                f"run {run_id} is done",
                run_id=run_id,
                owner=owner,
                runbook=desk.link(check),
            )
            for check in checks
        ]
        desk.see(*seen)

    return tell


def _unrecorded(seen: Observation) -> Message:
    from airflow_provider_cio.warehouse.watch.alerts import moved

    alert = moved(seen, None)
    return Message("warning" if seen.verdict == "warning" else "critical", seen.owner, alert.group, (alert,))
