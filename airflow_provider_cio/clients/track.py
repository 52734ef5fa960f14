"""Customer.io's Track API: people and events in, by batches (v2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Unpack

import httpx

from airflow_provider_cio.clients.errors import errors_in, parsed
from airflow_provider_cio.clients.transport import ApiClient, Service, Wire
from airflow_provider_cio.exceptions import AuthenticationError, UnknownOutcomeError

Region = Literal["us", "eu"]

PUBLISHED_RATE = 1000.0
"""Requests a second of a workspace, as the Track specification of 2026 names them."""

_HOSTS: dict[str, str] = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}


@dataclass(frozen=True, slots=True)
class ItemError:
    """One refused item: its position in the batch and what the service said, without its message."""

    index: int
    reason: str
    field: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Every item that `errors` does not name was accepted.

    ``maybe_applied``: a request before got no answer, so that a refused item may be there all the same.
    """

    errors: tuple[ItemError, ...]
    requests: int
    rate_limited: int
    maybe_applied: bool = field(default=False, compare=False)


class Sender(Protocol):
    """What the engine needs of a client that sends."""

    def send_batch(self, body: bytes, count: int) -> BatchResult:
        """Send one body of `count` items."""

    def before_each(self, check: Callable[[], None]) -> None:
        """Call this before every try of a request; what it raises ends the call."""

    def region(self) -> dict[str, Any]:
        """Ask whether the keys are good."""

    def close(self) -> None:
        """Close the connections."""


class TrackClient(ApiClient):
    """The Track API of one workspace; threads may share it.

    :param rate: requests a second over all threads. Customer.io's published limit has been 30, 100 and 1,000;
        it is "not strictly enforced", and what exceeds it may be dropped.
    :param item_rate: items a second: whether a batch counts as one request is not documented.
    :param probe_to: look for the limit above `rate`, up to this. It is found by being refused: only for a
        workspace that is known to answer 429 instead of dropping what exceeds its limit.
    :param base_url: another host, such as a sandbox; None takes the region's.
    """

    def __init__(
        self,
        *,
        site_id: str,
        api_key: str,
        region: Region = "us",
        base_url: str | None = None,
        rate: float = 100,
        item_rate: float | None = None,
        probe_to: float | None = None,
        **wire: Unpack[Wire],
    ) -> None:
        self._region = region
        super().__init__(
            Service(base_url or _HOSTS[region], "the site id and the Track API key", region),
            auth=httpx.BasicAuth(site_id, api_key),
            rate=rate,
            items=item_rate,
            probe_to=probe_to,
            **wire,
        )

    def send_batch(self, body: bytes, count: int) -> BatchResult:
        """Send one body of `count` items.

        :raises RequestRefusedError: the whole batch; its `errors` may name items by `batch_index`.
        :raises UnknownOutcomeError: written, but not answered by Customer.io: items may have been applied.
        :raises DestinationDownError: not applied.
        """
        answer = self._transport.request("POST", "/api/v2/batch", content=body, items=count)
        if not isinstance(parsed(answer.response), dict):
            error = UnknownOutcomeError(
                "The answer to a batch was not Customer.io's: a 2xx without a JSON object.",
                next_step="look for a proxy between the worker and Customer.io, then run the task again",
            )
            error.requests, error.rate_limited = answer.requests, answer.rate_limited
            error.maybe_applied = True
            raise error
        errors = tuple(_item_errors(answer.response, count))
        return BatchResult(errors, answer.requests, answer.rate_limited, answer.maybe_applied)

    def remove_from_segment(self, segment: int, id_type: str, body: bytes) -> BatchResult:
        """Take the people of `{"ids": [...]}`, at most 1,000, out of a manual segment (Track API v1).

        Ids of nobody are ignored without a word.

        :raises RequestRefusedError: there is no such segment, or it is data-driven.
        """
        answer = self._transport.request(
            "POST",
            f"/api/v1/segments/{segment}/remove_customers",
            content=body,
            params={"id_type": id_type},
        )
        return BatchResult((), answer.requests, answer.rate_limited)

    def region(self) -> dict[str, Any]:
        """`url`, `region` and `environment_id` (the workspace) of the keys: the connection test.

        :raises AuthenticationError: the keys are refused, or belong to the other region; this call is answered
            on the host of either.
        """
        body = parsed(self._transport.request("GET", "/api/v1/accounts/region").response)
        answer = body if isinstance(body, dict) else {}
        theirs = answer.get("region", self._region)
        if theirs != self._region:
            raise AuthenticationError(
                f"These keys belong to a workspace in region '{theirs}', and the connection says '{self._region}'.",
                next_step=f"set the region of the connection to {theirs}",
            )
        return answer


def _item_errors(response: httpx.Response, count: int) -> list[ItemError]:
    """Errors of any 2xx: 207 declares them, and a 200 has been seen to carry them.

    An error that names no item of the batch cannot be attributed: then no item may be called accepted.
    """
    found: dict[int, ItemError] = {}
    for error in errors_in(response):
        index = error.get("batch_index", "")
        if not index.isdigit() or int(index) >= count:
            return [ItemError(position, error["reason"], error["field"]) for position in range(count)]
        found.setdefault(int(index), ItemError(int(index), error["reason"], error["field"]))
    return [found[index] for index in sorted(found)]
