"""The error envelopes of both APIs, and paging by an opaque cursor."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

WHOLE = re.compile("[0-9]{1,15}")


def not_found() -> Response:
    return JSONResponse({"errors": [{"detail": "not found", "status": 404}]}, 404)


def refused(detail: str) -> Response:
    """400 of the App API."""
    return JSONResponse({"errors": [{"detail": detail, "status": 400}]}, 400)


def refused_track(message: str) -> Response:
    """400 of Track v1."""
    return JSONResponse({"meta": {"errors": [message]}}, 400)


def whole(text: str | None, default: int) -> int:
    """A number out of a path or query; ``default`` for anything that is none."""
    return int(text) if text is not None and WHOLE.fullmatch(text) else default


def page_limits(request: Request, *, default: int, most: int) -> tuple[int, int]:
    """``start`` as the row number that the cursor hides, and ``limit``, held within what is documented."""
    limit = whole(request.query_params.get("limit"), default) or default
    try:
        start = base64.urlsafe_b64decode(request.query_params.get("start", "")).decode()
    except (ValueError, binascii.Error):
        start = ""
    return whole(start, 0), min(limit, most)


def with_next(rows: list[tuple[Any, ...]], limit: int) -> tuple[list[tuple[Any, ...]], str]:
    """One page of ``limit + 1`` fetched rows (the first column is the row number), and the next cursor."""
    if len(rows) <= limit:
        return rows, ""
    rows = rows[:limit]
    return rows, cursor(rows[-1][0])


def cursor(number: int) -> str:
    """What hides a row number, for ``start``."""
    return base64.urlsafe_b64encode(str(number).encode()).decode()
