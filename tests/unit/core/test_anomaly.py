"""Verdicts on numbers, among them the published cases of two peers, made again from their parameters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_cio.core.watch.anomaly import Detector, Point, Season, bucket_of, judge, score

TODAY = datetime(2026, 3, 11, tzinfo=UTC)  # a Wednesday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def days(values: Callable[[int], float], count: int, *, last: datetime = TODAY - DAY, step: timedelta = DAY):
    """`count` points that end with `last`; `values` is asked by how many steps ago it was (0: the last)."""
    return [Point(last - ago * step, values(ago)) for ago in reversed(range(count))]


def fails(series: list[Point], detector: Detector, odd: set[datetime] = frozenset()) -> bool:  # type: ignore[assignment]
    return judge(series, detector, odd).verdict in {"warning", "critical"}


# Elementary's defaults: the classic z-score past 3, two weeks, no season, zero may be normal, no floor. What is tested
# there with `fail` and `pass` is here odd and not odd; a past that is too short is `learning` here.
ELEMENTARY = Detector(
    warning=3,
    critical=100,
    season="none",
    history=timedelta(days=14),
    min_history=7,
    small_pct=0,
    allow_zero=True,
    spread="sd",
)


@pytest.mark.parametrize("spread", ["sd", "mad"])
@pytest.mark.parametrize(
    ("name", "series", "changes", "odd"),
    [
        ("anomalyless", days(lambda ago: 1, 14), {}, False),
        ("full drop", days(lambda ago: 1 if ago else 0, 14), {}, True),
        ("where: all", days(lambda ago: 2 if ago else 6, 14), {}, True),
        ("where: karate", days(lambda ago: 1, 14), {}, False),
        ("where: ka-razy", days(lambda ago: 1 if ago else 5, 14), {}, True),
        ("hour missing", days(lambda ago: 1 if ago else 0, 48, step=HOUR), {"history": 2 * DAY}, True),
        ("spike asked, dropped", days(lambda ago: 1 if ago else 0, 14), {"direction": "spike"}, False),
        ("both, spiked", days(lambda ago: 1 if ago else 2, 14), {}, True),
        ("drop asked, spiked", days(lambda ago: 1 if ago else 2, 14), {"direction": "drop"}, False),
        ("sensitivity 3", days(lambda ago: 3 if not ago else 1 + (ago + 1) % 2, 14), {}, False),
        ("drop of 17 %, floor 5 %", days(lambda ago: 30 if ago else 25, 14), {"small_pct": 5}, True),
        ("drop of 3 %, no floor", days(lambda ago: 30 if ago else 29, 14), {}, True),
        ("drop of 3 %, floor 5 %", days(lambda ago: 30 if ago else 29, 14), {"small_pct": 5}, False),
        ("spike of 17 %, floor 5 %", days(lambda ago: 30 if ago else 35, 14), {"small_pct": 5}, True),
        ("spike of 3 %, no floor", days(lambda ago: 30 if ago else 31, 14), {}, True),
        ("spike of 3 %, floor 5 %", days(lambda ago: 30 if ago else 31, 14), {"small_pct": 5}, False),
        ("drop of 53 %, floor 50 %", days(lambda ago: 30 if ago else 14, 14), {"small_pct": 50}, True),
        ("zero may be", days(lambda ago: 1 if ago else 0, 14), {"warning": 1000, "small_pct": 1000}, False),
        ("fail on zero", days(lambda ago: 1 if ago else 0, 14), {"small_pct": 1000, "allow_zero": False}, True),
        ("column sum", days(lambda ago: 1 if ago else 10, 14), {}, True),
        (
            "five times, a week long",
            days(lambda ago: 500 if ago < 7 else 100, 37),
            {"history": 37 * DAY, "detection": 7 * DAY},
            True,
        ),
        (
            "slow week, not learned from",  # longest gap between updates, in hours
            days(lambda ago: 24 if ago < 7 else 2, 14),
            {"direction": "spike", "min_history": 3, "detection": 7 * DAY},
            True,
        ),
    ],
)  # fmt: skip
def test_elementary_volume_and_freshness(name, series, changes, odd, spread):
    assert fails(series, replace(ELEMENTARY, spread=spread, **changes)) is odd


def test_elementary_sensitivity_of_two():
    series = days(lambda ago: 3 if not ago else 1 + (ago + 1) % 2, 14)
    assert fails(series, replace(ELEMENTARY, warning=2))


def test_elementary_without_a_timestamp_learns_from_its_runs():
    detector = replace(ELEMENTARY, min_history=4, warning=1.25)
    verdicts = [judge(days(lambda _: 1, count), detector).verdict for count in range(1, 5)]
    assert verdicts == ["learning"] * 4
    assert fails(days(lambda ago: 1 if ago else 2, 5), detector)


def test_elementary_seasonality():
    weekly = days(lambda ago: 0 if ago % 7 or not ago else 1, 7 * 14)
    assert not fails(weekly, ELEMENTARY)
    seasonal = replace(ELEMENTARY, season="day_of_week", history=14 * 7 * DAY)
    assert fails(weekly, seasonal)
    assert fails(days(lambda ago: (ago + 1) % 7 if ago else 2, 7 * 14), seasonal)


@pytest.mark.parametrize(
    ("odd_days", "history"),
    [({2, 4}, 14), ({3, 4, 5}, 30), (set(range(14, 30)), 30)],
    ids=["two dates", "after and before", "before"],
)
def test_elementary_excluded_dates(odd_days, history):
    """Known anomalies hide the next one, unless they are not learned from."""
    detector = replace(ELEMENTARY, history=history * DAY)
    series = days(lambda ago: 10 if not ago or ago in odd_days else 1, 30)
    known = {point.at for ago, point in enumerate(reversed(series)) if ago in odd_days}
    assert not fails(series, detector)
    assert judge(series, detector, known=known).verdict == "critical"


# re_data publishes value, average and standard deviation of the last window of its sample tables, and which of them are
# odd: classic past 0.5, modified past 0.6, both with the judged value among the past.
RE_DATA = [
    ((200, 205), 205, 0.7071),
    ((107, 98), 98, -0.7071),
    ((41308, 41065), 41065, -0.7071),
    ((127.5, 142.5), 142.5, 0.7071),
    ((3, 4), 4, 0.7071),
    ((1, 0), 0, -0.7071),
    ((180.75, 180.75), 180.75, 0),
    ((0, 0), 0, 0),
]


@pytest.mark.parametrize(("values", "last", "z"), RE_DATA)
def test_re_data_scores(values, last, z):
    assert score(last, values, "sd") == pytest.approx(z, abs=1e-4)
    modified = score(last, values)
    assert abs(modified) == pytest.approx(0.6745 if z else 0)
    assert (abs(modified) > 0.6) is (abs(z) > 0.5)


def test_a_past_without_median_deviation_uses_the_mean_one():
    assert score(10, [1] * 9 + [2]) == pytest.approx(9 / (1.253314 * 0.1))
    assert score(1, [1, 1, 1]) == 0
    assert score(2, [1, 1, 1]) == float("inf")


def test_a_week_is_needed_before_a_season_is_judged_and_zero_is_none_of_it():
    detector = Detector()
    weekday = lambda ago: 50 if (TODAY - (ago + 1) * DAY).weekday() >= 5 else 100  # noqa: E731
    for count in range(2, 8):
        assert judge(days(weekday, count), detector).verdict == "learning"
    for count in range(8, 120):  # the second weekend is not odd, although most days are twice as large
        for shift in range(7):
            series = days(weekday, count + shift)
            assert judge(series, detector).verdict == "ok", (count, shift)
    for count in (1, 3, 30):
        assert judge([*days(weekday, count)[:-1], Point(TODAY, 0)], detector).verdict == "critical"


def test_the_limits_are_those_of_the_verdict():
    series = days(lambda ago: 100 + ago % 3, 60)
    found = judge(series, Detector())
    assert found.low is not None
    assert found.high is not None
    for value in (found.low, found.high):
        assert judge([*series[:-1], Point(series[-1].at, value)], Detector()).verdict == "ok"
    for value in (found.low * 0.999, found.high * 1.001):
        assert judge([*series[:-1], Point(series[-1].at, value)], Detector()).verdict == "warning"


def test_a_new_level_is_learned_after_a_week_of_alarms():
    detector = Detector(season="none", relearn_after=timedelta(days=6))
    odd: set[datetime] = set()
    verdicts = []
    for ago in reversed(range(12)):
        series = days(lambda back, ago=ago: 300 if back + ago < 12 else 100, 40, last=TODAY - ago * DAY)
        verdict = judge(series, detector, odd).verdict
        if verdict != "ok":
            odd.add(series[-1].at)
        verdicts.append(verdict)
    assert verdicts == ["critical"] * 7 + ["ok"] * 5


@pytest.mark.parametrize(
    ("season", "bucket"), [("none", 0), ("day_of_week", 2), ("hour_of_day", 13), ("hour_of_week", 61)]
)
def test_buckets(season: Season, bucket: int):
    assert bucket_of(TODAY.replace(hour=13), season) == bucket


def test_a_year_of_labelled_incidents(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "bench"))
    import anomalies

    monkeypatch.delitem(sys.modules, "anomalies")
    total = anomalies.Tally()
    for kind in anomalies.KINDS:
        if kind.hours == 24:
            total.add(anomalies.measure(kind, seed=0))
    assert total.found + total.missed > 70
    assert total.precision >= 0.9
    assert total.recall >= 0.9
    assert total.early_found == total.early >= 5
