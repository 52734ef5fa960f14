"""S3 for the sandbox: moto in server mode, one bucket. Objects are kept in memory and gone after a restart."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

from airflow_provider_cio.sandbox.faults import Faults

BUCKET = "cio-sandbox"
ACCESS_KEY, SECRET_KEY = "sandbox", "sandbox-secret"
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class S3Server(ThreadedMotoServer):
    """moto's server with ``faults``: ``unavailable`` (503), ``reset_before`` and ``reset_after`` the call was done.

    A call's text is its method and path: ``PUT /bucket/key``.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(ip_address=host, port=port, verbose=False)
        self.faults = Faults("unavailable", "reset_before", "reset_after")

    def _server_entry(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            self._ip_address, self._port, self._answer, threaded=True, request_handler=MotoRequestHandler
        )
        self._server_ready_event.set()
        self._server.serve_forever()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        kind = self.faults.strike(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if kind == "unavailable":
            start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Connection", "close")])
            return [SLOW_DOWN]
        if kind == "reset_after":
            b"".join(self._app(environ, lambda *_: lambda _: None))
        if kind is not None:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            start_response("200 OK", [])
            return []
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer


class LocalS3:
    """An S3 endpoint on loopback with the bucket ``cio-sandbox``."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = S3Server(host=host, port=port)
        self.faults = self._server.faults
        self.bucket = BUCKET

    @property
    def endpoint_url(self) -> str:
        """The endpoint, known once started."""
        host, port = self._server.get_host_and_port()
        return f"http://{host}:{port}"

    def client(self) -> Any:
        """A boto3 client of this endpoint and no other."""
        return client(self.endpoint_url)

    def start(self) -> None:
        """Return when the bucket is there."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server.start()
        made = self.client()
        made.create_bucket(Bucket=BUCKET)
        made.close()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> LocalS3:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def client(endpoint_url: str) -> Any:
    """A boto3 client of a sandbox's S3."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
