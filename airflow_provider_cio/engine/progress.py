"""How far a shard is: a log line now and then, with rate and time left."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
EVERY_SECONDS = 10.0


class Progress:
    """Counts rows that have an outcome; threads may share it.

    :param what: of what it tells: 'Plan ... shard 3'.
    :param total: rows to come.
    """

    def __init__(self, what: str, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._total = total
        self._clock = clock
        self._started = self._told = clock()
        self._done = 0
        self._lock = threading.Lock()

    def skip(self, rows: int) -> None:
        """Some rows were done before: they do not count."""
        with self._lock:
            self._total -= rows

    def add(self, rows: int) -> None:
        """Some more rows are done."""
        with self._lock:
            self._done += rows
            now = self._clock()
            if now - self._told < EVERY_SECONDS:
                return
            self._told = now
            rate = self._done / (now - self._started)
            left = (self._total - self._done) / rate
            log.info(
                "%s: %s of %s rows (%d %%), %s rows/s, about %s left",
                self._what,
                f"{self._done:,}",
                f"{self._total:,}",
                100 * self._done // self._total,
                f"{rate:,.0f}",
                duration(left),
            )


def duration(seconds: float) -> str:
    """`45 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
