"""Counts by day: the App API gives arrays without timestamps, and the begins of the days are rebuilt here.

Campaigns are asked for from one UTC midnight to another, in UTC. Everything else shows its last days in EST, the
running one included; EST is taken as UTC-5 all year round, as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.core.coverage import DAY, Days
from airflow_provider_cio.engine.reporting.context import seconds
from airflow_provider_cio.engine.reporting.flow import flow

Row = dict[str, Any]
Asked = dict[str, str | int]
Clock = Callable[[], datetime]
Reader = Callable[[AppClient, list[Days], Clock], Iterator[Row]]
EST = timezone(timedelta(hours=-5))
MOST_DAYS = 45
"""That Customer.io shows without a start."""
PARENTS = (
    ("campaigns", "campaign", "campaigns", None),
    ("broadcasts", "broadcast", "broadcasts", None),
    ("newsletters", "newsletter", "newsletters", 100),
    ("transactional", "transactional", "messages", None),
)
"""Path, our name, key of the list, size of its pages."""
Parent = tuple[str, str, int]


def _parents(app: AppClient) -> list[Parent]:
    return [
        (path, name, int(row["id"]))
        for path, name, key, limit in PARENTS
        for row in app.listing(f"/v1/{path}", key, limit)
    ]


def _series(app: AppClient, ranges: list[Days], clock: Clock) -> Iterator[Row]:
    def of(parent: Parent) -> Iterator[Row]:
        path, name, number = parent
        url, own = f"/v1/{path}/{number}/metrics", {"parent_type": name, "parent_id": number}
        if name == "campaign":
            for days in ranges:
                start, end = seconds(days.first), seconds(days.last + DAY) - 1
                asked: Asked = {"version": 2, "res": "days", "tz": "Etc/UTC", "start": start, "end": end}
                series = app.answer(url, asked).get("metric", {}).get("series", {})
                begins = [datetime.fromtimestamp(start, UTC) + n * DAY for n in range(_length(series))]
                yield from _rows(series, begins, {**own, "time_zone": "Etc/UTC"})
        elif _shown(ranges, clock):
            answer, today = _of_today(app, url, clock)
            series = answer.get("metric", {}).get("series", {})
            yield from _rows(series, last_days(_length(series), today), {**own, "time_zone": "EST"})

    yield from flow(of, _parents(app))


def _links(app: AppClient, ranges: list[Days], clock: Clock) -> Iterator[Row]:
    def of(parent: Parent) -> Iterator[Row]:
        path, name, number = parent
        answer, today = _of_today(app, f"/v1/{path}/{number}/metrics/links", clock)
        for each in answer.get("links") or []:
            series, link = each.get("metric", {}).get("series", {}), each.get("link", {})
            own = {
                "parent_type": name,
                "parent_id": number,
                "link_id": link.get("id"),
                "href": link.get("href"),
            }
            yield from _rows(series, last_days(_length(series), today), own)

    if _shown(ranges, clock):
        yield from flow(of, _parents(app))


def _journeys(app: AppClient, ranges: list[Days], clock: Clock) -> Iterator[Row]:
    def of(campaign: int) -> Iterator[Row]:
        for days in ranges:
            first = datetime(days.first.year, days.first.month, days.first.day, tzinfo=EST)
            end = min(first + len(days.each()) * DAY, clock()) - timedelta(seconds=1)
            if end < first:
                continue
            asked: Asked = {"res": "days", "start": int(first.timestamp()), "end": int(end.timestamp())}
            answer = app.answer(f"/v1/campaigns/{campaign}/journey_metrics", asked).get("journey_metric", {})
            yield from _rows(
                answer, [first + n * DAY for n in range(_length(answer))], {"campaign_id": campaign}
            )

    yield from flow(of, [int(row["id"]) for row in app.campaigns()])


READERS: dict[str, Reader] = {
    "series_metrics": _series,
    "link_metrics": _links,
    "journey_metrics": _journeys,
}


def last_days(count: int, today: date) -> list[datetime]:
    """Begins of the last days in EST, the oldest first, the running one last."""
    last = datetime(today.year, today.month, today.day, tzinfo=EST)
    return [last - (count - 1 - n) * DAY for n in range(count)]


def _of_today(app: AppClient, url: str, clock: Clock) -> tuple[Row, date]:
    """An answer, and the day in EST that its last element stands for: asked again when midnight came between."""
    while True:
        before = clock().astimezone(EST).date()
        answer = app.answer(url, {"period": "days", "steps": MOST_DAYS})
        if clock().astimezone(EST).date() == before:
            return answer, before


def _shown(ranges: list[Days], clock: Clock) -> bool:
    """Whether any day of the ranges is among the last that Customer.io shows."""
    return any(days.last > clock().date() - MOST_DAYS * DAY for days in ranges)


def _length(series: Row) -> int:
    return max((len(counts) for counts in series.values()), default=0)


def _rows(series: Row, begins: list[datetime], own: Row) -> Iterator[Row]:
    """A row a day; shorter arrays end with the same day as the longest."""
    for n, begin in enumerate(begins):
        counts = {
            _column(name): values[n - len(begins)]
            for name, values in series.items()
            if len(values) >= len(begins) - n
        }
        yield {**own, "bucket_start": int(begin.timestamp()), **counts}


def _column(name: str) -> str:
    return f"http_{name}" if name[0].isdigit() else name
