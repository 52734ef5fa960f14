"""The rate that the threads of one client share: a budget of requests, and of items, a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HEADROOM = 0.99
"""Share of a rate that is used: what is sent evenly does not arrive evenly, and a hard limit counts arrivals."""

_CUT, _CUT_WHILE_FAST = 0.9, 0.75
_PATIENCE_SECONDS = 0.3
"""429s of one overshoot arrive together: they are one piece of news."""
_SLACK_SECONDS = 0.005
"""How late a request may leave without delaying the next: less than what `HEADROOM` leaves of a second."""
_STEP = 0.02
_LEAST = 0.02


class RateBudget:
    """Hands out evenly spaced moments: a bucket of one token, so that a hard limit is never touched by a burst.

    A 429 cuts the rate by a tenth; afterwards it grows by 2 % a second, up to `rate`, or up to `probe_to`:
    then it doubles every second until the first 429, to find a limit that nobody knows.

    :param rate: requests a second, over all threads of the task.
    :param items: items a second, for a service that counts them; None does not count them.
    :param probe_to: how far above `rate` to look for the limit; None never exceeds `rate`.
    """

    def __init__(
        self,
        rate: float,
        *,
        items: float | None = None,
        probe_to: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate <= 0 or (items is not None and items <= 0):
            raise ValueError("a rate limit is a positive number of requests, or of items, a second")
        self._share = self._rate = rate
        self._items_per_request = None if items is None else items / rate
        self._top = max(rate, probe_to or 0.0)
        self._fast = probe_to is not None
        self._clock = clock
        self._sleep = sleep
        self._next = self._grown = clock()
        self._cut_at = float("-inf")
        self._turn = threading.Lock()
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Requests a second, now."""
        return self._rate

    @property
    def item_rate(self) -> float | None:
        """Items a second, now; None where they are not counted."""
        return None if self._items_per_request is None else self._rate * self._items_per_request

    def acquire(self, items: int = 1) -> None:
        """Wait for the moment of a request of so many items.

        Threads queue, and the next moment counts from when this one really left: on a busy machine a thread wakes
        late, and what was reserved for it must not leave together with the next.
        """
        with self._turn:
            with self._lock:
                now = self._clock()
                self._grow(now)
                moment = max(self._next, now)
            if moment > now:
                self._sleep(moment - now)
            with self._lock:
                left = max(moment, self._clock() - _SLACK_SECONDS)
                self._next = max(self._next, left + self._weight(items) / (self._rate * HEADROOM))

    def _weight(self, items: int) -> float:
        return 1.0 if self._items_per_request is None else max(1.0, items / self._items_per_request)

    def limited(self, wait: float = 0.0) -> None:
        """The service answered 429: go slower, and start nothing for `wait` seconds."""
        with self._lock:
            now = self._clock()
            if now - self._cut_at >= _PATIENCE_SECONDS:
                self._grow(now)
                cut = _CUT_WHILE_FAST if self._fast else _CUT
                self._rate = max(self._share * _LEAST, self._rate * cut)
                self._cut_at, self._fast = now, False
            self._next = max(self._next, now + wait)

    def _grow(self, now: float) -> None:
        seconds, self._grown = now - self._grown, now
        if self._fast:
            self._rate = min(self._top, self._rate * 2**seconds)
        else:
            step = _STEP * max(self._rate, self._share / 10)
            self._rate = min(self._top, self._rate + step * seconds)
