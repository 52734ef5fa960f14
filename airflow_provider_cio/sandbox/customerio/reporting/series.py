"""Counts by hour, day, week or month: metrics, clicks of links, journeys. Arrays without timestamps, oldest first.

Version 2 of a campaign's metrics goes from `start` to `end` in a time zone; everything else shows the last `steps`
periods in EST, the running one included.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio.answers import not_found, refused, whole
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

EST = timezone(timedelta(hours=-5))
MOST = {"hours": 24, "days": 45, "weeks": 12, "months": 121}
RESOLUTIONS = {name: name for name in MOST} | {
    "hourly": "hours",
    "daily": "days",
    "weekly": "weeks",
    "monthly": "months",
}
YEARS = 10 * 366 * 86_400
PARENTS = {
    "campaigns": "campaign",
    "broadcasts": "broadcast",
    "newsletters": "newsletter",
    "transactional": "transactional",
}
NAMES = (
    "attempted", "bounced", "clicked", "human_clicked", "prefetch_clicked", "converted", "created", "deferred",
    "delivered", "drafted", "failed", "opened", "human_opened", "prefetch_opened", "sent", "spammed", "suppressed",
    "undeliverable", "topic_unsubscribed", "unsubscribed", "2xx", "3xx", "4xx", "5xx",
)  # fmt: skip
FIRST = (
    "SELECT CASE metric WHEN 'dropped' THEN 'suppressed' ELSE metric END, min(at) FROM metrics"
    " JOIN deliveries ON deliveries.id = delivery WHERE {parent} = ? AND at <= ? {more} GROUP BY delivery, metric"
)
"""A delivery counts once for each metric, when it first occurred."""


def begin_of(moment: datetime, period: str) -> datetime:
    """Of the hour, day, week (from Sunday) or month that a moment lies in."""
    moment = moment.replace(minute=0, second=0, microsecond=0)
    if period == "hours":
        return moment
    moment = moment.replace(hour=0)
    if period == "weeks":
        return moment - timedelta(days=(moment.weekday() + 1) % 7)
    return moment.replace(day=1) if period == "months" else moment


def later(begin: datetime, period: str, n: int) -> datetime:
    """The begin of the n-th period after one."""
    if period == "months":
        month = begin.month - 1 + n
        return begin.replace(year=begin.year + month // 12, month=month % 12 + 1)
    if period == "hours":
        return (begin.astimezone(UTC) + timedelta(hours=n)).astimezone(begin.tzinfo)
    return begin + timedelta(**{period: n})


def recent(period: str, steps: int, now: int) -> list[int]:
    """Begins of the last periods in EST, as unix seconds."""
    last = begin_of(datetime.fromtimestamp(now, EST), period)
    return [int(later(last, period, n - steps + 1).timestamp()) for n in range(steps)]


def between(period: str, start: int, end: int, zone: tzinfo) -> list[int]:
    """Begins of the periods from the one that holds `start` to the one that holds `end`."""
    begin, begins, n = begin_of(datetime.fromtimestamp(start, zone), period), list[int](), 0
    while (at := int(later(begin, period, n).timestamp())) <= end:
        begins.append(at)
        n += 1
    return begins


async def metrics(request: Request) -> Response:
    """Of a campaign (version 1 or 2), broadcast, newsletter or transactional message."""
    workspace: Workspace = request.app.state.workspace
    parent, number = _parent(request)
    begins = _begins(request, workspace, versions=parent == "campaign")
    if isinstance(begins, Response):
        return begins
    if not _exists(workspace, parent, number):
        return not_found()
    series: dict[str, list[int]] = {name: [0] * len(begins) for name in NAMES}
    count = _counter(begins)
    now, db = workspace.now(), workspace.store.db
    for more, prefix in (("", ""), (_MACHINES, "prefetch_"), (f"AND NOT ({_MACHINES[4:]})", "human_")):
        for name, at in db.execute(FIRST.format(parent=parent, more=more), (number, now)):
            if not prefix or name in {"opened", "clicked"}:
                count(series[f"{prefix}{name}"], at)
    for (at,) in db.execute(
        f"SELECT created_at FROM deliveries WHERE {parent} = ? AND created_at <= ?", (number, now)
    ):
        count(series["created"], at)
    return JSONResponse({"metric": {"series": series}})


_MACHINES = "AND (data LIKE '%prefetched%' OR data LIKE '%machine%')"


async def links(request: Request) -> Response:
    """Clicks by link; `unique` counts a person once."""
    workspace: Workspace = request.app.state.workspace
    parent, number = _parent(request)
    begins = _begins(request, workspace, versions=False)
    if isinstance(begins, Response):
        return begins
    if not _exists(workspace, parent, number):
        return not_found()
    unique = request.query_params.get("unique", "").lower() == "true"
    what, group = ("min(at)", "GROUP BY cio, 1") if unique else ("at", "")
    found: dict[tuple[int, str], list[int]] = {}
    count = _counter(begins)
    for link, href, at in workspace.store.db.execute(
        f"SELECT json_extract(data, '$.link_id'), json_extract(data, '$.href'), {what} FROM metrics"
        f" JOIN deliveries ON deliveries.id = delivery WHERE {parent} = ? AND at <= ? AND metric = 'clicked' {group}",
        (number, workspace.now()),
    ):
        count(found.setdefault((link, href), [0] * len(begins)), at)
    listed = [
        {"link": {"id": link, "href": href}, "metric": {"series": {"clicked": series}}}
        for (link, href), series in sorted(found.items())
    ]
    return JSONResponse({"links": listed})


async def journeys(request: Request) -> Response:
    """Journeys by the period they started in, counted from `start`; filtered-out ones do not count."""
    workspace: Workspace = request.app.state.workspace
    period = _period(request.query_params.get("res"))
    start, end = (whole(request.query_params.get(name), 0) for name in ("start", "end"))
    if not period or not start or not end or end < start:
        return refused("start, end and res are required")
    campaign = whole(request.path_params["campaign_id"], 0)
    if not _exists(workspace, "campaign", campaign):
        return not_found()
    workspace.let_time_pass()
    begin = datetime.fromtimestamp(start, EST)
    begins = [start]
    while (at := int(later(begin, period, len(begins)).timestamp())) <= end:
        begins.append(at)
    names = ("started", "activated", "exited_early", "finished", "converted", "never_activated", "messaged")
    metric = {name: [0] * len(begins) for name in names}
    count, now = _counter(begins), workspace.now()
    rows = workspace.store.db.execute(
        "SELECT journeys.id, started_at, coalesce(max(metric = 'sent'), 0), coalesce(max(metric = 'converted'), 0),"
        " max(held_out.journey) FROM journeys LEFT JOIN deliveries ON deliveries.journey = journeys.id"
        " LEFT JOIN metrics ON delivery = deliveries.id AND at <= ?"
        " LEFT JOIN held_out ON held_out.journey = journeys.id"
        " WHERE journeys.campaign = ? AND started_at BETWEEN ? AND ? GROUP BY journeys.id",
        (now, campaign, start, min(end, now)),
    )
    for _, at, messaged, converted, held_out in rows:
        count(metric["started"], at)
        count(metric["activated"], at)
        done = {"messaged": messaged, "converted": converted, "finished": at + FINISHED <= now or held_out}
        for name in (name for name, is_so in done.items() if is_so):
            count(metric[name], at)
    return JSONResponse({"journey_metric": metric})


FINISHED = 86_400
"""Seconds from a journey's start to its last step."""


def _counter(begins: list[int]) -> Callable[[list[int], int], None]:
    def count(series: list[int], at: int) -> None:
        place = bisect_right(begins, at) - 1
        if place >= 0:
            series[place] += 1

    return count


def _begins(request: Request, workspace: Workspace, *, versions: bool) -> list[int] | Response:
    asked, now = request.query_params, workspace.now()
    if versions and asked.get("version") not in {"1", "2"}:
        return refused("version is 1 or 2")
    if not versions or asked["version"] == "1":
        period = asked.get("period", "days")
        if period not in MOST:
            return refused(f"period is one of {', '.join(MOST)}")
        steps = whole(asked.get("steps"), 12 if period == "months" else 0) or MOST[period]
        return recent(period, min(max(2, steps), MOST[period]), now)
    resolution = _period(asked.get("res", "days"))
    end = min(whole(asked.get("end"), now), now)
    start = whole(asked.get("start"), end - MOST["days"] * 86_400)
    if resolution is None or start > end or end - start > YEARS:
        return refused("res, start or end is wrong")
    try:
        return between(resolution, start, end, ZoneInfo(asked["tz"]) if "tz" in asked else EST)
    except (ZoneInfoNotFoundError, ValueError):
        return refused("tz is no region")


def _period(text: str | None) -> str | None:
    return RESOLUTIONS.get(text or "")


def _parent(request: Request) -> tuple[str, int]:
    parent = PARENTS[request.url.path.split("/")[2]]
    return parent, whole(next(iter(request.path_params.values())), 0)


def _exists(workspace: Workspace, parent: str, number: int) -> bool:
    table = parent if parent == "transactional" else f"{parent}s"
    row: Any = workspace.store.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (number,)).fetchone()
    return row is not None


ROUTES = [
    Route("/v1/campaigns/{campaign_id}/journey_metrics", journeys, methods=["GET"]),
    *(
        Route(f"/v1/{listed}/{{{parent}_id}}/metrics{more}", endpoint, methods=["GET"])
        for listed, parent in PARENTS.items()
        for more, endpoint in (("", metrics), ("/links", links))
    ),
]
