"""Reporting webhooks that were loaded become rows of deliveries and metrics, inside Redshift."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.streams import SQL_TYPES, STREAMS, Stream
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.landing import RAW, load_webhooks
from airflow_provider_cio.warehouse.raw import STAGE
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

LATE = timedelta(days=10)
"""Webhooks are repeated for 7 days."""
_MOMENT = "DATEADD(second, w.payload.\"timestamp\"::BIGINT, CAST('1970-01-01' AS TIMESTAMP))"
_PATHS = {
    "deliveries": {
        "type": "w.payload.object_type",
        "cio_id": "w.payload.data.identifiers.cio_id",
        "created_at": None,
    },
    "metrics": {
        "metric": "w.payload.metric",
        "link_url": "w.payload.data.href",
        "reason": "w.payload.data.failure_message",
        "inbox_provider": None,
    },
}
"""Where a column is not `payload.data.<its name>`; None: webhooks do not tell."""
_TAKEN = {"href", "failure_message", *STREAMS["deliveries"].names, *STREAMS["metrics"].names}
_NOT_KEPT = {"identifiers", "recipient", "recipients", "to", "parent_action_id", "content", "headers"}
"""A person's address, or the message itself; like everything else they stay in `cio_raw.webhooks`."""
LONGEST_EXTRA, MOST_EXTRAS = 1000, 50
"""Bytes of a value, and fields of an event, that go to `_extra`: LISTAGG ends at 65,535 bytes."""


def select(stream: Stream, since: str) -> str:
    """INSERT INTO the stage what was received since a moment; events of no delivery are left out by their key."""
    columns = [f"{_column(stream, field.name, SQL_TYPES[field.type])}" for field in stream.fields]
    source = f"{table(RAW, 'webhooks')} AS w"
    extra = "NULL"
    if stream.name == "metrics":
        listed = "'\"' || name || '\":' || JSON_SERIALIZE(value)"
        source += (
            f" LEFT JOIN (SELECT event, '{{' || LISTAGG({listed}, ',') WITHIN GROUP (ORDER BY name) || '}}' AS fields "
            f"FROM ({unknown(since)}) AS found WHERE nth <= {MOST_EXTRAS} GROUP BY event) AS extra "
            "ON extra.event = w.event_id"
        )
        extra = "extra.fields"
    return (
        f'INSERT INTO {STAGE} SELECT {", ".join(columns)}, w.payload."timestamp"::BIGINT, {extra} FROM {source} '
        f"WHERE w.stream = 'reporting' AND w.received_at >= {sql.literal(since)}"
    )


def unknown(since: str) -> str:
    """A query of the fields that no column takes, event by event: `event`, `name`, `value`, `nth`."""
    names = ", ".join(sql.literal(name) for name in sorted(_TAKEN | _NOT_KEPT))
    return (
        "SELECT u.event_id AS event, name, value, ROW_NUMBER() OVER (PARTITION BY u.event_id ORDER BY name) AS nth "
        f"FROM {table(RAW, 'webhooks')} AS u, UNPIVOT u.payload.data AS value AT name "
        f"WHERE u.stream = 'reporting' AND u.received_at >= {sql.literal(since)} AND name NOT IN ({names}) "
        f"AND name ~ '^[A-Za-z0-9_.-]+$' AND OCTET_LENGTH(JSON_SERIALIZE(value)) <= {LONGEST_EXTRA}"
    )


def _column(stream: Stream, name: str, kind: str) -> str:
    match name:
        case "event_id":
            return "w.event_id"
        case "occurred_at":
            return _MOMENT
    path = _PATHS[stream.name].get(name, f"w.payload.data.{name}")
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
        report = StreamReport(stream.name, ctx.source, rows=merged.rows, new=merged.new)
        if stream.name == "metrics":
            found = ctx.warehouse.fetch(
                f"SELECT name, COUNT(*) FROM ({unknown(f'{since}')}) AS found GROUP BY name ORDER BY 2 DESC LIMIT 50"
            )
            report.odd.unknown.update({str(name): int(count) for name, count in found})
        reports.append(report)
    return reports
