"""What happens when a sync misses its deadline: its owner hears of it, through the notifier the YAML names."""

from __future__ import annotations

import inspect
import logging
from importlib import import_module
from typing import Any, Protocol

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from airflow_provider_cio.core.contract import Deadline, Notify
from airflow_provider_cio.deadlines.reference import RunDue
from airflow_provider_cio.exceptions import ContractError

log = logging.getLogger(__name__)


class Promised(Protocol):
    """A sync or an audience: what may have a deadline."""

    @property
    def name(self) -> str:
        """Of the file."""

    @property
    def owner(self) -> str:
        """Who is told."""

    @property
    def deadline(self) -> Deadline | None:
        """The promise."""


def deadline_alert(sync: Promised) -> DeadlineAlert | None:
    """Make the alert of a sync's ``deadline``; None when it has none.

    :raises ContractError: the notifier cannot be used.
    """
    if sync.deadline is None:
        return None
    notify = sync.deadline.notify
    if notify:
        notifier_of(notify)
    kwargs = {
        "sync": sync.name,
        "owner": sync.owner,
        "promise": promise(sync.deadline),
        "notifier": notify.notifier if notify else None,
        "arguments": dict(notify.arguments) if notify else {},
    }
    return DeadlineAlert(
        reference=RunDue(),
        interval=sync.deadline.within,
        callback=AsyncCallback(announce_late, kwargs),
        name=f"{sync.name} {kwargs['promise']}",
    )


def promise(deadline: Deadline) -> str:
    """The deadline in words, as the owner reads it."""
    return f"delivered within {deadline.within} of the moment the run was due"


async def announce_late(
    *,
    sync: str,
    owner: str,
    promise: str,
    notifier: str | None,
    arguments: dict[str, Any],
    context: dict[str, Any],
) -> str:
    """Notify first; then log. Runs in the triggerer.

    The notifier's templates see ``sync``, ``owner``, ``promise``, ``dag_run`` and ``deadline``; of the run, use
    ``{{ dag_run.dag_run_id }}`` (a deadline's context is what the REST API says of the run).
    """
    told = "nobody: the sync names no notifier"
    if notifier:
        instance = notifier_of(Notify(notifier=notifier, arguments=arguments))
        instance.context = context | {"sync": sync, "owner": owner, "promise": promise}  # type: ignore[assignment]
        await instance
        told = notifier
    run = context.get("dag_run") or {}
    log.warning(
        "Sync %s (owner %s) missed its promise, %s. Run %s. Told %s.",
        sync,
        owner,
        promise,
        run.get("dag_run_id", "unknown"),
        told,
    )
    return told


def notifier_of(notify: Notify) -> BaseNotifier:
    """Make the notifier.

    :raises ContractError: it is absent, has no ``async_notify``, or does not take the arguments.
    """
    where = f"deadline.notify.notifier: {notify.notifier}"
    module, _, name = notify.notifier.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ContractError(
            f"{where} cannot be imported ({error}).",
            next_step="give the import path of a notifier that is installed where the triggerer runs, such as "
            "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        ) from error
    if not (inspect.isclass(found) and issubclass(found, BaseNotifier)):
        raise ContractError(
            f"{where} is not an Airflow notifier.", next_step="name a subclass of BaseNotifier"
        )
    if found.async_notify is BaseNotifier.async_notify:
        raise ContractError(
            f"{where} has no async_notify, and a deadline is announced from the triggerer's event loop.",
            next_step="choose a notifier with async_notify: Slack, SlackWebhook, Smtp, Http, SES, SNS and SQS have it",
        )
    try:
        return found(**notify.arguments)
    except TypeError as error:
        raise ContractError(
            f"deadline.notify.arguments do not fit {notify.notifier}: {error}.",
            next_step="compare them with the notifier's parameters",
        ) from error
