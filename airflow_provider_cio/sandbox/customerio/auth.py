"""Keys, scopes and regions: what happens before a request is looked at."""

from __future__ import annotations

import base64
import binascii
import hmac

from starlette.responses import JSONResponse, RedirectResponse, Response

from airflow_provider_cio.sandbox.customerio.settings import Settings

OPEN_PATHS = ("/api/v1/metrics", "/api/v1/push/events", "/unsubscribe/", "/v1/info/ip_addresses")
PIPELINES_PATHS = frozenset(
    f"/v1/{call}" for call in ("batch", "identify", "track", "page", "screen", "group")
)
SCOPE_OF = {
    "customers": "customers",
    "segments": "segments",
    "activities": "activities",
    "objects": "objects",
    "object_types": "objects",
    "workspaces": "workspaces",
    "campaigns": "campaigns",
    "newsletters": "newsletters",
    "broadcasts": "broadcasts",
    "transactional": "transactional",
    "messages": "messages",
    "exports": "exports",
    "subscription_topics": "subscription_topics",
    "sender_identities": "sender_identities",
    "esp": "esp",
}


def check(path: str, query: str, authorization: str, settings: Settings) -> Response | None:
    """The refusal or redirect for a request, or None when it may pass."""
    if path.startswith(OPEN_PATHS):
        return None
    if path in PIPELINES_PATHS:
        return None if _is_basic(authorization, f"{settings.pipelines_key}:") else Response(status_code=401)
    if path.startswith("/v1/"):
        return _app(path, authorization, settings)
    if not _is_track_key(authorization, settings):
        return unauthorized_track()
    if settings.region != settings.account_region and path != "/api/v1/accounts/region":
        return _other_region(path, query, settings)
    return None


def unauthorized_track() -> Response:
    return JSONResponse({"meta": {"error": "Unauthorized request"}}, 401)


def _is_track_key(authorization: str, settings: Settings) -> bool:
    return _is_basic(authorization, f"{settings.site_id}:{settings.track_key}")


def _is_basic(authorization: str, expected: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, expected.encode())


def _other_region(path: str, query: str, settings: Settings) -> Response:
    """An eu account on the us host is sent on; a us account on the eu host fails."""
    if settings.account_region == "us":
        return unauthorized_track()
    base = settings.redirect_to or "https://track-eu.customer.io.invalid"
    return RedirectResponse(f"{base.rstrip('/')}{path}{'?' + query if query else ''}", 301)


def _app(path: str, authorization: str, settings: Settings) -> Response | None:
    scheme, _, key = authorization.partition(" ")
    known = scheme.lower() == "bearer" and key in settings.app_keys
    if not known or settings.region != settings.account_region:
        return JSONResponse({"errors": [{"detail": "unauthorized", "status": 401}]}, 401)
    scope = SCOPE_OF.get(path.split("/")[2])
    if scope is not None and scope not in settings.app_keys[key]:
        detail = f"the key lacks the scope {scope}"
        return JSONResponse({"errors": [{"detail": detail, "status": 403}]}, 403)
    return None
