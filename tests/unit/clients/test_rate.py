from __future__ import annotations

import threading

import pytest

from airflow_provider_cio.clients.rate import RateLimiter


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_requests_are_evenly_spaced_and_idle_time_is_not_saved_up() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock=clock, sleep=clock.sleep)
    moments = []
    for pause in (0, 0, 0, 5, 0):
        clock.now += pause
        limiter.acquire()
        moments.append(round(clock.now - 100, 6))
    assert moments == [0, 0.1, 0.2, 5.2, 5.3]


def test_everyone_waits_when_the_service_asks_for_it() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock=clock, sleep=clock.sleep)
    limiter.hold(30)
    limiter.acquire()
    assert clock.now == 130


def test_threads_share_the_rate() -> None:
    """With a clock that stands still, the moments handed out are all different."""
    pauses: list[float] = []
    limiter = RateLimiter(100, clock=lambda: 0.0, sleep=pauses.append)
    threads = [threading.Thread(target=lambda: [limiter.acquire() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round(pause * 100) for pause in pauses) == list(range(1, 200))


def test_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        RateLimiter(0)
