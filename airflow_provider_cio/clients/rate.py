"""A rate limit that the threads of one client share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimiter:
    """Hands out evenly spaced moments, `rate` a second, without bursts: a hard limit is never touched."""

    def __init__(
        self,
        rate: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate <= 0:
            raise ValueError("a rate limit is a positive number of requests a second")
        self._interval = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Wait for the next free moment."""
        with self._lock:
            now = self._clock()
            moment = max(self._next, now)
            self._next = moment + self._interval
        if moment > now:
            self._sleep(moment - now)

    def hold(self, seconds: float) -> None:
        """No moment before `seconds` from now: the service asked everyone to wait."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
