"""Airflow connections -> clients of audience destinations; one hook for each connection type."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, ClassVar

from airflow.sdk import BaseHook

from airflow_provider_cio.clients.destinations.base import Destination
from airflow_provider_cio.clients.destinations.google import GoogleUserList
from airflow_provider_cio.clients.destinations.google_ads import GoogleAdsJob
from airflow_provider_cio.clients.destinations.meta import MetaAudience
from airflow_provider_cio.clients.destinations.rudderstack import RudderStackAudience
from airflow_provider_cio.clients.destinations.segments import HOSTS, ManualSegment
from airflow_provider_cio.clients.destinations.tiktok import TikTokAudience
from airflow_provider_cio.clients.destinations.webhook import WebhookAudience
from airflow_provider_cio.core.audience.definition import DestinationSettings
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.lookup import find_connection

GOOGLE_SCOPES = "https://www.googleapis.com/auth/"


class DestinationHook(BaseHook):
    """What the hooks of all destinations share: extras by name, unknown ones refused."""

    conn_name_attr = "conn_id"
    default_conn_name: ClassVar[str]
    needed: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ("base_url",)

    def __init__(self, conn_id: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name

    def extras(self) -> dict[str, Any]:
        """The extras of the connection that are filled in.

        :raises ContractError: one is unknown or missing; names it.
        """
        extras = find_connection(self.conn_id).extra_dejson
        given = {name: value for name, value in extras.items() if value not in (None, "")}
        known = (*self.needed, *self.optional)
        for name in given.keys() - set(known):
            close = get_close_matches(name, known, n=1)
            raise ContractError(
                f"Connection '{self.conn_id}' has an unknown extra '{name}'.",
                next_step=f"write `{close[0]}`." if close else f"remove it; known are {', '.join(known)}.",
            )
        for name in self.needed:
            if name not in given:
                raise ContractError(
                    f"Connection '{self.conn_id}' has no {name}.",
                    next_step="fill it in under Admin > Connections.",
                )
        return given

    def destination(self, audience: str) -> Destination:
        """A client of one audience; close it."""
        raise NotImplementedError

    def test_connection(self) -> tuple[bool, str]:
        """Whether the extras are complete; no platform has a call that needs no audience."""
        try:
            self.extras()
        except ContractError as error:
            return False, str(error)
        return True, "The connection is complete. `airflow cio lint` checks the audiences that use it."


class MetaHook(DestinationHook):
    """Meta custom audiences."""

    conn_type, hook_name, default_conn_name = "cio_meta", "Meta audiences (Customer.io)", "cio_meta_default"
    needed = ("token",)
    optional = ("api_version", "base_url")

    def destination(self, audience: str) -> Destination:
        """A custom audience."""
        return MetaAudience(audience=audience, **self.extras())


class GoogleHook(DestinationHook):
    """Google Data Manager: an access token, a service account's key, or the worker's own credentials."""

    conn_type, hook_name, default_conn_name = (
        "cio_google",
        "Google audiences (Customer.io)",
        "cio_google_default",
    )
    needed = ("account",)
    optional = ("login_account", "access_token", "keyfile_json", "base_url")

    def destination(self, audience: str) -> Destination:
        """A user list."""
        extras = self.extras()
        token = _google_token(self.conn_id, extras, "datamanager")
        return GoogleUserList(audience=audience, token=token, **extras)


class GoogleAdsHook(DestinationHook):
    """Google Ads upload jobs: credentials as of :class:`GoogleHook`, and a developer token."""

    conn_type, hook_name, default_conn_name = (
        "cio_google_ads",
        "Google Ads upload jobs (Customer.io)",
        "cio_google_ads_default",
    )
    needed = ("account", "developer_token")
    optional = ("login_account", "access_token", "keyfile_json", "api_version", "base_url")

    def destination(self, audience: str) -> Destination:
        """A user list."""
        extras = self.extras()
        token = _google_token(self.conn_id, extras, "adwords")
        return GoogleAdsJob(audience=audience, token=token, **extras)


class TikTokHook(DestinationHook):
    """TikTok custom audiences."""

    conn_type, hook_name, default_conn_name = (
        "cio_tiktok",
        "TikTok audiences (Customer.io)",
        "cio_tiktok_default",
    )
    needed = ("token", "advertiser")

    def destination(self, audience: str) -> Destination:
        """A custom audience."""
        return TikTokAudience(audience=audience, **self.extras())


class RudderStackHook(DestinationHook):
    """A RudderStack source."""

    conn_type, hook_name = "cio_rudderstack", "RudderStack audiences (Customer.io)"
    default_conn_name = "cio_rudderstack_default"
    needed, optional = ("write_key", "base_url"), ()

    def destination(self, audience: str) -> Destination:
        """Movements of an audience by name."""
        return RudderStackAudience(audience=audience, **self.extras())


class WebhookHook(DestinationHook):
    """A receiver of signed webhooks."""

    conn_type, hook_name = "cio_webhook", "Audience webhook (Customer.io)"
    default_conn_name = "cio_webhook_default"
    needed, optional = ("url", "secret"), ()

    def destination(self, audience: str) -> Destination:
        """Movements of an audience by name."""
        return WebhookAudience(audience=audience, **self.extras())


HOOKS: dict[str, type[DestinationHook]] = {
    "meta": MetaHook,
    "google": GoogleHook,
    "google_ads": GoogleAdsHook,
    "tiktok": TikTokHook,
    "rudderstack": RudderStackHook,
    "webhook": WebhookHook,
}


def open_destination(settings: DestinationSettings, customerio_conn_id: str) -> Destination:
    """The client of a destination of an audience.

    :param customerio_conn_id: for manual segments that name no connection of their own.
    :raises ContractError: the connection does not exist, or holds something impossible.
    """
    if settings.type == "customerio":
        return _segment(settings, settings.connection or customerio_conn_id)
    return HOOKS[settings.type](settings.connection).destination(settings.audience)


def _segment(settings: DestinationSettings, conn_id: str) -> Destination:
    hook = CustomerIOHook(conn_id)
    extras = hook.settings
    if not settings.audience.isdigit():
        raise ContractError(
            f"'{settings.audience}' is not the id of a Customer.io segment.",
            next_step="write the number at the end of the segment's address as `audience`.",
        )
    return ManualSegment(
        site_id=extras.site_id or "",
        api_key=extras.track_api_key or "",
        segment=int(settings.audience),
        app=hook.app_client() if extras.app_api_key else None,
        base_url=extras.base_url or HOSTS[extras.region],
    )


def _google_token(conn_id: str, extras: dict[str, Any], scope: str) -> Callable[[], str]:
    """What gives a token; takes its own extras out of ``extras``."""
    fixed, keyfile = extras.pop("access_token", None), extras.pop("keyfile_json", None)
    if fixed:
        return lambda: str(fixed)
    scopes = [GOOGLE_SCOPES + scope]
    try:
        import google.auth
        import google.auth.transport.requests
        from google.oauth2 import service_account
    except ImportError:
        raise ContractError(
            f"Connection '{conn_id}' has no access_token, and google-auth is not installed.",
            next_step="pip install 'airflow-provider-cio[google]', or fill in access_token.",
        ) from None
    if keyfile:
        info = keyfile if isinstance(keyfile, dict) else json.loads(keyfile)
        make: Any = service_account.Credentials.from_service_account_info
        credentials = make(info, scopes=scopes)
    else:
        credentials, _ = google.auth.default(scopes=scopes)

    def token() -> str:
        if not credentials.valid:
            credentials.refresh(google.auth.transport.requests.Request())
        return str(credentials.token)

    return token
