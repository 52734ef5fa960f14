"""A receiver of signed webhooks (Standard Webhooks): checks the signature, forgets repeated ids."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
TOLERANCE_SECONDS = 300


@dataclass
class Receiver(Platform):
    """``messages`` are the bodies in order, without repetitions."""

    kept = ("messages", "_ids")
    messages: list[dict[str, Any]] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def routes(self) -> list[Route]:
        return [Route("/hook", self.hook, methods=["POST"])]

    def error(self, kind: str) -> Response:
        return PlainTextResponse("sandbox", int(kind))

    def members(self, audience: str) -> dict[str, list[str]]:
        inside: dict[str, set[str]] = {}
        for message in self.messages:
            if message["data"]["audience"] != audience:
                continue
            for member in message["data"]["members"]:
                name, value = next((n, v) for n, v in member.items() if n != "context")
                found = inside.setdefault(name, set())
                (found.add if message["type"] == "audience.entered" else found.discard)(value)
        return {name: sorted(found) for name, found in inside.items() if found}

    def clear(self) -> None:
        self.messages.clear()
        self._ids.clear()

    async def hook(self, request: Request) -> Response:
        identity, moment = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        raw = await request.body()
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{identity}.{moment}.".encode() + raw, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(digest).decode()
        signatures = request.headers.get("webhook-signature", "").split()
        fresh = moment.isdigit() and abs(self.now() - self.shift - int(moment)) < TOLERANCE_SECONDS
        if not fresh or not any(hmac.compare_digest(wanted, each) for each in signatures):
            return PlainTextResponse("bad signature", 401)
        body = await json_body(request)
        with self.lock:
            if identity not in self._ids:
                self._ids.add(identity)
                self.messages.append(body)
        return Response(status_code=204)
