"""Holdouts: who is left out of an audience on purpose, so that its effect can be measured.

A member's place is drawn by a salted hash. Within a stratum the members are taken in the order of their hashes,
after those that were assigned before; the n-th is held out when n * share passes a whole number. So the share is
exact to one member in every stratum, the same inputs give the same draw, and a member who was assigned once keeps
the assignment. `warehouse.audience.holdouts` does the same in SQL; this is what it is tested against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor


def draw(salt: str, experiment: str, member: str) -> str:
    """The hash that orders members: hexadecimal SHA-256 of length-prefixed salt and experiment, and the member."""
    return hashlib.sha256(f"{len(salt)}:{salt}{len(experiment)}:{experiment}{member}".encode()).hexdigest()


def held_out(position: int, basis_points: int) -> bool:
    """Whether the member at a position (from 1) of a stratum is held out. 100 basis points are one percent."""
    return position * basis_points // 10_000 > (position - 1) * basis_points // 10_000


def assign(
    salt: str, experiment: str, basis_points: int, newcomers: Mapping[str, str], taken: Mapping[str, int]
) -> dict[str, bool]:
    """Assign members who have no assignment yet.

    :param newcomers: member to stratum.
    :param taken: how many members each stratum held before.
    """
    positions, assigned = dict(taken), dict[str, bool]()
    for member in sorted(newcomers, key=lambda each: draw(salt, experiment, each)):
        stratum = newcomers[member]
        positions[stratum] = positions.get(stratum, 0) + 1
        assigned[member] = held_out(positions[stratum], basis_points)
    return assigned


@dataclass(frozen=True, slots=True)
class Stratum:
    """Members of a stratum, and how many of them are held out."""

    name: str
    members: int
    held_out: int


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance check: ``worst`` is the stratum farthest from its share, in members."""

    ok: bool
    members: int
    held_out: int
    worst: str
    deviation: float


def balance(strata: Iterable[Stratum], basis_points: int, *, tolerance: float = 1.0) -> Balance:
    """Whether every stratum holds out its share, to `tolerance` members."""
    rows = list(strata)
    off = {row.name: abs(row.held_out - row.members * basis_points / 10_000) for row in rows}
    worst = max(off, key=lambda name: (off[name], name), default="")
    deviation = off.get(worst, 0.0)
    return Balance(
        deviation <= tolerance,
        sum(row.members for row in rows),
        sum(row.held_out for row in rows),
        worst,
        floor(deviation * 1000) / 1000,
    )
