"""The interface of every audience destination, and the HTTP that they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx

from airflow_provider_cio.clients.errors import parsed, retry_after
from airflow_provider_cio.clients.rate import RateBudget
from airflow_provider_cio.clients.transport import Answer, Service, Transport
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    CustomerIOProviderError,
    DestinationDownError,
    RateLimitedError,
    RequestRefusedError,
    UnknownOutcomeError,
)

Action = Literal["add", "remove"]
BETWEEN = "|"
"""Between the parts of an identifier that is made of several fields, such as a name and an address."""
Judge = Callable[[httpx.Response], CustomerIOProviderError | None]


@dataclass(frozen=True, slots=True, repr=False)
class Batch:
    """Identifiers of one field that enter or leave an audience, in one request.

    ``upload_id`` is the same whenever the same batch is sent again. ``contexts`` holds one object an identifier, or
    nothing at all.
    """

    upload_id: str
    action: Action
    field: str
    identifiers: Sequence[str]
    contexts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the platform said at once.

    ``pending``: taken, and :meth:`Destination.settlement` tells later. ``invalid``: entries that it could not
    read, by its own count; platforms do not say which.
    """

    outcome: Literal["accepted", "pending"]
    request_id: str = ""
    invalid: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a pending request. ``partial``: some of it failed, and nobody says which."""

    outcome: Literal["pending", "confirmed", "partial", "rejected", "unknown"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The audience as the platform sees it: people matched (None where it does not say), usable or not yet."""

    size: int | None
    ready: bool | None
    detail: str = ""
    match_rate: float | None = None


class Destination(Protocol):
    """One audience at one platform. Every call may be repeated."""

    def apply(self, batch: Batch) -> Receipt:
        """Send one batch.

        :raises CustomerIOProviderError: nothing is known to be applied; the class says what to do.
        """

    def settlement(self, request_id: str) -> Settlement:
        """What became of a request that was pending."""

    def standing(self) -> Standing:
        """Size and readiness, as the platform says."""

    def close(self) -> None:
        """Close the connections."""


class Platform:
    """What most platforms share: a transport whose answers are judged by the platform's own signal."""

    def __init__(
        self,
        base_url: str,
        judge: Judge,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        requests_per_minute: float,
        timeout: float = 60.0,
        attempts: int = 6,
        seconds: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = _JudgedTransport(
            Service(base_url, "the token", ""),
            judge,
            auth=auth,
            headers=headers,
            budget=RateBudget(requests_per_minute / 60, sleep=sleep),
            timeout=timeout,
            attempts=attempts,
            seconds=seconds,
            sleep=sleep,
        )

    def request(self, method: str, path: str, **arguments: Any) -> Answer:
        """One call, repeated as `clients.transport` does."""
        return self._transport.request(method, path, **arguments)

    def settlement(self, request_id: str) -> Settlement:  # noqa: ARG002
        """Nothing is ever pending where the answer itself confirms."""
        return Settlement("confirmed")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


class _JudgedTransport(Transport):
    """A transport that asks the platform's judge what an answer means."""

    def __init__(self, service: Service, judge: Judge, **arguments: Any) -> None:
        super().__init__(service, **arguments)
        self._judge = judge

    def refusal(self, response: httpx.Response) -> CustomerIOProviderError | None:
        return self._judge(response)


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The body, when it is a JSON object."""
    body = parsed(response)
    return body if isinstance(body, dict) else None


def not_json(response: httpx.Response) -> CustomerIOProviderError:
    """A gateway's page or half an answer: whatever its status, it is no success."""
    said = f"{_call(response)} was answered with {response.status_code} and no JSON"
    if response.status_code >= 500 or response.is_success:
        return UnknownOutcomeError(f"{said}: it may have been applied.", next_step="run the audience again")
    if response.status_code == 429:
        return rate_limited(response, "429")
    return RequestRefusedError(
        f"{said}.", status=response.status_code, next_step="check the base URL of the connection"
    )


def rate_limited(response: httpx.Response, code: str, *, wait: float | None = None) -> RateLimitedError:
    """The platform wants fewer requests; `code` is its own."""
    return RateLimitedError(
        f"{_call(response)} is limited ({code}).",
        retry_after=wait if wait is not None else retry_after(response.headers.get("Retry-After")),
        next_step="run the audience again later",
    )


def down(response: httpx.Response, code: str) -> DestinationDownError:
    """The platform failed, and says that it did nothing."""
    return DestinationDownError(
        f"{_call(response)} failed ({code}).", next_step="run the audience again later"
    )


def unauthorised(response: httpx.Response, code: str, next_step: str) -> AuthenticationError:
    """Token or permission."""
    return AuthenticationError(f"{_call(response)} was refused ({code}).", next_step=next_step)


def refused(response: httpx.Response, code: str, next_step: str) -> RequestRefusedError:
    """Nothing that a repetition changes; the platform's words are left out, as they may quote identifiers."""
    return RequestRefusedError(
        f"{_call(response)} was refused ({code}).", status=response.status_code, next_step=next_step
    )


def _call(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.host}{response.request.url.path}"
