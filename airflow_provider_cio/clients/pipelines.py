"""Customer.io's Pipelines API: identify, track, page, screen and group calls, by batches."""

from __future__ import annotations

from typing import Any, Unpack

import httpx

from airflow_provider_cio.clients.track import BatchResult, Region
from airflow_provider_cio.clients.transport import ApiClient, Service, Wire

_HOSTS: dict[str, str] = {"us": "https://cdp.customer.io", "eu": "https://cdp-eu.customer.io"}


class PipelinesClient(ApiClient):
    """The Pipelines API of one source; threads may share it.

    Strict mode is always on: without it, what is invalid or too large is answered with 200 and dropped.

    :param api_key: of the source; it is the user of basic authentication, with a blank password.
    :param rate: requests a second over all threads; Customer.io asks for no more than 3,000 in three seconds.
    """

    def __init__(
        self,
        *,
        api_key: str,
        region: Region = "us",
        base_url: str | None = None,
        rate: float = 100,
        **wire: Unpack[Wire],
    ) -> None:
        super().__init__(
            Service(base_url or _HOSTS[region], "the Pipelines API key", region),
            auth=httpx.BasicAuth(api_key, ""),
            headers={"X-Strict-Mode": "1"},
            rate=rate,
            **wire,
        )

    def send_batch(self, body: bytes, count: int) -> BatchResult:  # noqa: ARG002 - no item is named here
        """Send one body.

        :raises RequestRefusedError: an item, or the whole, is invalid; which one is not said.
        :raises UnknownOutcomeError: written, but not answered: items may have been applied.
        :raises DestinationDownError: not applied.
        """
        answer = self._transport.request("POST", "/v1/batch", content=body)
        return BatchResult((), answer.requests, answer.rate_limited)

    def region(self) -> dict[str, Any]:
        """An empty batch: the connection test, as there is no call for it.

        :raises AuthenticationError: the key is refused.
        """
        self.send_batch(b'{"batch":[]}', 0)
        return {}
