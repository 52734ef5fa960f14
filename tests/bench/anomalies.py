"""A seeded year of series with labelled incidents: how many are found, and how many alarms are false.

Eight kinds of series as they come out of syncs: daily and hourly, with weeks, growth, quiet nights, shares and flat
ones, and a known Black Friday. Incidents: stops (zero), collapses, surges and changed shares, the first of them in the
second week. An incident is found when one of its points is odd; an alarm is false when it begins outside of incidents.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from airflow_provider_cio.core.watch.anomaly import Detector, Point, judge

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 365
BLACK_FRIDAY = range(325, 329)


@dataclass(frozen=True)
class Incident:
    """From day `start` for `days` days the number is `factor` times what it would have been."""

    start: int
    days: int
    factor: float


@dataclass(frozen=True)
class Kind:
    """A series: its usual number at a moment, how much it varies, and how it is judged."""

    name: str
    usual: Callable[[datetime, float], float]
    noise: float
    detector: Detector
    hours: int = 24
    whole: bool = True


def _week(at: datetime) -> float:
    return (1.0, 0.95, 0.97, 1.0, 1.15, 1.4, 1.25)[at.weekday()]


def _day(at: datetime) -> float:
    return 0.08 + max(0.0, math.sin((at.hour - 6) / 18 * math.pi)) if at.hour >= 6 else 0.08


DAILY, HOURLY = Detector(), Detector(season="hour_of_week", small_pct=20, small=20)
MONTH = replace(DAILY, season="none", history=timedelta(days=28))
REFUSED = replace(DAILY, direction="spike", small=0.75, allow_zero=True)
KINDS = (
    Kind("orders a day", lambda at, year: 1200 * _week(at) * (1 + 0.5 * year), 0.06, DAILY),
    Kind("orders an hour", lambda at, year: 300 * _week(at) * _day(at), 0.08, HOURLY, hours=1),
    Kind("customers", lambda _, year: 40_000 * (1 + 0.6 * year), 0.002, MONTH),
    Kind("flat reference", lambda *_: 250, 0.0, replace(DAILY, season="none")),
    Kind("refunds a day", lambda at, _: 40 * _week(at), 0.16, replace(DAILY, small=15)),
    Kind("match rate", lambda *_: 62.0, 0.02, replace(DAILY, direction="drop", small_pct=5), whole=False),
    Kind("reject rate", lambda *_: 0.4, 0.35, REFUSED, whole=False),
    Kind("identified share", lambda *_: 97.0, 0.004, replace(DAILY, direction="drop", small_pct=2), whole=False),
)  # fmt: skip


def incidents(kind: Kind, chance: random.Random) -> list[Incident]:
    """A dozen a year, a fortnight and more apart, the first in the second week."""
    made: list[Incident] = []
    day = chance.randint(9, 13)
    while day < DAYS - 10:
        if not any(abs(day - each) < 12 for each in BLACK_FRIDAY):
            made.append(_incident(kind, day, chance, early=not made))
        day += chance.randint(18, 34)
    return made


def _incident(kind: Kind, day: int, chance: random.Random, *, early: bool) -> Incident:
    days = chance.randint(1, 3)
    if kind.detector.direction == "spike":
        return Incident(day, days, chance.uniform(6, 15))
    if kind.detector.direction == "drop":
        return Incident(day, days, chance.uniform(0.4, 0.85))
    if early or chance.random() < 0.3:
        return Incident(day, days, 0.0)
    return Incident(day, days, chance.choice([chance.uniform(0.05, 0.5), chance.uniform(1.9, 4.0)]))


def series(
    kind: Kind, found: list[Incident], chance: random.Random
) -> Iterator[tuple[Point, Incident | None]]:
    """A year of points, each with the incident that it belongs to."""
    for step in range(DAYS * 24 // kind.hours):
        at = START + timedelta(hours=step * kind.hours)
        day = (at - START).days
        incident = next((each for each in found if each.start <= day < each.start + each.days), None)
        value = kind.usual(at, day / DAYS) * math.exp(chance.gauss(0, kind.noise))
        if day in BLACK_FRIDAY and kind.detector.direction == "both" and kind.noise > 0.01:
            value *= 2.5
        if incident:
            value *= incident.factor
        yield Point(at, round(value) if kind.whole else value), incident


@dataclass
class Tally:
    """Incidents found and missed, false alarms, and incidents of the first four weeks."""

    found: int = 0
    missed: int = 0
    false: int = 0
    early_found: int = 0
    early: int = 0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.false) if self.found + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    def add(self, other: Tally) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def measure(kind: Kind, seed: int) -> Tally:
    """Judge each point when it is the newest; Black Friday is known beforehand. An alarm that lasts is one alarm."""
    chance = random.Random(f"{kind.name} {seed}")
    labelled = incidents(kind, chance)
    points: list[Point] = []
    odd: set[datetime] = set()
    known: set[datetime] = set()
    hit: set[Incident] = set()
    tally, alarmed = Tally(), False
    for point, incident in series(kind, labelled, chance):
        points.append(point)
        if (point.at - START).days in BLACK_FRIDAY:
            known.add(point.at)
            continue
        kept = points[-1400:]
        verdict = judge(kept, kind.detector, odd, known).verdict
        alarm = verdict in {"warning", "critical"}
        if alarm:
            odd.add(point.at)
            if incident:
                hit.add(incident)
            elif not alarmed:
                tally.false += 1
        alarmed = alarm
    tally.found, tally.missed = len(hit), len(labelled) - len(hit)
    early = [each for each in labelled if each.start < 28]
    tally.early, tally.early_found = len(early), sum(each in hit for each in early)
    return tally


def main(seeds: int = 3) -> None:
    """A line for each kind of series, and the whole."""
    total = Tally()
    _line("series", "incidents", "found", "false", "precision", "recall", "first weeks")
    for kind in KINDS:
        tally = Tally()
        for seed in range(seeds):
            tally.add(measure(kind, seed))
        total.add(tally)
        _tell(kind.name, tally)
    _tell("all", total)


def _tell(name: str, tally: Tally) -> None:
    incidents = tally.found + tally.missed
    shares = (f"{tally.precision:.3f}", f"{tally.recall:.3f}", f"{tally.early_found} of {tally.early}")
    _line(name, incidents, tally.found, tally.false, *shares)


def _line(name: str, *cells: object) -> None:
    print(f"{name:<18}" + "".join(f"{cell!s:>12}" for cell in cells), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
