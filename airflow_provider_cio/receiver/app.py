"""The ASGI application: verify, store durably, answer; everything slow happens later."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from airflow_provider_cio.core.rudderstack import track_call
from airflow_provider_cio.receiver import signature
from airflow_provider_cio.receiver.body import RefusedError, read_body, read_object
from airflow_provider_cio.receiver.figures import Figures
from airflow_provider_cio.receiver.journal import Journal
from airflow_provider_cio.receiver.seen import Seen
from airflow_provider_cio.receiver.settings import Reporting, Settings, Workflow, secret
from airflow_provider_cio.receiver.shipping import Forward, Shipper

_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_LINE_KEY = re.compile(rb'\{"event_id":"([^"]*)"')
Check = Callable[[Request, bytes], tuple[str | None, dict[str, Any]]]
"""Raises RefusedError, or answers the key that tells repeats apart (None: there is none) and the payload."""


@dataclass
class Stream:
    """One route and what it stores."""

    name: str
    check: Check
    journal: Journal
    shipper: Shipper
    seen: Seen = field(default_factory=Seen)


class Receiver:
    """`POST /reporting`, `POST /workflow/NAME`, `GET /health`, `GET /metrics`.

    :param put: writes an object to S3: key, content.
    :raises ContractError: a secret is not set.
    """

    def __init__(
        self, settings: Settings, put: Callable[[str, bytes], None], *, clock: Callable[[], float] = time.time
    ) -> None:
        self.figures = Figures()
        self._settings, self._put, self._clock = settings, put, clock
        self._streams: dict[bytes, Stream] = {}
        if settings.reporting is not None:
            self._add("reporting", reporting(settings.reporting, clock), _rudderstack(settings.reporting))
        for name, route in settings.workflows.items():
            self._add(f"workflow/{name}", workflow(route), Forward(route.forward) if route.forward else None)
        self._tasks: list[asyncio.Task[None]] = []
        self._backlog = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        # The path as it was sent, compared whole: nothing in it is decoded, joined or looked up on disk.
        path: bytes = request.scope.get("raw_path") or b""
        stream = self._streams.get(path)
        if stream is not None:
            return await self._take(stream, request)
        if request.method == "GET" and path == b"/health":
            return self._health()
        if request.method == "GET" and path == b"/metrics":
            return Response(self.figures.page(), media_type="text/plain; version=0.0.4")
        self.figures.answer("", "unknown_path", 0)
        return JSONResponse({"error": "unknown_path"}, 404)

    async def _take(self, stream: Stream, request: Request) -> Response:
        began = time.perf_counter()
        try:
            outcome, status = await self._stored(stream, request), 200
        except RefusedError as refusal:
            outcome, status = refusal.why, refusal.status
        except OSError:
            outcome, status = "disk_failed", 503
        self.figures.answer(stream.name, outcome, time.perf_counter() - began)
        # A body that was not read to its end would be taken for the next request.
        headers = {"Connection": "close"} if status in {405, 408, 413, 503} else None
        return JSONResponse({} if status == 200 else {"error": outcome}, status, headers)

    async def _stored(self, stream: Stream, request: Request) -> str:
        if request.method != "POST":
            raise RefusedError(405, "method")
        if self._backlog > self._settings.backlog_megabytes * 1_000_000:
            raise RefusedError(503, "backlog_full")
        body = await read_body(request, self._settings.body_kilobytes * 1000)
        return await self._store(stream, *stream.check(request, body))

    async def _store(self, stream: Stream, key: str | None, payload: dict[str, Any]) -> str:
        event_id = key or secrets.token_hex(16)
        moment = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        line = json.dumps(
            {"event_id": event_id, "received_at": moment, "payload": payload}, separators=(",", ":")
        )
        stored = await stream.seen.once(event_id, lambda: stream.journal.append(line.encode()))
        return "stored" if stored else "duplicate"

    def _health(self) -> Response:
        failing = [stream.name for stream in self._streams.values() if stream.journal.failing]
        if any(task.done() for task in self._tasks):
            failing.append("a background task has ended")
        return JSONResponse(
            {"status": "failing" if failing else "ok", "failing": failing, "backlog_bytes": self._backlog},
            503 if failing else 200,
        )

    def _add(self, name: str, check: Check, forward: Forward | None = None) -> None:
        settings = self._settings
        journal = Journal(
            settings.folder / name.replace("/", "-"),
            roll_bytes=settings.roll_megabytes * 1_000_000,
            roll_seconds=settings.roll_after.total_seconds(),
        )
        shipper = Shipper(name, journal, self._put, self.figures, forward)
        stream = self._streams[f"/{name}".encode()] = Stream(name, check, journal, shipper)
        found = (_LINE_KEY.match(line) for line in journal.lines())
        stream.seen.remember(match[1].decode() for match in found if match)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        streams = list(self._streams.values())
        work: list[Awaitable[None]] = [self._watch()]
        for stream in streams:
            work += [stream.journal.run(), stream.shipper.run()]
        self._tasks = [asyncio.ensure_future(each) for each in work]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in streams:
            await stream.journal.close()
            await stream.shipper.ship()
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        """Keep the size of what waits on this disk."""
        while True:
            self._backlog = await asyncio.to_thread(self._measure)
            self.figures.backlog(self._backlog)
            await asyncio.sleep(1)

    def _measure(self) -> int:
        size = 0
        for path in self._settings.folder.glob("*/*"):
            try:
                size += path.stat().st_size
            except FileNotFoundError:  # shipped meanwhile
                continue
        return size


def reporting(settings: Reporting, clock: Callable[[], float]) -> Check:
    """Signed by Customer.io, one event a request."""
    signing_key = secret(settings.signing_key)

    def check(request: Request, body: bytes) -> tuple[str | None, dict[str, Any]]:
        timestamp, given = _header(request, "x-cio-timestamp"), _header(request, "x-cio-signature")
        if not signature.is_signed(signing_key, timestamp, body, given):
            raise RefusedError(401, "bad_signature")
        if not signature.is_fresh(timestamp, clock(), settings.max_age):
            raise RefusedError(401, "too_old")
        payload = read_object(body)
        return _key(payload, "event_id"), payload

    return check


def workflow(settings: Workflow) -> Check:
    """A payload of one's own, with a shared secret."""
    wanted = b"Bearer " + secret(settings.secret)
    validator = Draft202012Validator(settings.payload)

    def check(request: Request, body: bytes) -> tuple[str | None, dict[str, Any]]:
        if not hmac.compare_digest(wanted, _header(request, "authorization")):
            raise RefusedError(401, "bad_secret")
        payload = read_object(body)
        if not validator.is_valid(payload):
            raise RefusedError(422, "schema")
        return (None if settings.id is None else _key(payload, settings.id)), payload

    return check


def _rudderstack(settings: Reporting) -> Forward | None:
    to = settings.rudderstack
    if to is None:
        return None
    return Forward(f"{to.data_plane.rstrip('/')}/v1/track", secret(to.write_key).decode(), track_call)


def _header(request: Request, name: str) -> bytes:
    return request.headers.get(name, "").encode("latin-1")


def _key(payload: Mapping[str, Any], member: str) -> str:
    value = payload.get(member)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or _KEY.fullmatch(text) is None:
        raise RefusedError(400, "no_event_id")
    return text
