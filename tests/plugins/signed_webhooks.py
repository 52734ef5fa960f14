"""What Customer.io's side of a webhook needs: secrets, signatures, patience."""

from __future__ import annotations

import time
from typing import Any

from airflow_provider_cio.receiver.signature import sign

KEY, TOKEN = b"signing-key", "workflow-token"
SECRETS = {"REPORTING_KEY": KEY.decode(), "REVIEW_TOKEN": TOKEN}


def signed(body: bytes, *, timestamp: int | None = None, key: bytes = KEY) -> dict[str, str]:
    """The headers of a webhook."""
    at = str(int(time.time()) if timestamp is None else timestamp)
    return {
        "Content-Type": "application/json",
        "X-CIO-Timestamp": at,
        "X-CIO-Signature": sign(key, at.encode(), body).decode(),
    }


def wait_until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
