"""RudderStack (legacy data-out): entry and exit as track events, the state as a trait, with ids that repeat."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from airflow_provider_cio.clients.destinations.base import (
    Batch,
    Platform,
    Receipt,
    Standing,
    down,
    rate_limited,
    refused,
    unauthorised,
)
from airflow_provider_cio.exceptions import CustomerIOProviderError, UnknownOutcomeError

_NAMESPACE = uuid.UUID("0c6b5bb8-6f0e-5d0c-9a3e-6a8f2a3c2b11")


class RudderStackAudience:
    """Audience movements of one audience, to one source of a data plane."""

    def __init__(
        self,
        *,
        write_key: str,
        audience: str,
        base_url: str,
        requests_per_minute: float = 3_000,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url,
            judge,
            auth=httpx.BasicAuth(write_key, ""),
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._audience = audience
        self._now = now
        self.settlement: Callable[[str], Any] = self._api.settlement
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """Three messages a member: track, identify, group (on entry)."""
        moment = self._now().isoformat()
        messages = [message for each in self._members(batch) for message in self._messages(batch, *each)]
        stamped = [{**message, "timestamp": moment, "channel": "server"} for message in messages]
        self._api.request("POST", "/v1/batch", json={"batch": stamped, "sentAt": moment})
        return Receipt("accepted", batch.upload_id)

    def standing(self) -> Standing:
        """RudderStack queues, and says nothing of what its destinations did."""
        return Standing(None, None, "queued by the data plane")

    def _members(self, batch: Batch) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for position, user in enumerate(batch.identifiers):
            yield user, batch.contexts[position] if batch.contexts else {}

    def _messages(self, batch: Batch, user: str, context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        entered = batch.action == "add"
        yield {
            "type": "track",
            "userId": user,
            "messageId": self._message_id(batch, user, "track"),
            "event": "Audience Entered" if entered else "Audience Exited",
            "properties": {**context, "audience_name": self._audience, "upload_id": batch.upload_id},
        }
        yield {
            "type": "identify",
            "userId": user,
            "messageId": self._message_id(batch, user, "identify"),
            "context": {"traits": {f"in_{self._audience}": entered}},
        }
        if entered:
            yield {
                "type": "group",
                "userId": user,
                "messageId": self._message_id(batch, user, "group"),
                "groupId": self._audience,
                "traits": {"name": self._audience},
            }

    def _message_id(self, batch: Batch, user: str, kind: str) -> str:
        return str(
            uuid.uuid5(_NAMESPACE, "\n".join((batch.upload_id, self._audience, batch.action, user, kind)))
        )


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """The data plane answers 200 and the text OK; anything else is no success."""
    status = response.status_code
    if status == 200:
        if response.text.strip().strip('"') == "OK":
            return None
        return UnknownOutcomeError("RudderStack's answer is not OK.", next_step="run the audience again")
    if status == 429:
        return rate_limited(response, "429")
    if status >= 500:
        return down(response, str(status))
    if status in {401, 403}:
        return unauthorised(response, str(status), "check the write key of the connection")
    return refused(response, str(status), "check size and shape of the events: 32 KB an event, 4 MB a batch")
