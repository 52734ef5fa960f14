"""Which days of a stream are read, and which need not be read again: `cio_sync.reporting_days`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from airflow_provider_cio.core.coverage import Days, holes, joined, settled, to_read
from airflow_provider_cio.core.streams import Stream
from airflow_provider_cio.engine.reporting.context import Reporting
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table


def wanted(ctx: Reporting, streams: list[Stream]) -> tuple[list[Days], int]:
    """What to read for these streams together, and how many days were missed before."""
    if ctx.days is not None:
        return [ctx.days], 0
    today = ctx.clock().date()
    found: set[date] = set()
    missing = 0
    for stream in streams:
        rows = ctx.warehouse.fetch(
            f"SELECT DISTINCT covered_day FROM {table(ctx.warehouse.schema, 'reporting_days')} WHERE stream = "
            f"{sql.literal(stream.name)} AND source = {sql.literal(ctx.source)}"
        )
        covered = {row[0] for row in rows}
        missing = max(missing, holes(covered, ctx.first))
        for days in to_read(covered, ctx.first, today):
            found |= set(days.each())
    return joined(sorted(found)), missing


def cover(ctx: Reporting, session: Session, stream: Stream, ranges: Iterable[Days]) -> None:
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
