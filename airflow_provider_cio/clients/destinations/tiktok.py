"""TikTok custom audiences (Business API, segment mapping): success is `code` 0, whatever the HTTP status."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from airflow_provider_cio.clients.destinations.base import (
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
from airflow_provider_cio.exceptions import CustomerIOProviderError, RequestRefusedError

_LIMITED = frozenset({40100, 40132})
_TRANSIENT = frozenset({40200, 40201, 40202, 50000, 50002, 51010, 51063, 60001, 61000})
_TOKEN = frozenset({40001, 40102, 40104, 40105})
BATCH_TOO_LARGE = 40061


class TikTokAudience:
    """One custom audience of an advertiser."""

    def __init__(
        self,
        *,
        token: str,
        audience: str,
        advertiser: str,
        base_url: str | None = None,
        requests_per_minute: float = 600,
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url or "https://business-api.tiktok.com",
            judge,
            headers={"Access-Token": token},
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._audience = audience
        self._advertiser = advertiser
        self.settlement: Callable[[str], Any] = self._api.settlement
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """Map identifiers to the audience, or away from it; a batch that is too large goes in halves."""
        body = {
            "advertiser_ids": [self._advertiser],
            "action": "add" if batch.action == "add" else "delete",  # without it the API adds
            "id_schema": [batch.field],
            "batch_data": [[{"id": each, "audience_ids": [self._audience]}] for each in batch.identifiers],
        }
        try:
            answer = self._api.request("POST", "/open_api/v1.3/segment/mapping/", json=body)
        except RequestRefusedError as error:
            too_large = any(each["reason"] == str(BATCH_TOO_LARGE) for each in error.errors)
            if not too_large or len(batch.identifiers) < 2:
                raise
            middle = len(batch.identifiers) // 2
            self.apply(replace(batch, identifiers=batch.identifiers[:middle]))
            return self.apply(replace(batch, identifiers=batch.identifiers[middle:]))
        return Receipt("accepted", str((json_object(answer.response) or {}).get("request_id", "")))

    def standing(self) -> Standing:
        """`cover_num` is the number of matched users."""
        params = {"advertiser_id": self._advertiser, "custom_audience_ids": json.dumps([self._audience])}
        answer = self._api.request("GET", "/open_api/v1.3/dmp/custom_audience/get/", params=params)
        data = (json_object(answer.response) or {}).get("data") or {}
        found = (data.get("list") or [{}])[0].get("audience_details") or {}
        size = found.get("cover_num")
        return Standing(None if size is None else int(size), bool(found.get("is_valid")))


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """By `code`."""
    body = json_object(response)
    if body is None or not isinstance(body.get("code"), int):
        return not_json(response)
    code = int(body["code"])
    if code == 0 and response.is_success:
        return None
    said = f"code {code}"
    if code in _LIMITED:
        return rate_limited(response, said)
    if code in _TRANSIENT or response.status_code >= 500:
        return down(response, said)
    if code in _TOKEN:
        return unauthorised(response, said, "check the token and the advertiser of the connection")
    refusal = refused(response, said, "look the code up in TikTok's Business API reference")
    refusal.errors = ({"reason": str(code), "field": ""},)
    return refusal
