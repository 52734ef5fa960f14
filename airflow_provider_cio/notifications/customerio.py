"""Tell somebody by a transactional message of Customer.io."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseNotifier, Context
from asgiref.sync import sync_to_async

_DATA = {name: f"{{{{ {name} }}}}" for name in ("state", "message", "owner", "runbook")}


class CustomerIONotifier(BaseNotifier):
    """Send a transactional email.

    With a workspace that is itself in trouble this may not arrive: give alerts a second channel.

    :param to: address of the owner (templated).
    :param transactional_message_id: number or trigger name of the message (templated).
    :param message_data: what its Liquid sees (templated); by default `state`, `message`, `owner` and `runbook`.
    :param customerio_conn_id: Airflow connection of type `customerio`, with an App API key (templated).
    """

    template_fields: Sequence[str] = ("to", "transactional_message_id", "message_data", "customerio_conn_id")

    def __init__(
        self,
        *,
        to: str,
        transactional_message_id: int | str,
        message_data: Mapping[str, Any] | None = None,
        customerio_conn_id: str = "customerio_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.transactional_message_id = transactional_message_id
        self.message_data = dict(_DATA if message_data is None else message_data)
        self.customerio_conn_id = customerio_conn_id

    def notify(self, context: Context) -> None:  # noqa: ARG002
        """Send it.

        :raises CustomerIOProviderError: Customer.io did not take it.
        """
        from airflow_provider_cio.hooks.customerio import CustomerIOHook

        with CustomerIOHook(self.customerio_conn_id).transactional_client() as client:
            delivery = client.send_email(self.transactional_message_id, self.to, self.message_data)
        self.log.info("Customer.io took the message as delivery %s", delivery)

    async def async_notify(self, context: Context) -> None:
        """Send it from an event loop."""
        await sync_to_async(self.notify, thread_sensitive=False)(context)
