"""Load streams by one route; each is a transaction of its own, and may be run any number of times."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from airflow_provider_cio.core.coverage import Days, holes, joined, settled, to_read
from airflow_provider_cio.core.streams import STREAMS, Stream
from airflow_provider_cio.engine.reporting import data_out, messages, webhooks
from airflow_provider_cio.engine.reporting.canonical import Odd, from_json, schema_of
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport, windows
from airflow_provider_cio.engine.reporting.lists import READERS
from airflow_provider_cio.engine.watch.measured import write_stream_metrics
from airflow_provider_cio.exceptions import ContractError, MissingScopeError
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.landing import (
    RAW,
    STAGING,
    Loaded,
    ensure_ledger,
    load_once,
    load_webhooks,
)
from airflow_provider_cio.warehouse.objects import Stored
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.shipped import render_sql
from airflow_provider_cio.warehouse.state import ensure_schema, table

log = logging.getLogger(__name__)
MESSAGES = ("deliveries", "metrics")
VIEWS = tuple(
    f"stg_customerio__{name}"
    for name in (
        "deliveries",
        "delivery_metrics",
        "campaigns",
        "campaign_actions",
        "people",
        "holdout_assignments",
    )
)
LONGEST = timedelta(days=180)
"""Customer.io shows at most six months of messages at once."""
FILES_AT_ONCE = 20
LATE = timedelta(days=10)
"""Webhooks are repeated for 7 days."""


def chosen(names: Iterable[str], source: str) -> list[Stream]:
    """
    :raises ContractError: a name is unknown, or the source does not have that stream.
    """
    found: list[Stream] = []
    for name in names:
        stream = STREAMS.get(name)
        if stream is None:
            raise ContractError(
                f"There is no stream '{name}'.", next_step=f"choose among {', '.join(STREAMS)}."
            )
        if source not in stream.sources:
            raise ContractError(
                f"Source '{source}' has no stream '{name}'.",
                next_step=f"use {' or '.join(stream.sources)} for it.",
            )
        found.append(stream)
    return found


def run(ctx: Reporting, streams: list[Stream], exports: list[int] | None = None) -> list[StreamReport]:
    """Load the streams.

    :param exports: ids of finished exports, for the source `export`; from :func:`ask`.
    """
    prepare(ctx)
    shown = [stream for stream in streams if stream.name in MESSAGES]
    rest = [stream for stream in streams if stream.name not in MESSAGES]
    reports: list[StreamReport] = []
    match ctx.source:
        case "app_api" | "export":
            reports += _permitted(ctx, shown, exports)
            for stream in rest:
                reports += _permitted(ctx, [stream], None)
        case "data_out":
            reports += [_files(ctx, stream) for stream in streams]
        case "webhooks":
            reports += _webhooks(ctx, streams)
    for report in reports:
        _note(ctx, report)
    return reports


def prepare(ctx: Reporting) -> None:
    """Create what is missing: our books, every stream's table, and the staging views over them."""
    ensure_ledger(ctx.warehouse)
    schema, landing = sql.identifier(ctx.warehouse.schema), sql.identifier(RAW)

    def make(session: Session) -> None:
        for name in ("reporting_runs", "reporting_days", "holdout_assignments", "metrics"):
            session.run(render_sql(f"ddl/{name}.sql", schema=schema))
        session.run(render_sql("raw/webhooks.sql", schema=landing))
        known = session.fetch(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = {sql.literal(RAW)}"
        )
        for stream in STREAMS.values():
            if (stream.name,) not in known:
                session.run(raw.create(stream))
                for comment in raw.describe(stream):
                    session.run(comment)
        ensure_schema(session, STAGING)
        for view in VIEWS:
            names = {"raw": landing, "schema": schema, "staging": sql.identifier(STAGING)}
            session.run(render_sql(f"reporting/{view}.sql", **names))

    ctx.warehouse.transaction(make)


def ask(ctx: Reporting, streams: list[Stream]) -> list[int]:
    """Ask for the exports that :func:`run` will need; their ids."""
    prepare(ctx)
    ranges = [window for days in _days(ctx, streams)[0] for window in windows(days, LONGEST)]
    return messages.ask_exports(ctx.app_client, ranges)


def _permitted(ctx: Reporting, streams: list[Stream], exports: list[int] | None) -> list[StreamReport]:
    """Streams that the key may not read are skipped, and do not keep the others back."""
    if not streams:
        return []
    try:
        if streams[0].name in MESSAGES:
            return _messages(ctx, streams, exports)
        return [_list(ctx, streams[0])]
    except MissingScopeError as error:
        log.warning("%s: skipped: %s", ", ".join(stream.name for stream in streams), error)
        return [StreamReport(stream.name, ctx.source, "skipped", message=str(error)) for stream in streams]


def _list(ctx: Reporting, stream: Stream) -> StreamReport:
    rows = list(READERS[stream.name](ctx.app_client))
    files, odd = raw.Files(ctx.bucket, stream, schema_of(stream)), Odd()
    if rows:
        table, odd = from_json(rows, stream, _recency(ctx))
        files.add(table)
    return _merge(ctx, stream, files, odd, [])


def _messages(ctx: Reporting, streams: list[Stream], exports: list[int] | None) -> list[StreamReport]:
    ranges, missing = _days(ctx, streams)
    files = {stream.name: raw.Files(ctx.bucket, stream, schema_of(stream)) for stream in streams}
    odd = {stream.name: Odd() for stream in streams}
    for part in _parts(ctx, ranges, exports):
        for name, (rows, found) in part.items():
            if name in files:
                files[name].add(rows)
                odd[name].add(found)
    reports = []
    for stream in streams:
        report = _merge(ctx, stream, files[stream.name], odd[stream.name], ranges)
        report.gap_days = missing
        reports.append(report)
    return reports


def _parts(ctx: Reporting, ranges: list[Days], exports: list[int] | None) -> Iterator[messages.Rows]:
    app, recency = ctx.app_client, _recency(ctx)
    for export in exports or ():
        yield messages.from_export(app.export_content(export), recency)
    for days in ranges if exports is None else ():
        for start, end in windows(days, LONGEST):
            yield from messages.from_api(app, start, end, recency)


def _files(ctx: Reporting, stream: Stream) -> StreamReport:
    """Files that were never loaded, some at a time, oldest first."""
    report = StreamReport(stream.name, ctx.source)
    listed = sorted(data_out.listed(ctx.file_bucket, stream), key=data_out.sequence)
    for first in range(0, len(listed), FILES_AT_ONCE):
        odd = Odd()

        def load(session: Session, fresh: list[Stored], odd: Odd = odd) -> Loaded:
            odd.clear()
            files = raw.Files(ctx.bucket, stream, schema_of(stream))
            for stored in fresh:
                rows, found = data_out.read(ctx.file_bucket, stored, stream)
                files.add(rows)
                odd.add(found)
            raw.stage(session, stream)
            raw.copy(session, ctx.bucket, files.manifest())
            merged = raw.merge(session, stream, ctx.source)
            return Loaded(len(fresh), merged.rows, merged.new)

        some = listed[first : first + FILES_AT_ONCE]
        loaded = load_once(ctx.warehouse, f"data_out/{stream.name}", some, load)
        report.rows += loaded.rows
        report.new += loaded.new
        report.odd.add(odd)
    return report


def _webhooks(ctx: Reporting, streams: list[Stream]) -> list[StreamReport]:
    since = (ctx.clock() - LATE).date() if ctx.days is None else ctx.days.first
    load_webhooks(ctx.warehouse, ctx.file_bucket, "reporting", max(since, ctx.first))
    reports = []
    for stream in streams:

        def work(session: Session, stream: Stream = stream) -> raw.Merged:
            raw.stage(session, stream)
            session.run(webhooks.select(stream, f"{since}"))
            return raw.merge(session, stream, ctx.source)

        merged = ctx.warehouse.transaction(work)
        reports.append(StreamReport(stream.name, ctx.source, rows=merged.rows, new=merged.new))
    return reports


def _merge(ctx: Reporting, stream: Stream, files: raw.Files, odd: Odd, ranges: list[Days]) -> StreamReport:
    """Rows and the days they cover, in one transaction."""
    manifest = files.manifest()

    def work(session: Session) -> raw.Merged:
        raw.stage(session, stream)
        raw.copy(session, ctx.bucket, manifest)
        merged = raw.merge(session, stream, ctx.source)
        _cover(ctx, session, stream, ranges)
        return merged

    merged = ctx.warehouse.transaction(work)
    return StreamReport(stream.name, ctx.source, rows=merged.rows, new=merged.new, odd=odd)


def _days(ctx: Reporting, streams: list[Stream]) -> tuple[list[Days], int]:
    """What to read for these streams together, and how many days were missed before."""
    if ctx.days is not None:
        return [ctx.days], 0
    today = ctx.clock().date()
    wanted: set[date] = set()
    missing = 0
    for stream in streams:
        rows = ctx.warehouse.fetch(
            f"SELECT DISTINCT covered_day FROM {table(ctx.warehouse.schema, 'reporting_days')} WHERE stream = "
            f"{sql.literal(stream.name)} AND source = {sql.literal(ctx.source)}"
        )
        covered = {row[0] for row in rows}
        missing = max(missing, holes(covered, ctx.first))
        for days in to_read(covered, ctx.first, today):
            wanted |= set(days.each())
    return joined(sorted(wanted)), missing


def _cover(ctx: Reporting, session: Session, stream: Stream, ranges: list[Days]) -> None:
    """Days whose rows have settled need not be read again."""
    today = ctx.clock().date()
    ledger = table(ctx.warehouse.schema, "reporting_days")
    name, source = sql.literal(stream.name), sql.literal(ctx.source)
    for days in ranges:
        done = settled(days, today, stream.lookback)
        if done:
            session.run(
                f"DELETE FROM {ledger} WHERE stream = {name} AND source = {source} "
                f"AND covered_day BETWEEN '{done[0]}' AND '{done[-1]}'"
            )
            values = ", ".join(f"({name}, {source}, '{day}', GETDATE())" for day in done)
            session.run(f"INSERT INTO {ledger} VALUES {values}")


def _note(ctx: Reporting, report: StreamReport) -> None:
    values = ", ".join(
        sql.literal(value)
        for value in (
            report.stream,
            report.source,
            ctx.run_id[:250],
            report.status,
            report.rows,
            report.new,
            report.gap_days,
            json.dumps(report.odd.to_dict())[:4000],
            report.message[:1000],
        )
    )
    measured: dict[str, float] = {
        "rows": report.rows,
        "new": report.new,
        "gap_days": report.gap_days,
        "odd_fields": sum(map(len, report.odd.to_dict().values())),
    }

    def write(session: Session) -> None:
        schema = ctx.warehouse.schema
        session.run(f"INSERT INTO {table(schema, 'reporting_runs')} VALUES ({values}, GETDATE())")
        if report.source == "webhooks":
            received = session.fetch(
                f"SELECT DATEDIFF(second, MAX(received_at), GETDATE()) FROM {table(RAW, 'webhooks')}"
            )
            if received[0][0] is not None:
                measured["newest_webhook_seconds"] = float(received[0][0])
        write_stream_metrics(
            session,
            schema,
            stream=report.stream,
            source=report.source,
            run_id=ctx.run_id,
            values=measured,
        )

    ctx.warehouse.transaction(write)


def _recency(ctx: Reporting) -> int:
    return int(ctx.clock().timestamp() * 1_000_000)
