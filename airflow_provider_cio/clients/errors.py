"""From a response to what went wrong: one function for every Customer.io API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from airflow_provider_cio.core.redaction import redact
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    CustomerIOProviderError,
    DestinationDownError,
    MissingScopeError,
    RateLimitedError,
    RequestRefusedError,
    UnknownOutcomeError,
)

GATEWAY_GAVE_UP = frozenset({502, 504, 524})
"""A gateway stopped waiting for the service behind it: the request may have been applied."""

_TOO_EARLY_OR_SLOW = frozenset({408, 425})


def error_of(response: httpx.Response, *, keys: str, other_region: str) -> CustomerIOProviderError | None:
    """The error that a response means, or None for a 2xx.

    :param keys: what to check when the credentials are refused ("the site id and the Track API key").
    :param other_region: the region to try then.
    """
    status = response.status_code
    if response.is_success:
        return None
    host, call = response.request.url.host, f"{response.request.method} {response.request.url.path}"
    said = _said(response)
    if 300 <= status < 400:
        return AuthenticationError(
            f"{host} redirected {call} ({status}): the workspace lives in another region.",
            next_step=f"set the region of the connection to {other_region}",
        )
    if status == 401:
        return AuthenticationError(
            f"{host} refused the keys (401 for {call}).",
            next_step=f"check {keys} of the connection; a key of an {other_region.upper()} workspace "
            f"is refused by {host}: set the region to {other_region}",
        )
    if status == 403:
        return MissingScopeError(
            f"{host} forbids {call} (403){said}.",
            next_step=f"check {keys}: this call needs a scope that the key lacks, or an allowed address",
        )
    if status == 429:
        return RateLimitedError(
            f"{host} limits the rate of requests (429 for {call}).",
            retry_after=retry_after(response.headers.get("Retry-After")),
            next_step="lower the connection's rate limit, or run fewer syncs at once",
        )
    if status in GATEWAY_GAVE_UP or status in _TOO_EARLY_OR_SLOW:
        return UnknownOutcomeError(
            f"{host} answered {status} to {call}: the request may have been applied.",
            next_step="run the sync again: identify calls are idempotent, events carry their id",
        )
    if status >= 500:
        return DestinationDownError(
            f"{host} answered {status} to {call}{said}.",
            next_step="run the sync again later; status.customer.io tells of incidents",
        )
    return RequestRefusedError(
        f"{host} refused {call} ({status}){said}.",
        status=status,
        errors=tuple(errors_in(response)),
        next_step="413 and 400 name the request's size or shape: look at `airflow cio preview` of the sync",
    )


def errors_in(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The errors of a body, in any of the shapes the APIs use, as `reason`, `field` and `batch_index`.

    Messages of the service are left out: they may quote a person's data.
    """
    body = parsed(response)
    listed = body.get("errors") if isinstance(body, dict) else None
    for error in listed if isinstance(listed, list) else []:
        if isinstance(error, dict):
            reason = redact(str(error.get("reason") or error.get("detail") or "unnamed"))
            index = error.get("batch_index")
            position = {} if index is None else {"batch_index": str(index)}
            yield {"reason": reason, "field": redact(str(error.get("field") or "")), **position}


def parsed(response: httpx.Response) -> Any:
    """The body as JSON, or None when it is not."""
    try:
        return response.json()
    except ValueError:
        return None


def retry_after(header: str | None) -> float | None:
    """Seconds to wait, from either form of Retry-After (RFC 9110, 10.2.3); None when unreadable."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _said(response: httpx.Response) -> str:
    reasons = [f"{error['field']} {error['reason']}".strip() for error in errors_in(response)]
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f": {'; '.join(reasons[:3])}{more}" if reasons else ""
