"""What happens when a run misses its deadline: its owner hears of it, once, and again when the run is done."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any, Protocol

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from asgiref.sync import sync_to_async

from airflow_provider_cio.core.contract import Connections, Deadline, Notify
from airflow_provider_cio.core.watch.alerting import Observation
from airflow_provider_cio.core.watch.metrics import Subject, SubjectKind
from airflow_provider_cio.core.watch.monitoring_file import Monitoring, Quiet
from airflow_provider_cio.deadlines.reference import RunDue
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.hooks.alerts import Desk
from airflow_provider_cio.hooks.notifiers import notifier_of

log = logging.getLogger(__name__)


class Promised(Protocol):
    """A sync, an audience or the reporting: what may have a deadline."""

    @property
    def name(self) -> str:
        """Of the file."""

    @property
    def owner(self) -> str:
        """Who is told."""

    @property
    def deadline(self) -> Deadline | None:
        """The promise."""


def deadline_alert(
    promised: Promised,
    *,
    kind: SubjectKind = "sync",
    connections: Connections | None = None,
    monitoring: Monitoring | None = None,
) -> DeadlineAlert | None:
    """Make the alert of a ``deadline``; None when there is none.

    :param connections: where the books of alerts are.
    :param monitoring: whose channels tell the owner, unless the deadline names its own.
    :raises ContractError: a notifier cannot be used.
    """
    if promised.deadline is None:
        return None
    own, connections = promised.deadline.notify, connections or Connections()
    channels = [own] if own else monitoring.channels if monitoring else []
    for channel in channels:
        notifier_of(channel, "deadline.notify" if own else "channels")
    quiet = monitoring.quiet_hours if monitoring else None
    kwargs = {
        "kind": kind,
        "name": promised.name,
        "owner": promised.owner,
        "promise": promise(promised.deadline),
        "connections": connections.model_dump(),
        "channels": [channel.model_dump() for channel in channels],
        "quiet": quiet.model_dump(mode="json") if quiet else None,
        "runbook": monitoring.runbook if monitoring else "",
    }
    return DeadlineAlert(
        reference=RunDue(),
        interval=promised.deadline.within,
        callback=AsyncCallback(announce_late, kwargs),
        name=f"{promised.name} {kwargs['promise']}",
    )


def promise(deadline: Deadline) -> str:
    """The deadline in words, as the owner reads it."""
    return f"delivered within {deadline.within} of the moment the run was due"


async def announce_late(
    *,
    kind: SubjectKind,
    name: str,
    owner: str,
    promise: str,
    connections: dict[str, str],
    channels: list[dict[str, Any]],
    quiet: dict[str, str] | None,
    runbook: str,
    context: dict[str, Any],
) -> str:
    """Record the miss, tell the owner. Runs in the triggerer; who was told."""
    hours = Quiet.model_validate(quiet) if quiet else None
    desk = Desk(
        Connections.model_validate(connections),
        tuple(Notify.model_validate(channel) for channel in channels),
        Monitoring(owner=owner, quiet_hours=hours).quiet,
        runbook,
        extra=(("promise", promise),),
    )
    run_id = str((context.get("dag_run") or {}).get("dag_run_id", "unknown"))
    # Redshift and notifiers block, and the triggerer's event loop must not.
    return await sync_to_async(_announce, thread_sensitive=False)(
        desk, Subject(kind, name), owner, promise, run_id
    )


def _announce(desk: Desk, subject: Subject, owner: str, promise: str, run_id: str) -> str:
    text = f"run {run_id} missed its promise, {promise}"
    link = desk.link("deadline")
    missed = Observation("deadline", subject, "critical", text, run_id=run_id, owner=owner, runbook=link)
    told = desk.see(missed)
    if _is_done(desk, missed):  # it ended before this was written, so nobody else will say that it did
        done = Observation(
            "deadline", subject, "ok", f"run {run_id} is done", run_id=run_id, owner=owner, runbook=link
        )
        desk.see(done)
    log.warning("%s %s (owner %s): %s. Told %s.", subject.kind, subject.name, owner, text, told)
    return told


def _is_done(desk: Desk, missed: Observation) -> bool:
    from airflow_provider_cio.hooks.warehouse import open_warehouse
    from airflow_provider_cio.warehouse.watch.alerts import ended

    try:
        with closing(open_warehouse(desk.connections)) as warehouse:
            return bool(warehouse.fetch(ended(warehouse.schema, missed)))
    except CustomerIOProviderError:
        return False
