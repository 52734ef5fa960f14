"""A notifier that a YAML file names by its import path."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from airflow.sdk import BaseNotifier

from airflow_provider_cio.core.contract import Notify
from airflow_provider_cio.exceptions import ContractError


def notifier_of(notify: Notify, key: str = "channels") -> BaseNotifier:
    """Make the notifier; `key` is where the YAML names it, for messages.

    :raises ContractError: it is absent, is none, or does not take the arguments.
    """
    where = f"{key}.notifier: {notify.notifier}"
    module, _, name = notify.notifier.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ContractError(
            f"{where} cannot be imported ({error}).",
            next_step="give the import path of a notifier that is installed where tasks and the triggerer run, such "
            "as airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        ) from error
    if not (inspect.isclass(found) and issubclass(found, BaseNotifier)) or found is BaseNotifier:
        raise ContractError(
            f"{where} is not an Airflow notifier.", next_step="name a subclass of BaseNotifier"
        )
    try:
        return found(**notify.arguments)
    except TypeError as error:
        raise ContractError(
            f"{key}.arguments do not fit {notify.notifier}: {error}.",
            next_step="compare them with the notifier's parameters",
        ) from error


def send(channel: Notify, context: dict[str, Any]) -> None:
    """Not by calling the notifier: that logs what goes wrong, and hides it."""
    notifier: Any = notifier_of(channel)
    notifier.render_template_fields(context)
    notifier.notify(context)
