"""Whether a number is one that its own past lets expect: a robust, seasonal z-score.

A number is compared with the median of its season's bucket (the same day of the week, the same hour of the week).
Deviation is measured in robust standard deviations: by the median absolute deviation (MAD), by the mean absolute
deviation where that is 0, and where the past is flat by the relative change alone (Iglewicz and Hoaglin, "How to Detect
and Handle Outliers", 1993). What is judged, what is known to be odd, and what was found odd before is not learned from.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median, stdev
from typing import Literal, NamedTuple

from airflow_provider_cio.core.watch.alerting import Verdict

Season = Literal["none", "day_of_week", "hour_of_day", "hour_of_week"]
Direction = Literal["both", "spike", "drop"]
Spread = Literal["mad", "sd"]
FLAT_CRITICAL_PCT = 50.0
"""Against a flat past, a change is critical from here on."""


_CYCLE: dict[Season, timedelta] = {
    "none": timedelta(0),
    "hour_of_day": timedelta(days=1),
    "day_of_week": timedelta(weeks=1),
    "hour_of_week": timedelta(weeks=1),
}


class Point(NamedTuple):
    """One number, at one moment."""

    at: datetime
    value: float


@dataclass(frozen=True)
class Detector:
    """How to judge.

    :param warning: robust standard deviations from which a number is odd; `critical` likewise.
    :param season: what numbers are compared by.
    :param history: how far back is learned from.
    :param detection: the time before the judged number that is not learned from.
    :param min_history: numbers that a bucket needs. With fewer, all buckets together serve, once the whole season was
        seen, and then only what is outside of everything seen is odd; before that, the verdict is `learning`.
    :param small_pct: changes of less than so many percent are never odd; `small` likewise, absolute.
    :param allow_zero: whether 0 may be normal; otherwise it is critical, whatever the past.
    :param relearn_after: numbers that are odd without a break for so long are the new normal.
    :param spread: `mad` (robust), or `sd`, the classic z-score.
    """

    warning: float = 4.0
    critical: float = 8.0
    season: Season = "day_of_week"
    direction: Direction = "both"
    history: timedelta = timedelta(days=56)
    detection: timedelta = timedelta(0)
    min_history: int = 4
    small_pct: float = 10.0
    small: float = 0.0
    allow_zero: bool = False
    relearn_after: timedelta = timedelta(days=6)
    spread: Spread = "mad"


class Judgement(NamedTuple):
    """A verdict. `low` and `high`: between which numbers it is `ok` (None: no limit)."""

    verdict: Verdict
    low: float | None = None
    high: float | None = None
    z: float = 0.0
    learned_from: int = 0


def score(value: float, past: Sequence[float], spread: Spread = "mad") -> float:
    """How many standard deviations lie between a value and its past; infinite where the past is flat."""
    centre = fmean(past) if spread == "sd" else median(past)
    return _ratio(value - centre, _deviation([each - centre for each in past], spread))


def judge(
    series: Sequence[Point],
    detector: Detector,
    odd: Collection[datetime] = frozenset(),
    known: Collection[datetime] = frozenset(),
) -> Judgement:
    """The verdict on the newest point of a series (in order of time).

    :param odd: moments of points that were found odd: not learned from, unless they are the new normal.
    :param known: moments of points that are known to be odd: never learned from.
    """
    now = series[-1]
    began = now.at - detector.history
    past = [each for each in series[:-1] if began <= each.at <= now.at - detector.detection]
    past = [each for each in past if each.at not in known]
    past = _to_learn_from(past, odd, detector.relearn_after)
    if now.value == 0 and not detector.allow_zero and detector.direction != "spike":
        return Judgement("critical", low=math.ulp(0.0), z=-math.inf, learned_from=len(past))
    if len(past) < detector.min_history or now.at - past[0].at < _CYCLE[detector.season]:
        return Judgement("learning", learned_from=len(past))
    return _against(now, past, detector)


def bucket_of(moment: datetime, season: Season) -> int:
    """The part of the season that a moment belongs to."""
    match season:
        case "day_of_week":
            return moment.weekday()
        case "hour_of_day":
            return moment.hour
        case "hour_of_week":
            return moment.weekday() * 24 + moment.hour
        case _:
            return 0


def _to_learn_from(past: Sequence[Point], odd: Collection[datetime], relearn_after: timedelta) -> list[Point]:
    """What is not odd; from the last long stretch of odd numbers on, that stretch too and nothing before it."""
    began: datetime | None = None
    stretch: tuple[datetime, datetime] | None = None
    for each in past:
        began = (began or each.at) if each.at in odd else None
        if began is not None and each.at - began >= relearn_after:
            stretch = began, each.at
    if stretch is None:
        return [each for each in past if each.at not in odd]
    return [each for each in past if each.at >= stretch[0] and (each.at <= stretch[1] or each.at not in odd)]


def _against(now: Point, past: Sequence[Point], detector: Detector) -> Judgement:
    buckets: dict[int, list[float]] = defaultdict(list)
    for each in past:
        buckets[bucket_of(each.at, detector.season)].append(each.value)
    own = buckets.get(bucket_of(now.at, detector.season), [])
    seasonal = len(own) >= detector.min_history
    values = own if seasonal else [each.value for each in past]
    centre = fmean(values) if detector.spread == "sd" else median(values)
    deviation = _deviation([each - centre for each in values], detector.spread)
    if seasonal and detector.spread == "mad":
        deviation = max(deviation, _shared_deviation(buckets.values(), centre))
    if detector.spread == "mad":
        deviation *= 1 + 2 / len(
            values
        )  # a level known from few numbers is less sure, and they seem to vary less
    floor = max(detector.small, abs(centre) * detector.small_pct / 100)
    margin = max(detector.warning * deviation, floor)
    low, high = centre - margin, centre + margin
    if not seasonal and detector.season != "none":
        low, high = min(low, min(values) - floor), max(high, max(values) + floor)
    allowed_low = low if detector.direction != "spike" else None
    allowed_high = high if detector.direction != "drop" else None
    z = _ratio(now.value - centre, deviation)
    within = (allowed_low is None or now.value >= allowed_low) and (
        allowed_high is None or now.value <= allowed_high
    )
    verdict: Verdict = "ok" if within else _severity(now.value, centre, z, detector)
    return Judgement(verdict, allowed_low, allowed_high, z, len(values))


def _severity(value: float, centre: float, z: float, detector: Detector) -> Verdict:
    if math.isinf(z):
        change = 100 * abs(value - centre) / abs(centre) if centre else math.inf
        return "critical" if change >= FLAT_CRITICAL_PCT else "warning"
    return "critical" if abs(z) >= detector.critical else "warning"


def _deviation(around: Sequence[float], spread: Spread) -> float:
    """The standard deviation, or what the absolute deviations say of it; 0: the past is flat."""
    if spread == "sd":
        return stdev(around) if len(around) > 1 else 0.0
    mad = median(abs(each) for each in around)
    return mad / 0.6745 if mad else 1.253314 * fmean(abs(each) for each in around)


def _shared_deviation(buckets: Iterable[Sequence[float]], centre: float) -> float:
    """A bucket of few numbers knows its level, and hardly how much it varies. All together do, in proportion."""
    levels = [(median(bucket), bucket) for bucket in buckets if len(bucket) > 1]
    if any(level <= 0 for level, _ in levels):
        return _deviation([each - level for level, bucket in levels for each in bucket], "mad")
    return abs(centre) * _deviation([each / level - 1 for level, bucket in levels for each in bucket], "mad")


def _ratio(distance: float, deviation: float) -> float:
    if deviation:
        return distance / deviation
    return math.copysign(math.inf, distance) if distance else 0.0
