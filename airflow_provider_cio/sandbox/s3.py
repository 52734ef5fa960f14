"""S3 for the sandbox: moto in server mode, one bucket. Objects are kept in memory and gone after a restart."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

BUCKET = "cio-sandbox"
ACCESS_KEY, SECRET_KEY = "sandbox", "sandbox-secret"


class LocalS3:
    """An S3 endpoint on loopback with the bucket ``cio-sandbox``."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = ThreadedMotoServer(ip_address=host, port=port, verbose=False)
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
