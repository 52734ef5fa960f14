"""Sealed files go to S3, and where a route says so to a URL; then they are deleted here."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from airflow_provider_cio.core.redaction import redact
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.receiver.figures import Figures
from airflow_provider_cio.receiver.journal import SEALED, Journal

log = logging.getLogger(__name__)
SHIPPED = ".shipped"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


def object_key(stream: str, path: Path) -> str:
    """Where a sealed file goes: `reporting/2026-08-13/20260813T101112.123456-1a2b3c4d.ndjson.gz`.

    The same file has the same key, so that sending it again after a crash changes nothing.
    """
    day = path.name[:8]
    return f"{stream}/{day[:4]}-{day[4:6]}-{day[6:]}/{path.stem}{SEALED}.gz"


@dataclass(frozen=True)
class Forward:
    """Where bodies go after they are in S3, each by itself, at least once and in order."""

    url: str
    user: str | None = None
    render: Callable[[dict[str, Any]], dict[str, Any]] = dict


class Shipper:
    """Ships one stream.

    :param put: writes an object: key, content; raises the package's errors.
    """

    def __init__(
        self,
        stream: str,
        journal: Journal,
        put: Callable[[str, bytes], None],
        figures: Figures,
        forward: Forward | None = None,
    ) -> None:
        self._stream, self._journal, self._put = stream, journal, put
        self._figures, self._forward = figures, forward

    async def run(self) -> None:
        """Ship until cancelled; a failure is tried again after a pause that grows to half a minute."""
        pause = _FIRST_PAUSE
        while True:
            pause = _FIRST_PAUSE if await self.ship() else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def ship(self) -> bool:
        """One pass over everything that waits; whether all of it went through."""
        uploaded = await self._upload()
        forwarded = self._forward is None or await self._forward_all(self._forward)
        return uploaded and forwarded

    async def _upload(self) -> bool:
        for path in self._journal.sealed():
            try:
                await asyncio.to_thread(self._upload_one, path)
            except (CustomerIOProviderError, OSError) as error:
                self._figures.shipping(self._stream, "failed")
                log.warning("%s: %s stays on disk: %s", self._stream, path.name, redact(str(error)))
                return False
            self._figures.shipping(self._stream, "stored")
        return True

    def _upload_one(self, path: Path) -> None:
        self._put(object_key(self._stream, path), gzip.compress(path.read_bytes(), 6, mtime=0))
        if self._forward is None:
            path.unlink()
        else:
            path.rename(path.with_suffix(SHIPPED))

    async def _forward_all(self, to: Forward) -> bool:
        waiting = sorted(self._journal.folder.glob(f"*{SHIPPED}"))
        if not waiting:
            return True
        auth = None if to.user is None else httpx.BasicAuth(to.user, "")
        async with httpx.AsyncClient(timeout=10, auth=auth) as client:
            for path in waiting:
                for line in path.read_bytes().splitlines():
                    try:
                        answer = await client.post(to.url, json=to.render(json.loads(line)["payload"]))
                        answer.raise_for_status()
                    except httpx.HTTPError as error:
                        self._figures.shipping(self._stream, "not_forwarded")
                        log.warning("%s: forwarding failed: %s", self._stream, type(error).__name__)
                        return False
                path.unlink()
                self._figures.shipping(self._stream, "forwarded")
        return True
