"""Load streams by one route; each has transactions of its own, and may be run any number of times."""

from __future__ import annotations

import json
from collections.abc import Iterable

from airflow_provider_cio.core.streams import STREAMS, Stream
from airflow_provider_cio.engine.reporting import app_api, data_out, webhooks
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.engine.watch.measured import write_stream_metrics
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.landing import (
    RAW,
    STAGING,
    ensure_ledger,
)
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.shipped import render_sql
from airflow_provider_cio.warehouse.state import ensure_schema, table

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
    reports: list[StreamReport] = []
    match ctx.source:
        case "app_api" | "export":
            reports += app_api.load(ctx, streams, exports)
        case "data_out":
            reports += [data_out.load(ctx, stream) for stream in streams]
        case "webhooks":
            reports += webhooks.load(ctx, streams)
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
        raw.ensure(session, STREAMS.values())
        ensure_schema(session, STAGING)
        for view in VIEWS:
            names = {"raw": landing, "schema": schema, "staging": sql.identifier(STAGING)}
            session.run(render_sql(f"reporting/{view}.sql", **names))

    ctx.warehouse.transaction(make)


def ask(ctx: Reporting, streams: list[Stream]) -> list[int]:
    """Ask for the exports that :func:`run` will need; their ids."""
    prepare(ctx)
    return app_api.ask(ctx, streams)


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
