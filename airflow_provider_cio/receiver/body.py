"""Read a body within its limits, and the JSON in it."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

SECONDS = 3.0
"""Customer.io gives up after 4 s; a sender that is slower than this holds a connection for nothing."""


class RefusedError(Exception):
    """An answer that is not 2xx: `status`, and `why` for the counters."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


async def read_body(request: Request, most: int, seconds: float = SECONDS) -> bytes:
    """
    :raises RefusedError: 413 above `most` bytes, 408 after `seconds`, 400 when the client hangs up.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise RefusedError(413, "oversized")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > most:
                    raise RefusedError(413, "oversized")
                chunks.append(chunk)
    except TimeoutError:
        raise RefusedError(408, "slow") from None
    except ClientDisconnect:
        raise RefusedError(400, "hung_up") from None
    return b"".join(chunks)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, in a form that Redshift takes.

    :raises RefusedError: 400; it is not UTF-8, not JSON, no object, or holds a number that JSON cannot write.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
        text = json.dumps(value, allow_nan=False)
        # Neither a NUL nor half of a surrogate pair is text to Redshift.
        cleaned = _clean(value) if "\\u0000" in text or "\\ud" in text else value
    except (ValueError, RecursionError):
        raise RefusedError(400, "invalid_json") from None
    if not isinstance(cleaned, dict):
        raise RefusedError(400, "invalid_json")
    return cleaned


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(each) for key, each in value.items()}
    return value
