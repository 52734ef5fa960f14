"""One HTTP transport for every Customer.io API: connections, rate, time-outs, bounded retries, errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import httpx
import tenacity

from airflow_provider_cio import __version__
from airflow_provider_cio.clients.errors import error_of
from airflow_provider_cio.clients.rate import RateBudget
from airflow_provider_cio.exceptions import (
    ContractError,
    CustomerIOProviderError,
    DestinationDownError,
    LeaseLostError,
    RateLimitedError,
    RetriableError,
    StoppedError,
    UnknownOutcomeError,
)

_CONNECT_SECONDS = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_NOT_WRITTEN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,
    httpx.WriteTimeout,
)


@dataclass(frozen=True, slots=True)
class Service:
    """What a client says of its API: the host, whose keys are meant, and which region is the other one."""

    base_url: str
    keys: str
    region: str

    @property
    def other_region(self) -> str:
        """The region that the keys may belong to instead."""
        return "us" if self.region == "eu" else "eu"


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx response, and what it took: requests sent, and how many of them were told to slow down.

    ``maybe_applied``: one of the requests before got no answer.
    """

    response: httpx.Response
    requests: int
    rate_limited: int
    maybe_applied: bool = False


class Wire(TypedDict, total=False):
    """Arguments of :class:`Transport` that hold for whatever client uses it."""

    timeout: float
    attempts: int
    seconds: float
    http: httpx.BaseTransport | None
    sleep: Callable[[float], None]


class Transport:
    """An `httpx.Client` that retries.

    Threads may share it. Most calls of this package may be repeated: identify calls are idempotent, events
    carry their id, others only read.

    `before_each` is called before every try of a request, when its moment has come; what it raises ends the call.

    :param budget: of requests a second, over all threads.
    :param timeout: seconds for each of write and read; connecting gets at most 10.
    :param attempts: tries of one request; `seconds` bounds them all together, pauses included.
    """

    def __init__(
        self,
        service: Service,
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        budget: RateBudget,
        timeout: float = 30.0,
        attempts: int = 5,
        seconds: float = 300.0,
        http: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not service.base_url.startswith(("http://", "https://")):
            raise ContractError(
                f"the base URL '{service.base_url}' has no scheme.", next_step="begin it with https://"
            )
        self._service = service
        self._attempts = attempts
        self._seconds = seconds
        self._sleep = sleep
        self.budget = budget
        self.before_each: Callable[[], None] = lambda: None
        self._client = httpx.Client(
            auth=auth,
            headers={"User-Agent": f"airflow-provider-cio/{__version__}", **(headers or {})},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            follow_redirects=False,
            transport=http,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
        items: int = 1,
        repeatable: bool = True,
    ) -> Answer:
        """Send until it is answered, or attempts or seconds are used up.

        An error tells by `requests` and `rate_limited` what was tried.

        :param repeatable: False for a call that must not be applied twice: what got no answer is not sent again.
        :raises FatalError: a 3xx or 4xx that no repetition changes.
        :raises UnknownOutcomeError: at least one attempt was written and none was answered for good.
        :raises RetriableError: nothing was applied, as the last attempt says.
        """
        request = self._client.build_request(
            method,
            _url(self._service.base_url, path),
            content=content,
            json=json,
            params=params,
            headers={"Content-Type": "application/json"} if content is not None else None,
        )
        call = _Call(self, request, items)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_pass if repeatable else _was_not_applied),
            stop=tenacity.stop_after_attempt(self._attempts) | tenacity.stop_before_delay(self._seconds),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            response = retrying(call.attempt)
        except CustomerIOProviderError as error:
            raise call.summed_up(error) from error.__cause__
        return Answer(response, call.requests, call.rate_limited, call.maybe_applied)

    def send_once(self, request: httpx.Request, items: int = 1) -> httpx.Response:
        """One attempt.

        :raises CustomerIOProviderError: no answer, or one that is not a 2xx.
        """
        self.budget.acquire(items)
        self.before_each()
        host, path = request.url.host, request.url.path
        try:
            response = self._client.send(request)
        except _NOT_WRITTEN as error:
            raise DestinationDownError(
                f"{host} could not be reached for {path} ({type(error).__name__}).",
                next_step="check the region, the proxy and the network between the worker and the host",
            ) from error
        except httpx.RequestError as error:
            raise UnknownOutcomeError(
                f"{host} did not answer {path} ({type(error).__name__}): it may have been applied.",
                next_step="run the sync again: identify calls are idempotent, events carry their id",
            ) from error
        refused = self.refusal(response)
        if isinstance(refused, RateLimitedError):
            self.budget.limited(min(refused.retry_after or 0.0, self._seconds))
        if refused is not None:
            raise refused
        return response

    def refusal(self, response: httpx.Response) -> CustomerIOProviderError | None:
        """What an answer means: an error, or None for success."""
        return error_of(response, keys=self._service.keys, other_region=self._service.other_region)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class ApiClient:
    """What the clients of Customer.io's APIs share; threads may share a client.

    :param rate: requests a second over all threads; `items` and `probe_to` as :class:`RateBudget` takes them.
    """

    def __init__(
        self,
        service: Service,
        *,
        rate: float,
        items: float | None = None,
        probe_to: float | None = None,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        **wire: Unpack[Wire],
    ) -> None:
        budget = RateBudget(rate, items=items, probe_to=probe_to, sleep=wire.get("sleep", time.sleep))
        self._transport = Transport(service, auth=auth, headers=headers, budget=budget, **wire)

    @property
    def budget(self) -> RateBudget:
        """The rate that the threads of this client share."""
        return self._transport.budget

    def before_each(self, check: Callable[[], None]) -> None:
        """Call this before every try of a request; what it raises ends the call."""
        self._transport.before_each = check

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Call:
    """The attempts of one request."""

    def __init__(self, transport: Transport, request: httpx.Request, items: int) -> None:
        self._transport = transport
        self._request = request
        self._items = items
        self._unknown: UnknownOutcomeError | None = None
        self.requests = 0
        self.rate_limited = 0

    def attempt(self) -> httpx.Response:
        self.requests += 1
        try:
            return self._transport.send_once(self._request, self._items)
        except (LeaseLostError, StoppedError):
            self.requests -= 1
            raise
        except UnknownOutcomeError as error:
            self._unknown = error
            raise
        except RateLimitedError:
            self.rate_limited += 1
            raise

    def summed_up(self, last: CustomerIOProviderError) -> CustomerIOProviderError:
        """The error of the whole call: what a retriable last attempt says is no news of an unknown one."""
        error = self._unknown if self._unknown and isinstance(last, RetriableError) else last
        error.requests, error.rate_limited = self.requests, self.rate_limited
        error.maybe_applied = self.maybe_applied
        return error

    @property
    def maybe_applied(self) -> bool:
        """Whether a request was written and not answered; what a later one is told says nothing about that."""
        return self._unknown is not None


@lru_cache(maxsize=64)
def _url(base: str, path: str) -> httpx.URL:
    """Parsed once, and not twice for every request."""
    return httpx.URL(base.rstrip("/") + path)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, RetriableError) and not isinstance(error, LeaseLostError | StoppedError)


def _was_not_applied(error: BaseException) -> bool:
    return _may_pass(error) and not isinstance(error, UnknownOutcomeError)


def _pause(state: tenacity.RetryCallState) -> float:
    """What Retry-After says, at least; else an exponential pause with full jitter."""
    jittered = tenacity.wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE)(state)
    error = state.outcome.exception() if state.outcome else None
    return max(jittered, (error.retry_after or 0.0) if isinstance(error, RateLimitedError) else 0.0)
