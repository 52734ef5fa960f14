"""Signed webhooks by the Standard Webhooks specification: the exact bytes are signed, any 2xx is success."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
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
from airflow_provider_cio.exceptions import ContractError, CustomerIOProviderError

_PREFIX = "whsec_"


class WebhookAudience:
    """Posts `audience.entered` and `audience.exited`, one message a batch.

    :param url: the receiver's whole address.
    :param secret: `whsec_` and base64 of 24 to 64 bytes; several, separated by spaces, while keys rotate.
    """

    def __init__(
        self,
        *,
        url: str,
        secret: str,
        audience: str,
        requests_per_minute: float = 600,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        target = httpx.URL(url)
        self._path = target.raw_path.decode("ascii")
        self._api = Platform(
            f"{target.scheme}://{target.netloc.decode('ascii')}",
            judge,
            auth=Signature([_key(each) for each in secret.split()], clock),
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._audience = audience
        self.settlement: Callable[[str], Any] = self._api.settlement
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """The upload id is in the body, and its hash is the message's id: a repetition carries the same."""
        members = [
            {batch.field: each, **({"context": batch.contexts[n]} if batch.contexts else {})}
            for n, each in enumerate(batch.identifiers)
        ]
        body = {
            "type": f"audience.{'entered' if batch.action == 'add' else 'exited'}",
            "data": {"audience": self._audience, "upload_id": batch.upload_id, "members": members},
        }
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str).encode()
        self._api.request("POST", self._path, content=content)
        return Receipt("accepted", message_id(content))

    def standing(self) -> Standing:
        """A webhook tells nothing."""
        return Standing(None, None)


class Signature(httpx.Auth):
    """Signs each attempt: the id is the body's hash and stays, the time is the attempt's."""

    requires_request_body = True

    def __init__(self, keys: list[bytes], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Any:
        """Set the three headers."""
        moment = int(self._clock())
        identity = message_id(request.content)
        request.headers["webhook-id"] = identity
        request.headers["webhook-timestamp"] = str(moment)
        request.headers["webhook-signature"] = " ".join(
            sign(key, identity, moment, request.content) for key in self._keys
        )
        yield request


def message_id(content: bytes) -> str:
    """The idempotency key of a body."""
    return "msg_" + hashlib.sha256(content).hexdigest()[:32]


def sign(key: bytes, identity: str, moment: int, content: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 of id, time and body."""
    signed = f"{identity}.{moment}.".encode() + content
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ContractError(
            "The secret of the webhook is not a Standard Webhooks secret.",
            next_step="write whsec_ and the base64 of 24 to 64 random bytes",
        )
    return key


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """Any 2xx is success."""
    status = response.status_code
    if response.is_success:
        return None
    if status in {429, 503}:
        return rate_limited(response, str(status))
    if status >= 500:
        return down(response, str(status))
    if status in {401, 403}:
        return unauthorised(response, str(status), "compare the secret with the receiver's")
    if status == 410:
        return refused(response, "410", "the receiver is gone for good: remove this destination")
    return refused(response, str(status), "ask the receiver's owner what it refuses")
