"""Guards: limits that a plan must keep before anything of it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_cio.core.contract import Guards
from airflow_provider_cio.core.report import PlanCounts


@dataclass(frozen=True, slots=True)
class GuardResult:
    """One guard's answer. ``measured`` and ``limit`` are rows or percent, as ``name`` says."""

    name: str
    ok: bool
    measured: float
    limit: float
    message: str


SMALL = 100
"""Sources of fewer rows may double and halve."""


def evaluate(guards: Guards, counts: PlanCounts, last_rows: int | None = None) -> list[GuardResult]:
    """Every guard that is set, in the order of the contract.

    `last_rows`: how many the source held at the last run that was carried out.

    Change and exit are shares of the rows tracked before, so a first sync measures 0 %;
    ``max_unidentified_pct`` is a share of the source rows.
    """
    results = [_at_least("min_rows", counts.source_rows, guards.min_rows)]
    large = last_rows is not None and last_rows >= SMALL
    upper_limits = (
        (
            "max_change_pct",
            _share(counts.changed, counts.tracked),
            guards.max_change_pct,
            "% of tracked rows changed",
        ),
        (
            "max_exit_pct",
            _share(counts.exited, counts.tracked),
            guards.max_exit_pct,
            "% of tracked rows left",
        ),
        (
            "max_drop_pct",
            _share((last_rows or 0) - counts.source_rows, last_rows or 0) if large else 0.0,
            guards.max_drop_pct,
            "% fewer source rows than at the last run",
        ),
        (
            "max_growth_pct",
            _share(counts.source_rows - (last_rows or 0), last_rows or 0) if large else 0.0,
            guards.max_growth_pct,
            "% more source rows than at the last run",
        ),
        ("max_added", counts.added, guards.max_added, " rows are new"),
        (
            "max_unidentified_pct",
            _share(counts.unidentified, counts.source_rows),
            guards.max_unidentified_pct,
            "% of source rows are withheld by findings",
        ),
    )
    results += [
        _at_most(name, measured, limit, what)
        for name, measured, limit, what in upper_limits
        if limit is not None
    ]
    return results


def _share(part: int, whole: int) -> float:
    return max(0.0, 100.0 * part / whole) if whole else 0.0


def _at_least(name: str, measured: int, limit: int) -> GuardResult:
    ok = measured >= limit
    return GuardResult(
        name, ok, measured, limit, f"{measured:,} source rows, {'' if ok else 'fewer than '}{name} {limit:,}"
    )


def _at_most(name: str, measured: float, limit: float, what: str) -> GuardResult:
    ok = measured <= limit
    return GuardResult(
        name, ok, measured, limit, f"{measured:,.4g}{what}, {'within' if ok else 'over'} {name} {limit:,g}"
    )
