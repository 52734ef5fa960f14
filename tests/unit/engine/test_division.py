"""A stretch of time is divided completely, evenly among readers, and in few parts where little is found."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.engine.reporting.division import HOUR, Division, Part
from airflow_provider_cio.engine.reporting.messages import readers_for

DAY = 86_400


def divided(start: int, end: int, readers: int, rows: Callable[[Part], int]) -> list[Part]:
    """All parts, as readers take them who are equally fast."""
    division, parts = Division(start, end, readers), list[Part]()
    while True:
        taken = [part for _ in range(readers) if (part := division.take()) is not None]
        if not taken:
            return parts
        parts += taken
        for part in taken:
            division.done(part, rows(part))


@given(
    start=st.integers(0, 2_000_000_000),
    length=st.integers(1, 400 * DAY),
    readers=st.integers(1, 12),
    density=st.sampled_from([0.0, 1e-6, 0.01, 10.0]),
)
def test_every_second_is_in_exactly_one_part(start: int, length: int, readers: int, density: float) -> None:
    parts = divided(start, start + length - 1, readers, lambda part: int(density * (part.last - part.first)))
    parts.sort(key=lambda part: part.first)
    assert (parts[0].first, parts[-1].last) == (start, start + length - 1)
    assert all(one.last + 1 == following.first for one, following in pairwise(parts))
    assert all(part.first <= part.last for part in parts)


def test_parts_of_a_full_stretch_grow_shorter_and_hold_some_pages() -> None:
    def rows(part: Part) -> int:
        return (part.last - part.first + 1) // 5  # 1,037 pages

    parts = divided(0, 60 * DAY - 1, 12, rows)
    lengths = [rows(part) for part in parts]
    assert max(lengths) == lengths[0] == 1_036_800 // 12
    assert lengths[24] < lengths[0] / 2
    assert 24 < len(parts) < 60


@pytest.mark.parametrize("readers", [2, 12])
def test_no_part_is_most_of_the_rest_although_nothing_was_found(readers: int) -> None:
    division = Division(0, 60 * DAY - 1, readers)
    first = division.take()
    assert first is not None
    division.done(first, 0)
    second = division.take()
    assert second is not None
    assert second.last - second.first + 1 <= max(3 * (60 * DAY // readers), HOUR)
    assert len(divided(0, 60 * DAY - 1, readers, lambda _: 0)) < 5 * readers


@pytest.mark.parametrize(
    ("seconds", "rate", "readers"), [(0.001, 10, 5), (0.2, 10, 8), (0.5, 10, 12), (3, 10, 12), (0.2, 5, 6)]
)
def test_there_are_as_many_readers_as_slow_answers_need(seconds: float, rate: float, readers: int) -> None:
    assert readers_for(seconds, rate) == readers
