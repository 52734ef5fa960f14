from __future__ import annotations

import math
import random
import threading

import pytest

from airflow_provider_cio.clients.rate import HEADROOM, RateBudget


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def budget(rate: float, clock: Clock, **options: float) -> RateBudget:
    return RateBudget(rate, clock=clock, sleep=clock.sleep, **options)


def test_requests_are_evenly_spaced_and_of_idle_time_a_tenth_of_a_second_is_saved_up() -> None:
    clock = Clock()
    made = budget(10 / HEADROOM, clock)
    moments = []
    for pause in (0, 0, 0, 5, 0, 0):
        clock.now += pause
        made.acquire()
        moments.append(round(clock.now - 100, 6))
    assert moments == [0, 0.1, 0.2, 5.2, 5.2, 5.3]


@pytest.mark.parametrize("rate", [1.5, 10, 50])
def test_who_wakes_late_makes_up_for_it_and_no_second_is_fuller_for_it(rate: float) -> None:
    clock, chance = Clock(), random.Random(1)
    made = RateBudget(
        rate, clock=clock, sleep=lambda seconds: clock.sleep(seconds + chance.choice([0, 0, 0.01, 0.05]))
    )
    moments = []
    for _ in range(600):
        made.acquire()
        moments.append(clock.now)
    busiest = max(sum(1 for later in moments if 0 <= later - moment < 1) for moment in moments)
    assert busiest <= math.ceil(rate)
    assert 599 / (moments[-1] - moments[0]) >= 0.93 * rate


def test_no_second_holds_more_than_the_rate() -> None:
    clock = Clock()
    made = budget(50, clock)
    moments = []
    for _ in range(500):
        made.acquire()
        moments.append(clock.now)
    busiest = max(sum(1 for later in moments if 0 <= later - moment < 1) for moment in moments)
    assert busiest == 50
    assert 500 / (moments[-1] - moments[0]) >= 0.98 * 50


@pytest.mark.parametrize(("items", "seconds"), [(1, 1.0), (10, 1.0), (1000, 10.0)])
def test_whichever_is_scarcer_counts_requests_or_items(items: int, seconds: float) -> None:
    clock = Clock()
    made = budget(10 / HEADROOM, clock, items=1000 / HEADROOM)
    for _ in range(11):
        made.acquire(items)
    assert clock.now - 100 == pytest.approx(seconds)


def test_everyone_waits_when_the_service_asks_for_it() -> None:
    clock = Clock()
    made = budget(10, clock)
    made.limited(30)
    made.acquire()
    assert clock.now == 130


def test_a_429_slows_down_once_and_the_rate_comes_back_to_what_is_allowed() -> None:
    clock = Clock()
    made = budget(100, clock)
    for _ in range(5):  # one overshoot
        made.limited()
    assert made.rate == pytest.approx(90)
    for _ in range(2000):
        made.acquire()
    assert made.rate == 100


def test_a_storm_does_not_stop_it_for_good() -> None:
    clock = Clock()
    made = budget(100, clock)
    for _ in range(500):
        clock.now += 1
        made.limited()
    assert made.rate == pytest.approx(2)
    clock.now += 600
    made.acquire()
    assert made.rate == 100


def test_probing_finds_a_limit_that_nobody_told() -> None:
    """A service that takes 200 a second, and a client that was told 50."""
    clock = Clock()
    made = budget(50, clock, probe_to=1000)
    recent: list[float] = []
    accepted = refused = 0
    while clock.now < 160:
        made.acquire()
        recent = [moment for moment in recent if clock.now - moment < 1]
        if len(recent) < 200:
            recent.append(clock.now)
            accepted += 1
        else:
            refused += 1
            made.limited()
    assert accepted >= 0.9 * 200 * 60
    assert refused <= 0.05 * (accepted + refused)


@pytest.mark.parametrize("told", [100, 400])
def test_a_guess_that_is_far_too_high_is_given_up_at_once(told: float) -> None:
    """A service that takes 50 a second."""
    clock = Clock()
    made = budget(told, clock, probe_to=1000)
    recent: list[float] = []
    accepted = refused = 0
    while clock.now < 120:
        made.acquire()
        recent = [moment for moment in recent if clock.now - moment < 1]
        if len(recent) < 50:
            recent.append(clock.now)
            accepted += 1
        else:
            refused += 1
            made.limited()
    assert accepted >= 0.9 * 50 * 20
    assert refused <= 0.05 * (accepted + refused)


def test_probing_ends_at_its_bound() -> None:
    clock = Clock()
    made = budget(50, clock, probe_to=300)
    for _ in range(5000):
        made.acquire()
    assert made.rate == 300


def test_threads_share_the_rate() -> None:
    """With a clock that stands still, the moments handed out are all different."""
    pauses: list[float] = []
    made = RateBudget(100 / HEADROOM, clock=lambda: 0.0, sleep=pauses.append)
    threads = [threading.Thread(target=lambda: [made.acquire() for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round(pause * 100) for pause in pauses) == list(range(1, 200))


@pytest.mark.parametrize(("rate", "items"), [(0, None), (-1, None), (10, 0)])
def test_no_rate_is_refused(rate: float, items: float | None) -> None:
    with pytest.raises(ValueError, match="positive"):
        RateBudget(rate, items=items)
