"""Everything around the measured process, in processes of its own: the sink, and Redshift, S3 and Customer.io."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
from airflow_provider_cio.sandbox.redshift import LocalRedshift
from airflow_provider_cio.sandbox.s3 import LocalS3

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Sink:
    """A running sink."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, *, delay: float = 0, limit: int = 0) -> None:
        """Start a new count: milliseconds to every answer, and requests a second (0: any number)."""
        httpx.get(f"{self.url}/set", params={"delay": delay, "limit": limit}).raise_for_status()

    def stats(self) -> dict[str, Any]:
        """`requests`, `bytes`, `refused`, and when the first and the last came."""
        told: dict[str, Any] = httpx.get(f"{self.url}/stats").json()
        return told


@dataclass(frozen=True)
class Stack:
    """Where everything listens."""

    sink: Sink
    redshift: dict[str, Any]
    s3: str
    customerio: str


@contextmanager
def running() -> Iterator[Stack]:
    """The stack, until the end of the block."""
    with ExitStack() as processes:

        def start(script: str) -> str:
            argv = [sys.executable, str(HERE / script)]
            process = processes.enter_context(
                subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            processes.callback(process.terminate)
            return process.stdout.readline()

        port = int(start("sink.py"))
        yield Stack(Sink(port), **json.loads(start("stack.py")))


def main() -> None:
    """Serve until standard input closes."""
    with tempfile.TemporaryDirectory() as folder, LocalS3() as s3:
        endpoint = s3.endpoint_url
        with (
            LocalRedshift(Path(folder, "redshift"), port=None, s3_endpoint=endpoint) as redshift,
            CustomerIOSandbox(Path(folder, "customerio"), port=None) as customerio,
        ):
            dsn = {name: getattr(redshift, name) for name in ("host", "port", "database", "user", "password")}
            told = {"redshift": {**dsn, "ssl": False}, "s3": endpoint, "customerio": customerio.url}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
            sys.stdin.read()


if __name__ == "__main__":
    main()
