"""Fixture `receiver`: the webhook receiver in a process of its own, over S3 of the tests, to be killed at will."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from signed_webhooks import SECRETS, wait_until


class ReceiverProcess:
    """Start, kill and start again; the port is the same, so that a client notices nothing but refusals."""

    def __init__(self, folder: Path, s3: Any) -> None:
        self.folder, self._s3 = folder, s3
        self.settings: dict[str, Any] = {
            "folder": str(folder / "journal"),
            "s3": f"s3://{s3.bucket}/hooks",
            "roll_after": "1s",
            "reporting": {"signing_key": "REPORTING_KEY"},
            "workflows": {
                "review": {
                    "secret": "REVIEW_TOKEN",
                    "payload": {"type": "object", "required": ["order"]},
                    "id": "order",
                }
            },
        }
        self.s3_endpoint = s3.endpoint
        self.port = _free_port()
        self.http = httpx.Client(
            base_url=self.url, limits=httpx.Limits(max_keepalive_connections=0), timeout=30
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = (self.folder / "receiver.log").open("ab")
        self.process = subprocess.Popen(self.command(), env=self.environment(), stdout=log, stderr=log)
        log.close()
        wait_until(self.answers)

    def command(self) -> list[str]:
        file = self.folder / "receiver.yaml"
        file.write_text(yaml.safe_dump(self.settings))
        module = "airflow_provider_cio.receiver"
        return [sys.executable, "-m", module, str(file), "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **SECRETS,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.s3_endpoint,
        }

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "receiver.log").read_text()
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, sealed or shipped."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """SIGTERM: seal and ship what is here."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None

    def waiting(self) -> list[str]:
        """Files of the journals that are not in S3."""
        return [path.name for path in (self.folder / "journal").glob("*/*")]

    def count(self, outcome: str, stream: str = "reporting") -> int:
        """A counter of the metrics page."""
        name = f'cio_receiver_answers_total{{outcome="{outcome}",stream="{stream}"}} '
        page = self.http.get("/metrics").text
        return next(
            (int(float(line.removeprefix(name))) for line in page.splitlines() if line.startswith(name)), 0
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def receiver(tmp_path: Path, s3: Any) -> Iterator[ReceiverProcess]:
    process = ReceiverProcess(tmp_path, s3)
    yield process
    process.kill()
    process.http.close()
