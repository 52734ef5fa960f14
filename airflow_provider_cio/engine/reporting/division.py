"""A stretch of time, divided among readers while they read: nothing tells beforehand how much is in which part."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

HOUR = 3600
FEW_ROWS = 10_000
"""A part that holds less costs more than it spares: each ends in a page that is not full."""

VENTURE = 3
"""No part is more than so many shares: where nothing was found there may still be much."""


@dataclass(frozen=True)
class Part:
    """Seconds from `first` to `last`, both included, read by one reader."""

    first: int
    last: int


class Division:
    """Hands out parts, the newest first; each second is in exactly one.

    A part is a reader's share of what is left, so parts grow shorter, and all readers end at about the same time.
    It is longer where the parts that were read held little.
    """

    def __init__(self, start: int, end: int, readers: int) -> None:
        self._start, self._rest, self._readers = start, end + 1, readers
        self._seconds = self._rows = 0
        self._lock = Lock()

    def take(self) -> Part | None:
        """The next part; None when nothing is left."""
        with self._lock:
            left = self._rest - self._start
            if not left:
                return None
            share = max(HOUR, left // self._readers)
            worthwhile = FEW_ROWS * self._seconds // max(self._rows, 1)
            length = min(left, max(share, min(worthwhile, VENTURE * share)))
            self._rest -= length
            return Part(self._rest, self._rest + length - 1)

    def done(self, part: Part, rows: int) -> None:
        """A part was read; it held so many rows."""
        with self._lock:
            self._seconds += part.last - part.first + 1
            self._rows += rows
