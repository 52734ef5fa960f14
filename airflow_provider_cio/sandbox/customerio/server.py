"""Start and stop: uvicorn in a thread, one or two ports, one workspace."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import uvicorn

from airflow_provider_cio.sandbox.customerio import tls
from airflow_provider_cio.sandbox.customerio.app import build
from airflow_provider_cio.sandbox.customerio.gate import Gate
from airflow_provider_cio.sandbox.customerio.settings import DEFAULTS
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

START_SECONDS = 30


class CustomerIOSandbox:
    """A Customer.io workspace on loopback; its state lives in ``folder`` and survives a restart.

    ``port`` None takes a free one. ``tls_port``: also answer https there (0 takes a free one), with a
    certificate of a local authority whose file is ``ca_file``. Ports are bound by ``start``; a busy port is
    an OSError that names it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = 8025,
        region: str = "us",
        tls_port: int | None = None,
    ) -> None:
        self.folder = folder
        self.host = host
        self.port = port or 0
        self.tls_port = tls_port
        self.ca_file = folder / "ca.pem"
        self._settings = replace(DEFAULTS, region=region, account_region=region)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"https://{self.host}:{self.tls_port}"

    def start(self) -> None:
        """Return when the sandbox answers; the message of an error says what is in the way."""
        if self._thread is not None:
            raise RuntimeError("the Customer.io sandbox runs already")
        workspace = Workspace(self.folder, self._settings)
        listeners: list[socket.socket] = []
        try:
            listeners.append(_listen(self.host, self.port))
            if self.tls_port is not None:
                listeners.append(_listen(self.host, self.tls_port))
                tls.ensure(self.folder, self.host)
        except BaseException:
            _close(workspace, listeners)
            raise
        self.port = listeners[0].getsockname()[1]
        if self.tls_port is not None:
            self.tls_port = listeners[1].getsockname()[1]
        ready = threading.Event()
        self._failure = None
        self._thread = threading.Thread(
            target=self._run, args=(workspace, listeners, ready), name="customerio-sandbox", daemon=True
        )
        self._thread.start()
        if not ready.wait(START_SECONDS) or self._failure is not None:
            self.stop()
            raise RuntimeError("the Customer.io sandbox did not start") from self._failure

    def stop(self) -> None:
        """Finish the requests in flight, close both ports and the store."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._stop)
            thread.join()

    def __enter__(self) -> CustomerIOSandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, workspace: Workspace, listeners: list[socket.socket], ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(workspace, listeners, ready))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start()
            self._failure = error
        finally:
            _close(workspace, listeners)
            ready.set()

    async def _serve(
        self, workspace: Workspace, listeners: list[socket.socket], ready: threading.Event
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._gate = build(workspace)
        configs = [_config(self._gate)]
        if self.tls_port is not None:
            configs.append(_config(self._gate, self.folder))
        self._servers = [_Server(config) for config in configs]
        async with asyncio.TaskGroup() as serving:
            for server, listener in zip(self._servers, listeners, strict=True):
                serving.create_task(server.serve([listener]))
            for server in self._servers:
                await server.up.wait()
            ready.set()

    def _stop(self) -> None:
        self._gate.closing.set()
        for server in self._servers:
            server.should_exit = True


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


def _config(gate: Gate, tls_folder: Path | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=tls_folder / tls.SERVER if tls_folder is not None else None,
    )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(
            error.errno,
            f"{host}:{port} cannot be used ({error.strerror}). Choose another port, or none for a free one.",
        ) from error
    return listener


def _close(workspace: Workspace, listeners: list[socket.socket]) -> None:
    for listener in listeners:
        listener.close()
    workspace.close()
