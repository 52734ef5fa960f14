"""Connection types of audience destinations, as the UI of Airflow shows them: literals only."""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_SECRET: dict[str, Any] = {"type": ["string", "null"], "format": "password"}
_BASE_URL = {
    "label": "Base URL",
    "description": "Another host, such as a sandbox. Empty: the platform's.",
    "schema": _TEXT,
}

_GOOGLE: dict[str, dict[str, Any]] = {
    "account": {
        "label": "Google Ads account",
        "description": "Ten digits without hyphens: the owner of the user lists.",
        "schema": {"type": ["string", "null"], "pattern": "^[0-9]*$"},
    },
    "login_account": {
        "label": "Manager account",
        "description": "Through which the credentials reach the account. Empty: the account itself.",
        "schema": {"type": ["string", "null"], "pattern": "^[0-9]*$"},
    },
    "keyfile_json": {
        "label": "Service account key",
        "description": "JSON. Empty: the worker's own credentials, by google-auth.",
        "schema": _SECRET,
    },
    "access_token": {
        "label": "Access token",
        "description": "For trials: it ends after an hour.",
        "schema": _SECRET,
    },
}


def _form(kind: str, title: str, hook: str, fields: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "connection-type": f"cio_{kind}",
        "hook-name": title,
        "hook-class-name": f"airflow_provider_cio.hooks.destinations.{hook}",
        "ui-field-behaviour": {
            "hidden-fields": ["host", "schema", "login", "password", "port", "extra"],
            "relabeling": {},
            "placeholders": {},
        },
        "conn-fields": fields,
    }


DESTINATIONS = [
    _form(
        "meta",
        "Meta audiences (Customer.io)",
        "MetaHook",
        {
            "token": {
                "label": "Access token",
                "description": "Of a system user with ads_management.",
                "schema": _SECRET,
            },
            "api_version": {
                "label": "Graph API version",
                "description": "Such as v26.0.",
                "schema": {"type": ["string", "null"], "pattern": "^(v[0-9]+\\.[0-9]+)?$"},
            },
            "base_url": _BASE_URL,
        },
    ),
    _form(
        "google",
        "Google audiences (Customer.io)",
        "GoogleHook",
        {
            **_GOOGLE,
            "base_url": _BASE_URL,
        },
    ),
    _form(
        "google_ads",
        "Google Ads upload jobs (Customer.io)",
        "GoogleAdsHook",
        {
            **_GOOGLE,
            "developer_token": {
                "label": "Developer token",
                "description": "One that has uploaded customer lists before April 2026.",
                "schema": _SECRET,
            },
            "api_version": {
                "label": "API version",
                "description": "Such as v26.",
                "schema": {"type": ["string", "null"], "pattern": "^(v[0-9]+)?$"},
            },
            "base_url": _BASE_URL,
        },
    ),
    _form(
        "tiktok",
        "TikTok audiences (Customer.io)",
        "TikTokHook",
        {
            "token": {
                "label": "Access token",
                "description": "Of an app with Audience Management.",
                "schema": _SECRET,
            },
            "advertiser": {
                "label": "Advertiser ID",
                "description": "The owner of the audiences.",
                "schema": _TEXT,
            },
            "base_url": _BASE_URL,
        },
    ),
    _form(
        "rudderstack",
        "RudderStack audiences (Customer.io)",
        "RudderStackHook",
        {
            "write_key": {"label": "Write key", "description": "Of the source.", "schema": _SECRET},
            "base_url": {"label": "Data plane URL", "description": "With https://.", "schema": _TEXT},
        },
    ),
    _form(
        "webhook",
        "Audience webhook (Customer.io)",
        "WebhookHook",
        {
            "url": {"label": "URL", "description": "The receiver's whole address.", "schema": _TEXT},
            "secret": {
                "label": "Secret",
                "description": "whsec_ and base64; two with a space between them while keys rotate.",
                "schema": _SECRET,
            },
        },
    ),
]
"""Of Meta, Google (two), TikTok, RudderStack and signed webhooks. Manual segments use the connection `customerio`."""
