"""The rate that the threads of one client share: a budget of requests, and of items, a second."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

HEADROOM = 0.99
"""Share of a rate that is used: what is sent evenly does not arrive evenly, and a hard limit counts arrivals."""

_CUT, _CUT_WHILE_FAST = 0.9, 0.75
_GROSS = 0.75
"""A service that took less than this share of the last second was overshot grossly: go down to what it took."""
_GROSS_PAUSE_SECONDS = 0.5
_PATIENCE_SECONDS = 0.3
"""429s of one overshoot arrive together: they are one piece of news."""
_CATCH_UP_SECONDS = 0.1
"""How much time is saved up: threads that woke late make up for it."""
_STEP = 0.02
_LEAST = 0.02


class RateBudget:
    """Hands out evenly spaced moments.

    On a busy machine threads wake late, which is made up for: a tenth of a second is saved up, no more. No second
    ever holds more than the rate, so that a hard limit is not touched.

    A 429 cuts the rate by a tenth; afterwards it grows by 2 % a second, up to `rate`, or up to `probe_to`:
    then it doubles every second until the first 429, to find a limit that nobody knows, and a 429 that comes far
    above the limit cuts the rate to what the service took in the last second.

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
        self._fast = self._probing = probe_to is not None
        self._clock = clock
        self._sleep = sleep
        self._next = self._grown = clock()
        self._cut_at = float("-inf")
        self._left: deque[tuple[float, float]] = deque()
        self._left_weight = 0.0
        self._refused: deque[float] = deque()
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
        """Wait for the moment of a request of so many items. Threads queue."""
        weight = self._weight(items)
        with self._turn:
            with self._lock:
                now = self._clock()
                self._grow(now)
                due = self._next
                moment = max(due, self._room(weight), now)
            if moment > now:
                self._sleep(moment - now)
            with self._lock:
                left = max(moment, self._clock())
                self._left.append((left, weight))
                self._left_weight += weight
                following = max(due, left - _CATCH_UP_SECONDS) + weight / (self._rate * HEADROOM)
                self._next = max(self._next, following)

    def _room(self, weight: float) -> float:
        """From when on a request fits into the last second, or a little more: what is then in it is within the rate."""
        most = max(math.ceil(self._rate), 2 * weight)
        window = most / (self._rate * HEADROOM)
        free = float("-inf")
        while self._left and self._left_weight + weight > most:
            moment, of_it = self._left.popleft()
            self._left_weight -= of_it
            free = moment + window
        return free

    def _weight(self, items: int) -> float:
        return 1.0 if self._items_per_request is None else max(1.0, items / self._items_per_request)

    def limited(self, wait: float = 0.0) -> None:
        """The service answered 429: go slower, and start nothing for `wait` seconds."""
        with self._lock:
            now = self._clock()
            self._refused.append(now)
            if now - self._cut_at >= _PATIENCE_SECONDS:
                self._grow(now)
                cut = _CUT_WHILE_FAST if self._fast else _CUT
                taken = self._taken(now) if self._probing else self._rate
                if taken < _GROSS * self._rate:
                    cut = max(taken / self._rate, 1 / 2)
                    wait = max(wait, _GROSS_PAUSE_SECONDS)
                self._rate = max(self._share * _LEAST, self._rate * cut)
                self._cut_at, self._fast = now, False
            self._next = max(self._next, now + wait)

    def _taken(self, now: float) -> float:
        """What the service took of the last second's requests."""
        while self._refused and now - self._refused[0] >= 1:
            self._refused.popleft()
        return sum(weight for moment, weight in self._left if now - moment < 1) - len(self._refused)

    def _grow(self, now: float) -> None:
        seconds, self._grown = now - self._grown, now
        if self._fast:
            self._rate = min(self._top, self._rate * 2**seconds)
        else:
            step = _STEP * max(self._rate, self._share / 10)
            self._rate = min(self._top, self._rate + step * seconds)
