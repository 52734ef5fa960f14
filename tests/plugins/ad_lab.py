"""Fixtures: the ad platforms of the sandbox, and one audience at each of them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.destinations.base import Destination
from airflow_provider_cio.clients.destinations.google import GoogleUserList
from airflow_provider_cio.clients.destinations.google_ads import GoogleAdsJob
from airflow_provider_cio.clients.destinations.meta import MetaAudience
from airflow_provider_cio.clients.destinations.rudderstack import RudderStackAudience
from airflow_provider_cio.clients.destinations.segments import ManualSegment
from airflow_provider_cio.clients.destinations.tiktok import TikTokAudience
from airflow_provider_cio.clients.destinations.webhook import WebhookAudience
from airflow_provider_cio.sandbox.ads import AdSandbox
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
QUICK: dict[str, Any] = {
    "attempts": 4,
    "timeout": 5.0,
    "sleep": lambda _: None,
    "requests_per_minute": 6_000_000,
}
TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")
FIELD = {
    "customerio": "id",
    "meta": "EMAIL_SHA256",
    "google": "emailAddress",
    "google_ads": "emailAddress",
    "tiktok": "EMAIL_SHA256",
    "rudderstack": "userId",
    "webhook": "EMAIL_SHA256",
}


@dataclass
class Ads:
    """Audiences at the sandbox's platforms; `audiences` holds their ids by type of destination."""

    sandbox: AdSandbox
    customerio: CustomerIOSandbox
    audiences: dict[str, str]

    def open(self, kind: str, audience: str | None = None, **options: Any) -> Destination:
        """A client of one audience."""
        audience, settings = audience or self.audiences[kind], QUICK | options
        base: str = "" if kind == "customerio" else self.sandbox.url(kind)
        makers: dict[str, Callable[[], Any]] = {
            "customerio": lambda: ManualSegment(
                site_id="sandbox-site",
                api_key="sandbox-track-key",
                segment=int(audience),
                app=AppClient(api_key="sandbox-app-key", base_url=self.customerio.url, rate=10_000),
                base_url=self.customerio.url,
                **settings,
            ),
            "meta": lambda: MetaAudience(token="meta-token", audience=audience, base_url=base, **settings),
            "google": lambda: GoogleUserList(
                token=lambda: "google-token", audience=audience, account="123", base_url=base, **settings
            ),
            "google_ads": lambda: GoogleAdsJob(
                token=lambda: "google-token",
                developer_token="google-developer-token",
                audience=audience,
                account="123",
                base_url=base,
                **settings,
            ),
            "tiktok": lambda: TikTokAudience(
                token="tiktok-token", audience=audience, advertiser="7", base_url=base, **settings
            ),
            "rudderstack": lambda: RudderStackAudience(
                write_key="rudder-write-key", audience=audience, base_url=base, **settings
            ),
            "webhook": lambda: WebhookAudience(
                url=f"{base}/hook", secret=SECRET, audience=audience, **settings
            ),
        }
        client: Destination = makers[kind]()
        return client

    def members(self, kind: str, audience: str | None = None) -> set[str]:
        """Identifiers that the platform holds, of all fields."""
        audience = audience or self.audiences[kind]
        if kind == "customerio":
            with AppClient(api_key="sandbox-app-key", base_url=self.customerio.url, rate=10_000) as app:
                return {each["id"] for each in app.membership(int(audience))}
        found = self.control(kind, "GET", f"members/{audience}").json()
        return {value for values in found.values() for value in values}

    def faults(self, kind: str, *faults: dict[str, Any]) -> None:
        """Faults of a platform, in order; of Customer.io in its own words."""
        if kind == "customerio":
            httpx.post(
                f"{self.customerio.url}/_sandbox/faults",
                json=[{"route": "/api/v1/segments/*", **each} for each in faults],
            ).raise_for_status()
        else:
            self.control(kind, "POST", "faults", json=list(faults))

    def requests(self, kind: str) -> list[dict[str, Any]]:
        """The book of requests."""
        found: list[dict[str, Any]] = self.control(kind, "GET", "requests").json()
        return found

    def advance(self, kind: str, days: float) -> None:
        """Move the platform's clock on."""
        self.control(kind, "POST", "advance", json={"seconds": days * 86_400})

    def create(self, kind: str) -> str:
        """A new audience at a platform."""
        if kind == "customerio":
            body = {"segment": {"name": f"audience {len(self.audiences)}", "description": "lab"}}
            answer = httpx.post(
                f"{self.customerio.url}/v1/segments",
                json=body,
                headers={"Authorization": "Bearer sandbox-app-key"},
            )
            return str(answer.raise_for_status().json()["segment"]["id"])
        calls: dict[str, tuple[str, dict[str, str], str]] = {
            "meta": ("/v26.0/act_1/customaudiences", {"Authorization": "Bearer meta-token"}, "id"),
            "google": (
                "/v1/accountTypes/GOOGLE_ADS/accounts/123/userLists",
                {"Authorization": "Bearer google-token"},
                "id",
            ),
            "tiktok": ("/open_api/v1.3/segment/audience/", {"Access-Token": "tiktok-token"}, "audience_id"),
        }
        if kind == "google_ads":
            self.control(kind, "POST", "audiences", json={"id": "8000"})
            return "8000"
        if kind not in calls:
            return f"audience_{len(self.audiences)}"
        path, headers, key = calls[kind]
        body = httpx.post(self.sandbox.url(kind) + path, json={"name": "lab"}, headers=headers).json()
        return str((body.get("data") or body)[key])

    def people(self, ids: list[str]) -> None:
        """People in Customer.io, whom a segment can hold."""
        for first in range(0, len(ids), 1000):
            batch = [
                {"type": "person", "action": "identify", "identifiers": {"id": each}, "attributes": {}}
                for each in ids[first : first + 1000]
            ]
            httpx.post(
                f"{self.customerio.url}/api/v2/batch",
                json={"batch": batch},
                auth=("sandbox-site", "sandbox-track-key"),
            ).raise_for_status()

    def control(self, kind: str, method: str, path: str, **arguments: Any) -> httpx.Response:
        """The control API of a platform."""
        answer = httpx.request(method, f"{self.sandbox.url(kind)}/_sandbox/{path}", **arguments)
        return answer.raise_for_status()


@pytest.fixture(scope="session")
def ad_sandbox() -> Iterator[AdSandbox]:
    with AdSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def ads(ad_sandbox: AdSandbox, customerio: CustomerIOSandbox) -> Ads:
    for platform in ad_sandbox.platforms:
        httpx.post(f"{ad_sandbox.url(platform.name)}/_sandbox/reset").raise_for_status()
    ads = Ads(ad_sandbox, customerio, {})
    for kind in TYPES:
        ads.audiences[kind] = ads.create(kind)
    return ads
