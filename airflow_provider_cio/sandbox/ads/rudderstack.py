"""A RudderStack data plane: takes batches, forgets repeated message ids, knows who entered and exited."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

WRITE_KEY = "rudder-write-key"
MAX_BATCH, MAX_EVENT = 4 * 1024 * 1024, 32 * 1024


@dataclass
class RudderStack(Platform):
    """``events`` are the messages in order, without repetitions."""

    kept = ("events", "_ids")
    events: list[dict[str, Any]] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    def routes(self) -> list[Route]:
        return [Route("/v1/batch", self.batch, methods=["POST"])]

    def error(self, kind: str) -> Response:
        return PlainTextResponse("sandbox", int(kind))

    def members(self, audience: str) -> dict[str, list[str]]:
        inside: set[str] = set()
        for event in self.events:
            if event["type"] == "track" and event["properties"].get("audience_name") == audience:
                (inside.add if event["event"] == "Audience Entered" else inside.discard)(event["userId"])
        return {"userId": sorted(inside)} if inside else {}

    def clear(self) -> None:
        self.events.clear()
        self._ids.clear()

    async def batch(self, request: Request) -> Response:
        wanted = "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode()
        if request.headers.get("authorization") != wanted:
            return PlainTextResponse("Failed to read writeKey from header", 401)
        if len(await request.body()) > MAX_BATCH:
            return PlainTextResponse("request size too large", 413)
        body = await json_body(request)
        messages = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(messages, list) or any(len(json.dumps(each)) > MAX_EVENT for each in messages):
            return PlainTextResponse("Invalid request", 400)
        with self.lock:
            for message in messages:
                if message["messageId"] not in self._ids:
                    self._ids.add(message["messageId"])
                    self.events.append(message)
        return PlainTextResponse("OK")
