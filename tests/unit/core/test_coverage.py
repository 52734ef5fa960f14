from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.coverage import Days, holes, joined, settled, to_read

FIRST, TODAY = date(2026, 1, 1), date(2026, 3, 1)
DAYS = st.sets(st.dates(date(2025, 12, 20), TODAY))


@given(DAYS)
def test_every_day_is_either_covered_or_read(covered: set[date]) -> None:
    read = {day for days in to_read(covered, FIRST, TODAY) for day in days.each()}
    wanted = set(Days(FIRST, TODAY).each())
    assert read == wanted - covered


@given(DAYS)
def test_ranges_neither_touch_nor_overlap(days: set[date]) -> None:
    ranges = joined(sorted(days))
    assert all(b.first - a.last > timedelta(days=1) for a, b in pairwise(ranges))


def test_a_day_that_may_still_change_is_not_done() -> None:
    days = Days(date(2026, 1, 20), TODAY)
    done = settled(days, TODAY, timedelta(days=30))
    assert (done[0], done[-1]) == (date(2026, 1, 20), date(2026, 1, 29))


def test_a_hole_is_a_day_that_was_passed_over() -> None:
    covered = set(Days(FIRST, date(2026, 1, 10)).each()) - {date(2026, 1, 4), date(2026, 1, 5)}
    assert holes(covered, FIRST) == 2
    assert holes(set(), FIRST) == 0
    assert to_read(covered, FIRST, date(2026, 1, 10)) == [Days(date(2026, 1, 4), date(2026, 1, 5))]
