"""Small plots as inline SVG. Colours come from the page's style sheet, so that one drawing serves light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup, escape

from airflow_provider_cio.core.snapshot import Day

WIDTH, HEIGHT = 720, 170
_LEFT, _BOTTOM, _TOP = 52, 22, 8


@dataclass(frozen=True)
class Point:
    """A value at a place on the x axis, with what a pointer over it says."""

    label: str
    value: float
    title: str


def spark(values: Sequence[int], what: str) -> Markup:
    """A line without axes, for a table's cell."""
    if len(values) < 2:
        return Markup("")
    top = max(values) or 1
    step = 96 / (len(values) - 1)
    points = " ".join(f"{2 + n * step:.1f},{20 - 16 * value / top:.1f}" for n, value in enumerate(values))
    return Markup(
        '<svg class="spark" viewBox="0 0 100 24" role="img" aria-label="{}"><polyline points="{}"/></svg>'
    ).format(f"{what}: from {values[0]:,} to {values[-1]:,}, at most {max(values):,}", points)


def days(found: Sequence[Day], count: int, until: date) -> Markup:
    """Rows by day, stacked: accepted, and not accepted; days without a run stay empty."""
    known, labels = {each.day: each for each in found}, _labels(count, until)
    shown = [(n, known[label]) for n, label in enumerate(labels) if label in known]
    top = _ceiling(max((_total(day) for _, day in shown), default=0))
    width = (WIDTH - _LEFT) / count
    drawn = []
    for n, day in shown:
        x, bad = _LEFT + n * width, day.rejected + day.unsent
        title = (
            f"{day.day}: {day.accepted:,} accepted, {day.rejected:,} rejected, {day.unsent:,} not sent, "
            f"{day.runs} runs"
        )
        drawn.append(
            Markup("<g><title>{}</title>{}{}{}</g>").format(
                title,
                _bar(x, width, 0, day.accepted, top, "good"),
                _bar(x, width, day.accepted, bad, top, "bad"),
                Markup('<circle class="bad" cx="{:.1f}" cy="{}" r="2.5"/>').format(
                    x + width / 2, HEIGHT - _BOTTOM - 4
                )
                if day.bad
                else "",
            )
        )
    total = sum(day.accepted for _, day in shown)
    return _frame(f"Rows accepted by day, {count} days, {total:,} in all", top, labels[0], labels[-1], drawn)


def by_day(found: Sequence[Day], count: int, until: date) -> list[int]:
    """Accepted rows of each day, 0 where nothing ran."""
    known = {each.day: each.accepted for each in found}
    return [known.get(label, 0) for label in _labels(count, until)]


def _labels(count: int, until: date) -> list[str]:
    return [(until - timedelta(days=back)).isoformat() for back in reversed(range(count))]


def line(points: Sequence[Point], what: str, *, limit: float | None = None, unit: str = "") -> Markup:
    """A line over measurements, oldest first, with a dashed limit."""
    if not points:
        return Markup("")
    top = _ceiling(max([point.value for point in points] + ([limit] if limit else [])))
    step = (WIDTH - _LEFT - 8) / max(len(points) - 1, 1)

    def place(n: int, value: float) -> tuple[float, float]:
        return _LEFT + n * step, _y(value, top)

    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(n, p.value) for n, p in enumerate(points)))
    drawn = [Markup('<polyline class="line" points="{}"/>').format(path)]
    if limit:
        y = _y(limit, top)
        drawn.append(
            Markup('<line class="limit" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(_LEFT, WIDTH, y, y)
        )
    for n, point in enumerate(points):
        x, y = place(n, point.value)
        kind = "bad" if limit and point.value > limit else "good"
        drawn.append(
            Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"><title>{}</title></circle>').format(
                kind, x, y, 3 if kind == "bad" or len(points) < 40 else 1.5, point.title
            )
        )
    label = f"{what}: from {points[0].title} to {points[-1].title}"
    return _frame(label, top, points[0].label, points[-1].label, drawn, unit)


def _frame(
    label: str, top: float, first: str, last: str, drawn: Sequence[Markup | str], unit: str = ""
) -> Markup:
    grid = Markup("").join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text x="{}" y="{:.1f}" class="y">{}</text>'
        ).format(
            _LEFT, WIDTH, _y(value, top), _y(value, top), _LEFT - 6, _y(value, top) + 4, _short(value) + unit
        )
        for value in (0, top / 2, top)
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}'
        '<text x="{}" y="{}">{}</text><text x="{}" y="{}" class="y">{}</text></svg>'
    ).format(
        WIDTH, HEIGHT, label, grid, Markup("").join(map(escape, drawn)),
        _LEFT, HEIGHT - 4, first, WIDTH, HEIGHT - 4, last,
    )  # fmt: skip


def _bar(x: float, width: float, below: float, value: float, top: float, kind: str) -> Markup:
    if not value:
        return Markup("")
    y = _y(below + value, top)
    tall = max(_y(below, top) - y, 1)
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1"/>').format(
        kind, x, y, max(width - 1.5, 1), tall
    )


def _total(day: Day) -> int:
    return day.accepted + day.rejected + day.unsent


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / top


def _ceiling(value: float) -> float:
    """The next round number: 1, 2, 4, 5 or 10 times a power of ten."""
    power = 1.0
    while power * 10 < value:
        power *= 10
    return next((power * step for step in (1, 2, 4, 5, 10) if power * step >= value), power)


def _short(value: float) -> str:
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
