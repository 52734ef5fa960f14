"""Which days of a stream have to be read: a day is done when it was read after its rows had settled."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """From `first` to `last`, both included."""

    first: date
    last: date

    def each(self) -> list[date]:
        """Day by day."""
        return [self.first + n * DAY for n in range((self.last - self.first).days + 1)]


def to_read(covered: Collection[date], first: date, today: date) -> list[Days]:
    """Ranges to read, oldest first: every day that is not covered, so far.

    :param covered: days that were read when they did not change any more.
    """
    return joined([day for day in Days(first, today).each() if day not in covered])


def settled(days: Days, today: date, lookback: timedelta) -> list[date]:
    """The days of a range that do not change any more."""
    return [day for day in days.each() if day + lookback < today]


def holes(covered: Collection[date], first: date) -> int:
    """Days that were passed over: a later one is covered."""
    inside = [day for day in covered if day >= first]
    return len(Days(first, max(inside)).each()) - len(set(inside)) if inside else 0


def joined(days: list[date]) -> list[Days]:
    """Sorted days as ranges."""
    ranges: list[Days] = []
    for day in days:
        if ranges and day - ranges[-1].last == DAY:
            ranges[-1] = Days(ranges[-1].first, day)
        else:
            ranges.append(Days(day, day))
    return ranges
