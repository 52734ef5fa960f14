"""Reporting webhooks that were loaded become rows of deliveries and metrics, inside Redshift."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.streams import SQL_TYPES, Stream
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.landing import RAW, load_webhooks
from airflow_provider_cio.warehouse.raw import STAGE
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

LATE = timedelta(days=10)
"""Webhooks are repeated for 7 days."""
_MOMENT = "DATEADD(second, payload.\"timestamp\"::BIGINT, CAST('1970-01-01' AS TIMESTAMP))"
_PATHS = {
    "deliveries": {
        "type": "payload.object_type",
        "cio_id": "payload.data.identifiers.cio_id",
        "created_at": None,
    },
    "metrics": {
        "metric": "payload.metric",
        "link_url": "payload.data.href",
        "reason": "payload.data.failure_message",
        "inbox_provider": None,
    },
}
"""Where a column is not `payload.data.<its name>`; None: webhooks do not tell."""


def select(stream: Stream, since: str) -> str:
    """INSERT INTO the stage what was received since a moment; events of no delivery are left out by their key."""
    columns = [f"{_column(stream, field.name, SQL_TYPES[field.type])}" for field in stream.fields]
    return (
        f'INSERT INTO {STAGE} SELECT {", ".join(columns)}, payload."timestamp"::BIGINT, NULL '
        f"FROM {table(RAW, 'webhooks')} WHERE stream = 'reporting' AND received_at >= {sql.literal(since)}"
    )


def _column(stream: Stream, name: str, kind: str) -> str:
    match name:
        case "event_id":
            return "event_id"
        case "occurred_at":
            return _MOMENT
    path = _PATHS[stream.name].get(name, f"payload.data.{name}")
    return f"CAST(NULL AS {kind})" if path is None else f"{path}::{kind}"


def load(ctx: Reporting, streams: list[Stream]) -> list[StreamReport]:
    """What the receiver stored, once each, and of that what is not too old into the streams."""
    since = (ctx.clock() - LATE).date() if ctx.days is None else ctx.days.first
    load_webhooks(ctx.warehouse, ctx.file_bucket, "reporting", max(since, ctx.first))
    reports = []
    for stream in streams:

        def work(session: Session, stream: Stream = stream) -> raw.Merged:
            raw.stage(session, stream)
            session.run(select(stream, f"{since}"))
            return raw.merge(session, stream, ctx.source)

        merged = ctx.warehouse.transaction(work)
        reports.append(StreamReport(stream.name, ctx.source, rows=merged.rows, new=merged.new))
    return reports
