"""Customer.io's signature of a reporting webhook.

``X-CIO-Signature`` is the hexadecimal HMAC-SHA256 of ``v0:<X-CIO-Timestamp>:<raw body>`` under the webhook's signing
key (reporting webhooks specification of 2026-08).
"""

from __future__ import annotations

import hmac
import re
from datetime import timedelta

_SECONDS = re.compile(rb"[0-9]{1,12}")


def sign(key: bytes, timestamp: bytes, body: bytes) -> bytes:
    """The signature as hexadecimal digits."""
    return hmac.new(key, b"v0:" + timestamp + b":" + body, "sha256").hexdigest().encode()


def is_signed(key: bytes, timestamp: bytes, body: bytes, given: bytes) -> bool:
    """Whether `given` is the signature; takes the same time whatever `given` holds."""
    return _SECONDS.fullmatch(timestamp) is not None and hmac.compare_digest(
        sign(key, timestamp, body), given.lower()
    )


def is_fresh(timestamp: bytes, now: float, max_age: timedelta | None) -> bool:
    """Whether a checked timestamp (unix seconds) is at most `max_age` away from `now`."""
    return max_age is None or abs(now - int(timestamp)) <= max_age.total_seconds()
