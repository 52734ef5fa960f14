"""Meta custom audiences (Graph API): add and remove by POST bodies, success by JSON without `error`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from airflow_provider_cio.clients.destinations.base import (
    BETWEEN,
    Batch,
    Platform,
    Receipt,
    Standing,
    down,
    json_object,
    not_json,
    rate_limited,
    refused,
    unauthorised,
)
from airflow_provider_cio.exceptions import CustomerIOProviderError, UnknownOutcomeError

_LIMITED = frozenset({4, 17, 613, 80003})
_TRANSIENT = frozenset({1, 2, 341})
_TOKEN = frozenset({102, 190, 200, 270, 294})
_USABLE = 200
ADDRESS, KEYS_OF_ADDRESS = "ADDRESS", ("FN", "LN", "ZIP", "COUNTRY")
"""An identifier of several keys: a row of Meta's multi-key form."""


class MetaAudience:
    """One custom audience; the token needs `ads_management`, and the terms must be accepted."""

    def __init__(
        self,
        *,
        token: str,
        audience: str,
        base_url: str | None = None,
        api_version: str = "v26.0",
        requests_per_minute: float = 80,
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url or "https://graph.facebook.com",
            judge,
            headers={"Authorization": f"Bearer {token}"},
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._path = f"/{api_version}/{audience}"
        self.settlement: Callable[[str], Any] = self._api.settlement
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """Add or remove up to 10,000 identifiers of one key, or rows of a name and an address.

        A removal is a POST with `method=DELETE`, which the API documents: a URL has no room for it, and a proxy may
        drop the body of a DELETE.
        """
        payload: dict[str, Any] = {"schema": batch.field, "data": list(batch.identifiers)}
        if batch.field == ADDRESS:
            rows = [each.split(BETWEEN) for each in batch.identifiers]
            payload = {"schema": list(KEYS_OF_ADDRESS), "data": rows}
        body: dict[str, Any] = {"payload": payload}
        if batch.action == "remove":
            body["method"] = "DELETE"
        answer = json_object(self._api.request("POST", f"{self._path}/users", json=body).response) or {}
        if "num_received" not in answer:
            raise UnknownOutcomeError(
                "Meta's answer does not say how many entries it received.", next_step="run the audience again"
            )
        return Receipt(
            "accepted", str(answer.get("session_id", "")), int(answer.get("num_invalid_entries", 0))
        )

    def standing(self) -> Standing:
        """Lower bound of the approximate count; ready when both status codes say 200."""
        fields = "operation_status,delivery_status,approximate_count_lower_bound"
        found = json_object(self._api.request("GET", self._path, params={"fields": fields}).response) or {}
        size = found.get("approximate_count_lower_bound")
        codes = [
            int((found.get(name) or {}).get("code", 0)) for name in ("operation_status", "delivery_status")
        ]
        return Standing(
            None if size is None or int(size) < 0 else int(size),
            codes == [_USABLE, _USABLE],
            f"operation {codes[0]}, delivery {codes[1]}",
        )


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """Graph answers every error as JSON with a code; the HTTP status says little."""
    body = json_object(response)
    if body is None:
        return not_json(response)
    error = body.get("error")
    if error is None and response.is_success:
        return None
    error = error if isinstance(error, dict) else {}
    code, said = int(error.get("code", 0)), f"code {error.get('code')}/{error.get('error_subcode', '-')}"
    if code in _LIMITED:
        return rate_limited(response, said)
    if code in _TRANSIENT or error.get("is_transient") or response.status_code >= 500:
        return down(response, said)
    if code in _TOKEN:
        return unauthorised(
            response, said, "check token, `ads_management` and the accepted terms of custom audiences"
        )
    return refused(response, said, "look the code up in Meta's Marketing API error reference")
