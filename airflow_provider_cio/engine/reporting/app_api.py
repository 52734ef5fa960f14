"""Read streams from the App API and from exports. Messages are loaded while more are read, other streams when whole."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.core.streams import Stream
from airflow_provider_cio.engine.reporting import activities, counts, lists, messages
from airflow_provider_cio.engine.reporting.canonical import Odd, from_json, schema_of
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport, seconds, windows
from airflow_provider_cio.engine.reporting.days import wanted
from airflow_provider_cio.engine.reporting.loading import loading, merge
from airflow_provider_cio.exceptions import MissingScopeError
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse import statements as sql

log = logging.getLogger(__name__)
MESSAGES = ("deliveries", "metrics")
LONGEST = timedelta(days=180)
"""Customer.io shows at most six months of messages at once."""
ROWS_AT_ONCE = 5000


def load(ctx: Reporting, streams: list[Stream], exports: list[int] | None) -> list[StreamReport]:
    """Streams that the key may not read are skipped, and do not keep the others back."""
    together = [stream for stream in streams if stream.name in MESSAGES]
    groups = [together, *([stream] for stream in streams if stream.name not in MESSAGES)]
    return [report for group in groups if group for report in _permitted(ctx, group, exports)]


def ask(ctx: Reporting, streams: list[Stream]) -> list[int]:
    """Ask for the exports that :func:`load` will need; their ids."""
    ranges = [window for days in wanted(ctx, streams)[0] for window in windows(days, LONGEST)]
    return messages.ask_exports(ctx.app_client, ranges)


def _permitted(ctx: Reporting, streams: list[Stream], exports: list[int] | None) -> list[StreamReport]:
    try:
        if streams[0].name in MESSAGES:
            return _messages(ctx, streams, exports)
        return [_rows(ctx, streams[0])]
    except MissingScopeError as error:
        log.warning("%s: skipped: %s", ", ".join(stream.name for stream in streams), error)
        return [StreamReport(stream.name, ctx.source, "skipped", message=str(error)) for stream in streams]


def _rows(ctx: Reporting, stream: Stream) -> StreamReport:
    """Lists, counts by day, and the activity log."""
    ranges, missing = list[Days](), 0
    read: Iterable[dict[str, Any]]
    if stream.name in lists.READERS:
        read = lists.READERS[stream.name](ctx.app_client)
    elif stream.name in counts.READERS:
        ranges, missing = wanted(ctx, [stream])
        read = counts.READERS[stream.name](ctx.app_client, ranges, ctx.clock)
    else:
        read = activities.read(ctx.app_client, _last_read(ctx, stream))
    files, odd, recency = raw.Files(ctx.bucket, stream, schema_of(stream)), Odd(), _recency(ctx)
    rows = iter(read)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        table, found = from_json(some, stream, recency)
        files.add(table)
        odd.add(found)
    merged = merge(ctx, stream, files, ranges)
    return StreamReport(stream.name, ctx.source, rows=merged.rows, new=merged.new, gap_days=missing, odd=odd)


def _last_read(ctx: Reporting, stream: Stream) -> int:
    """Unix second back to which a log is read: the last reading, and some more; never beyond the first day."""
    first = seconds(ctx.first if ctx.days is None else ctx.days.first)
    [(latest,)] = ctx.warehouse.fetch(
        f"SELECT MAX(recency) FROM {raw.raw_table(stream)} WHERE source = {sql.literal(ctx.source)}"
    )
    if latest is None or ctx.days is not None:
        return first
    return max(first, int(latest) // 1_000_000 - int(stream.lookback.total_seconds()))


def _messages(ctx: Reporting, streams: list[Stream], exports: list[int] | None) -> list[StreamReport]:
    ranges, missing = wanted(ctx, streams)
    with loading(ctx, streams) as arriving:
        for part in _parts(ctx, ranges, exports):
            arriving.add(part)
        reports = arriving.finish(ranges)
    return [replace(report, gap_days=missing) for report in reports]


def _parts(ctx: Reporting, ranges: list[Days], exports: list[int] | None) -> Iterator[messages.Rows]:
    app, recency = ctx.app_client, _recency(ctx)
    for export in exports or ():
        yield messages.from_export(app.export_content(export), recency)
    for days in ranges if exports is None else ():
        for start, end in windows(days, LONGEST):
            yield from messages.from_api(app, start, end, recency)


def _recency(ctx: Reporting) -> int:
    return int(ctx.clock().timestamp() * 1_000_000)
