"""Columns made without a Python loop: identifiers, money, choices, local time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Times = NDArray[np.datetime64]

MONEY = pa.decimal128(12, 2)
TIME = pa.timestamp("us")
SHOP_ZONE = "Europe/London"
MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
HOUR = 3_600 * MICROSECONDS


def numbered(prefix: str, numbers: Integers, width: int = 8) -> pa.Array:
    """``prefix`` and a zero-padded number: sorts as it counts."""
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def joined(*parts: pa.Array | str) -> pa.Array:
    """Concatenation; null where a part is null."""
    return pc.binary_join_element_wise(*(pa.scalar(p) if isinstance(p, str) else p for p in parts), "")


def money(cents: Integers) -> pa.Array:
    """Exact DECIMAL(12,2) from cents (128-bit little-endian words, as Arrow stores decimals)."""
    words = np.empty((len(cents), 2), dtype=np.int64)
    words[:, 0] = cents
    words[:, 1] = np.where(cents < 0, -1, 0)
    return pa.Array.from_buffers(MONEY, len(cents), [None, pa.py_buffer(words)])


def cents_of(amounts: pa.Array) -> Integers:
    """The inverse of :func:`money` for amounts without nulls."""
    scaled = pc.multiply(amounts.cast(pa.decimal128(18, 2)), pa.scalar(100, pa.decimal128(3, 0)))
    return np.asarray(scaled.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def masked(values: pa.Array, null_where: Booleans) -> pa.Array:
    return pc.if_else(pa.array(null_where), pa.scalar(None, values.type), values)


def times(microseconds: Integers) -> pa.Array:
    return pa.array(microseconds).cast(TIME)


def pick(choices: list[str], indices: Integers) -> pa.Array:
    return pa.array(choices).take(pa.array(indices))


def choose(rng: np.random.Generator, size: int, weights: list[float]) -> Integers:
    """Index of a weighted choice, one per row."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(bounds / bounds[-1], rng.random(size), side="right")
    return np.minimum(found, len(weights) - 1).astype(np.int64)


def chance(rng: np.random.Generator, size: int, probability: float) -> Booleans:
    return np.asarray(rng.random(size) < probability)


def position_within(groups: Integers) -> Integers:
    """0, 1, 2, ... within each run of equal neighbours."""
    if not len(groups):
        return groups
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.repeat(starts, np.diff(np.r_[starts, len(groups)]))


def sum_by(groups: Integers, values: Integers, size: int) -> Integers:
    """Exact integer sums of ``values`` by group number."""
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, groups, values)
    return totals


@lru_cache(maxsize=8)
def _offsets(first_hour: int, last_hour: int) -> Integers:
    zone, epoch = ZoneInfo(SHOP_ZONE), datetime(1970, 1, 1, tzinfo=UTC)
    hours = (epoch + timedelta(hours=h) for h in range(first_hour, last_hour + 1))
    return np.asarray([int((h.astimezone(zone).utcoffset() or timedelta()).total_seconds()) for h in hours])


def shop_clock(utc_microseconds: Integers) -> Integers:
    """What the shop's clock on the wall showed: local time without a zone."""
    if not len(utc_microseconds):
        return utc_microseconds
    hours = utc_microseconds // HOUR
    first = int(hours.min()) // 8760 * 8760
    last = (int(hours.max()) // 8760 + 1) * 8760
    return utc_microseconds + _offsets(first, last)[hours - first] * MICROSECONDS
