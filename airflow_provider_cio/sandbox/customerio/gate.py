"""The ASGI wall around the handlers: faults, rate limits, keys, and the book of requests."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_cio.sandbox.customerio import auth
from airflow_provider_cio.sandbox.customerio.faults import REFUSES_ITEMS, Fault, Faults
from airflow_provider_cio.sandbox.customerio.limits import RateLimiter
from airflow_provider_cio.sandbox.customerio.settings import Settings
from airflow_provider_cio.sandbox.customerio.weather import Weather
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

RECENT = 100
LARGEST_BODY = 32 * 1024 * 1024


@dataclass(frozen=True)
class Seen:
    """One line of the book: no bodies, no people."""

    at: float
    method: str
    route: str
    status: str
    size: int
    milliseconds: float


@dataclass
class Gate:
    """Lets ``/`` and ``/_sandbox/`` through, and treats the rest as the service would."""

    app: ASGIApp
    routes: Sequence[Route]
    workspace: Workspace
    faults: Faults = field(default_factory=Faults)
    weather: Weather = field(default_factory=Weather)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    recent: deque[Seen] = field(default_factory=lambda: deque(maxlen=RECENT))
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        for each in (self.faults, self.weather, self.limiter, self.recent):
            each.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path"] = scope["raw_path"].decode("ascii")
        path: str = scope["path"]
        if not path.startswith(("/api/", "/v1/", "/unsubscribe/")):
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        body = await _read(receive)
        fault = self.faults.take(path, body) or self.weather.strike(path, body)
        status = await self._answer(scope, receive, send, body, fault)
        route = self._template(scope)
        milliseconds = (time.perf_counter() - began) * 1000
        self.recent.append(Seen(time.time(), scope["method"], route, status, len(body), milliseconds))
        with self.workspace.store.transaction():
            self.workspace.store.count("request", {f"{scope['method']} {route} {status}": 1})
            self.workspace.store.count("bytes", {"received": len(body)})

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, body: bytes, fault: Fault | None
    ) -> str:
        """Answer, or do not; returns the status for the book."""
        kind = fault.status if fault is not None else None
        if fault is not None and fault.delay and kind != "slow_body":
            await asyncio.sleep(fault.delay)
        if kind in {"reset_before", "timeout"}:
            await self._leave(receive, reset=kind == "reset_before")
            return str(kind)
        if fault is not None and kind in REFUSES_ITEMS:
            scope["sandbox.refusing"] = fault
        elif fault is not None and isinstance(kind, int):
            return await _send(_fault_response(fault, scope["path"]), scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is not None:
            return await _send(refusal, scope, receive, send)
        if kind in {"reset_after", "timeout_after"}:
            await self.app(scope, _replay(body), _swallow)
            await self._leave(receive, reset=kind == "reset_after")
            return str(kind)
        if kind == "truncated_body":
            await self.app(scope, _replay(body), _Halved(send))
            _abort(_transport(receive))
            return str(kind)
        watched = _Watched(send, fault)
        await self.app(scope, _replay(body), watched)
        return watched.status

    def _template(self, scope: Scope) -> str:
        """The path with ``{name}`` for its variable parts: no identifier enters the book."""
        for route in self.routes:
            if route.matches(scope)[0] is not Match.NONE:
                return route.path.replace(":quoted", "")
        return "(unknown path)"

    def _refusal(self, scope: Scope) -> Response | None:
        settings, path = self.workspace.settings, scope["path"]
        if not self.limiter.allows(*_limit(path, settings)):
            return _limited(path, settings.retry_after)
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        return auth.check(path, scope["query_string"].decode("latin-1"), authorization, settings)

    async def _leave(self, receive: Receive, *, reset: bool) -> None:
        """Abort the connection now, or hold it until the client gives up or the sandbox stops."""
        transport = _transport(receive)
        if not reset:
            closing = asyncio.ensure_future(self.closing.wait())
            gone = asyncio.ensure_future(receive())
            await asyncio.wait({closing, gone}, return_when=asyncio.FIRST_COMPLETED)
            for task in (closing, gone):
                task.cancel()
        _abort(transport)
        while (await receive())["type"] != "http.disconnect":
            pass


def _transport(receive: Receive) -> asyncio.Transport:
    """The socket below a request: ASGI has no name for it, uvicorn's request cycle does."""
    transport: asyncio.Transport = receive.__self__.transport  # type: ignore[attr-defined]
    return transport


def _abort(transport: asyncio.Transport) -> None:
    """Close with RST, so that the client sees a reset and not an orderly end."""
    connection = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(chunks)
        size += len(message.get("body", b""))
        if size <= LARGEST_BODY:
            chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _swallow(message: Message) -> None:
    """The answer of a request whose connection is about to break."""


async def _send(response: Response, scope: Scope, receive: Receive, send: Send) -> str:
    await response(scope, receive, send)
    return str(response.status_code)


class _Watched:
    """Passes an answer on, as a fault may change it, and keeps its status for the book."""

    def __init__(self, send: Send, fault: Fault | None) -> None:
        self._send, self._fault, self.status = send, fault, ""

    async def __call__(self, message: Message) -> None:
        kind = self._fault.status if self._fault is not None else None
        if message["type"] == "http.response.start":
            if kind == "errors_on_200" and message["status"] == 207:
                message = {**message, "status": 200}
            self.status = str(message["status"])
        elif kind == "slow_body" and self._fault is not None:
            body = message.get("body", b"")
            await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
            await asyncio.sleep(self._fault.delay)
            message = {**message, "body": body[len(body) // 2 :]}
        await self._send(message)


class _Halved:
    """Lets half of the body pass, whatever Content-Length has promised."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await self._send(message)


def _fault_response(fault: Fault, path: str) -> Response:
    if fault.status == 429:
        return _limited(path, fault.retry_after)
    status = int(fault.status)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if 300 <= status < 400:
        headers["Location"] = f"https://track-eu.customer.io.invalid{path}"
    return JSONResponse(_envelope(path, "fault of the sandbox", status), status, headers)


def _limit(path: str, settings: Settings) -> tuple[str, int | None]:
    """The API whose limit counts a request, and the limit."""
    if path.startswith("/v1/send/"):
        return "transactional", settings.transactional_requests_per_second
    if path.startswith("/v1/"):
        return "app", settings.app_requests_per_second
    return "track", settings.track_requests_per_second


def _limited(path: str, retry_after: int | None) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return JSONResponse(_envelope(path, "too many requests", 429), 429, headers)


def _envelope(path: str, text: str, status: int) -> dict[str, Any]:
    """An error in the dress of the API that was called."""
    if path.startswith("/api/v2/"):
        return {"errors": [{"reason": "fault", "field": "", "message": text}]}
    if path.startswith("/v1/"):
        return {"errors": [{"detail": text, "status": status}]}
    return {"meta": {"errors": [text]}}
