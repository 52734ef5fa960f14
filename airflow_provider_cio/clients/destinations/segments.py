"""Customer.io manual segments: wrong ids are ignored silently, so members are read back."""

from __future__ import annotations

from typing import Any

import httpx

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.destinations.base import (
    Batch,
    Platform,
    Receipt,
    Settlement,
    Standing,
    down,
    rate_limited,
    refused,
    unauthorised,
)
from airflow_provider_cio.exceptions import CustomerIOProviderError

HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}


class ManualSegment:
    """One manual segment: written by the Track API, read back by the App API."""

    def __init__(
        self,
        *,
        site_id: str,
        api_key: str,
        segment: int,
        app: AppClient | None,
        base_url: str,
        requests_per_minute: float = 3_000,
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url,
            judge,
            auth=httpx.BasicAuth(site_id, api_key),
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._segment = segment
        self._app = app

    def apply(self, batch: Batch) -> Receipt:
        """Up to 1,000 ids a call; people must exist already."""
        verb = "add_customers" if batch.action == "add" else "remove_customers"
        self._api.request(
            "POST",
            f"/api/v1/segments/{self._segment}/{verb}",
            params={"id_type": batch.field},
            json={"ids": list(batch.identifiers)},
        )
        return Receipt("accepted")

    def members(self) -> set[str] | None:
        """Ids that are in the segment; None without an App API key."""
        if self._app is None:
            return None
        return {str(each["id"]) for each in self._app.membership(self._segment) if each.get("id")}

    def settlement(self, request_id: str) -> Settlement:
        """The answer is all there is."""
        return self._api.settlement(request_id)

    def standing(self) -> Standing:
        """How many people the segment holds."""
        if self._app is None:
            return Standing(None, None, "no App API key")
        return Standing(self._app.customer_count(self._segment), ready=True)

    def close(self) -> None:
        """Close both clients."""
        self._api.close()
        if self._app is not None:
            self._app.close()


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """Customer.io answers an empty object for success."""
    status = response.status_code
    said = str(status)
    if response.is_success:
        return None
    if status == 429:
        return rate_limited(response, said)
    if status >= 500:
        return down(response, said)
    if status in {401, 403}:
        return unauthorised(response, said, "check site id, Track API key and region of the connection")
    return refused(response, said, "check that the segment exists and is a manual one")
