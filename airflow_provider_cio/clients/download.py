"""Files behind links that live for minutes: what broke off goes on where it was, under a fresh link."""

from __future__ import annotations

from collections.abc import Callable

import httpx

_PARTIAL = 206
_SECONDS = 300


def download(link: Callable[[], str], attempts: int) -> bytes | None:
    """The whole file, or None when `attempts` in a row brought nothing more.

    :param link: asks for a link; called before each attempt.
    """
    content, tag, left = bytearray(), "", attempts
    while left:
        before, left = len(content), left - 1
        # Without a tag nobody knows whether the rest belongs to the same file.
        resumed = {"Range": f"bytes={before}-", "If-Range": tag} if before and tag else {}
        headers = {"Accept-Encoding": "identity", **resumed}
        try:
            with httpx.stream(
                "GET", link(), headers=headers, timeout=_SECONDS, follow_redirects=True
            ) as answer:
                if not answer.is_success:
                    continue
                if answer.status_code != _PARTIAL:
                    content.clear()
                tag = answer.headers.get("ETag", "")
                for part in answer.iter_bytes():
                    content += part
                return bytes(content)
        except httpx.HTTPError:
            left = attempts if len(content) > before else left
    return None
