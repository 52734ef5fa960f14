"""Customer.io's transactional messages: one to one address, at once (App API, POST /v1/send/...)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from airflow_provider_cio.clients.app import HOSTS
from airflow_provider_cio.clients.errors import parsed
from airflow_provider_cio.clients.track import Region
from airflow_provider_cio.clients.transport import ApiClient, Service, Wire
from airflow_provider_cio.exceptions import UnknownOutcomeError

TRANSACTIONAL_RATE = 100.0
"""Requests a second of a workspace (App API, rate limits), apart from those that the App API allows."""


class TransactionalClient(ApiClient):
    """Sends transactional messages of one workspace.

    :param api_key: an App API key that may send transactional messages.
    :param rate: requests a second over all threads; Customer.io allows 100.
    """

    def __init__(
        self,
        *,
        api_key: str,
        region: Region = "us",
        base_url: str | None = None,
        rate: float = TRANSACTIONAL_RATE,
        **wire: Unpack[Wire],
    ) -> None:
        super().__init__(
            Service(base_url or HOSTS[region], "the App API key", region),
            headers={"Authorization": f"Bearer {api_key}"},
            rate=rate,
            **wire,
        )

    def send_email(self, message: int | str, to: str, data: Mapping[str, Any]) -> str:
        """Send a message to an address; the id of the delivery.

        POST /v1/send/email; `message` is the number or the trigger name of a transactional message.

        :raises RequestRefusedError: there is no such message, or nobody with the address.
        :raises UnknownOutcomeError: it may have been sent: the API has no id to repeat it under.
        """
        body = {
            "transactional_message_id": message,
            "to": to,
            "identifiers": {"email": to},
            "message_data": dict(data),
        }
        try:
            answer = self._transport.request("POST", "/v1/send/email", json=body, repeatable=False)
        except UnknownOutcomeError as error:
            raise UnknownOutcomeError(
                "Customer.io did not say whether it took the message: it may have been sent.",
                next_step="look for the delivery in Customer.io before you send it again.",
            ) from error
        sent = parsed(answer.response)
        return str(sent.get("delivery_id", "")) if isinstance(sent, dict) else ""
