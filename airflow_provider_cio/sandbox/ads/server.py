"""Start and stop: all platforms on one port, each under a path of its own (`http://host:port/meta/...`)."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_cio.sandbox.ads import google, google_ads, meta, rudderstack, tiktok, webhook
from airflow_provider_cio.sandbox.ads.google import Google
from airflow_provider_cio.sandbox.ads.google_ads import GoogleAds
from airflow_provider_cio.sandbox.ads.meta import Meta
from airflow_provider_cio.sandbox.ads.platform import DROPS, GATEWAY, Platform, Seen
from airflow_provider_cio.sandbox.ads.rudderstack import RudderStack
from airflow_provider_cio.sandbox.ads.tiktok import TikTok
from airflow_provider_cio.sandbox.ads.webhook import Receiver

START_SECONDS = 30
LONGEST_URL = 64 * 1024
_PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class AdSandbox:
    """The platforms on loopback. ``port`` None takes a free one; without a ``folder``, state is in memory."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        match_percent: int = 60,
    ) -> None:
        self.host, self.port = host, port or 0
        self.meta = Meta("meta", match_percent)
        self.google = Google("google", match_percent)
        self.google_ads = GoogleAds("google_ads", match_percent)
        self.tiktok = TikTok("tiktok", match_percent)
        self.rudderstack = RudderStack("rudderstack", match_percent)
        self.webhook = Receiver("webhook", match_percent)
        self.platforms: list[Platform] = [
            self.meta,
            self.google,
            self.google_ads,
            self.tiktok,
            self.rudderstack,
            self.webhook,
        ]
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for each in self.platforms:
                each.file = folder / f"{each.name}.state"
                each.recall()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def connections(self) -> dict[str, dict[str, str]]:
        """The extras of an Airflow connection to each platform."""
        return {
            "meta": {"token": meta.TOKEN, "base_url": self.url("meta")},
            "google": {"account": "123", "access_token": google.TOKEN, "base_url": self.url("google")},
            "google_ads": {
                "account": "123",
                "access_token": google_ads.TOKEN,
                "developer_token": google_ads.DEVELOPER_TOKEN,
                "base_url": self.url("google_ads"),
            },
            "tiktok": {"token": tiktok.TOKEN, "advertiser": "7", "base_url": self.url("tiktok")},
            "rudderstack": {"write_key": rudderstack.WRITE_KEY, "base_url": self.url("rudderstack")},
            "webhook": {"url": f"{self.url('webhook')}/hook", "secret": webhook.SECRET},
        }

    def url(self, platform: str) -> str:
        """The base URL of a platform."""
        return f"http://{self.host}:{self.port}/{platform}"

    def start(self) -> None:
        """Return when the port answers; a busy port is an OSError."""
        listener = socket.create_server((self.host, self.port))
        self.port = listener.getsockname()[1]
        mounts = [Mount(f"/{each.name}", app=_app(each)) for each in self.platforms]
        config = uvicorn.Config(
            Starlette(routes=mounts),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            h11_max_incomplete_event_size=2 * LONGEST_URL,
            timeout_graceful_shutdown=5,
        )
        ready = threading.Event()
        self._server = _Server(config, ready)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="ad-sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(START_SECONDS):
            self.stop()
            raise RuntimeError("the ad platforms did not start")

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> AdSandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, listener: socket.socket) -> None:
        with listener:
            asyncio.run(self._server.serve([listener]))  # type: ignore[union-attr]


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()


def _app(platform: Platform) -> ASGIApp:
    inner = Starlette(routes=[*platform.control(), *platform.routes()])
    return _Gate(platform, inner)


class _Gate:
    """Faults, the limit of a URL, and the book of requests."""

    def __init__(self, platform: Platform, app: ASGIApp) -> None:
        self._platform = platform
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "/_sandbox/" in scope["path"]:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        url_bytes = len(scope["raw_path"]) + len(scope["query_string"])
        fault = self._platform.take_fault(scope["path"])
        status = await self._answer(scope, receive, send, body, fault, url_bytes)
        self._platform.seen.append(Seen(scope["method"], scope["path"], url_bytes, len(body), status))

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, body: bytes, fault: str | None, url_bytes: int
    ) -> int | str:
        kept = _Kept()
        if url_bytes > LONGEST_URL:
            await HTMLResponse("<h1>414</h1>", 414)(scope, receive, send)
            return 414
        if fault == "drop_before":
            return await _drop(receive, fault)
        if fault == GATEWAY:
            await HTMLResponse(_PAGE, 502)(scope, receive, send)
            return 502
        if fault and fault not in DROPS and fault != f"{GATEWAY}_after" and not self._platform_keeps(fault):
            answer = self._platform.error(fault)
            await answer(scope, receive, send)
            return answer.status_code
        if fault:
            scope["sandbox.fault"] = fault
        await self._app(scope, _replay(body), kept)
        if scope["method"] != "GET":
            self._platform.remember()
        if fault == "drop_after":
            return await _drop(receive, fault)
        if fault == f"{GATEWAY}_after":
            await HTMLResponse(_PAGE, 502)(scope, receive, send)
            return 502
        start, content = kept.messages[0], b"".join(each.get("body", b"") for each in kept.messages[1:])
        await send(start)
        if fault == "truncated":
            await send(
                {"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True}
            )
            return await _drop(receive, fault)
        await send({"type": "http.response.body", "body": content})
        return int(start["status"])

    def _platform_keeps(self, fault: str) -> bool:
        """Faults that the handlers themselves bring about, such as a request that fails later."""
        return fault.startswith("later_")


class _Kept:
    """Keeps an answer back."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _drop(receive: Receive, fault: str) -> str:
    """Close the socket below the request: ASGI has no name for it, uvicorn's request cycle does."""
    transport: asyncio.Transport = receive.__self__.transport  # type: ignore[attr-defined]
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
    return fault
