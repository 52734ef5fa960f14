"""Source against uploaded against the destination's own size."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.audience.files import Lags
from airflow_provider_cio.core.audience.timing import too_short
from airflow_provider_cio.core.watch.metrics import AUDIENCE, Measured, Subject
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.report import AudienceReport, DestinationReport
from airflow_provider_cio.engine.watch.measured import percent
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.tables import Books, ensure_tables, moment
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.watch.metrics import write_metrics

log = logging.getLogger(__name__)


def measure(ctx: AudienceContext, report: AudienceReport) -> None:
    """Ask each destination for size and readiness, complete the report, and write a row of `match_rates` each."""
    books = Books.of(ctx.schema, report.audience, report.plan_id)
    held = {str(d): (int(n), int(u)) for d, n, u in ctx.warehouse.fetch(changes.held(books, report.audience))}
    waited = max(ctx.audience.from_age or timedelta(), ctx.audience.settle or timedelta())
    lags = {
        str(d): (float(p50), float(p95))
        for d, p50, p95 in ctx.warehouse.fetch(
            changes.lags(books, report.audience, ctx.moment, int(waited.total_seconds()))
        )
    }
    for name, found in report.destinations.items():
        count, found.unsettled = held.get(name, (0, 0))
        found.uploaded = count - found.unsettled
        found.lag_p50, found.lag_p95 = lags.get(name, (None, None))
        _ask(ctx, name, found)
        found.unexpected = "; ".join(unexpected(ctx.audience, report.members, found))
        found.as_expected = not found.unexpected
        if found.unexpected:
            log.warning("Audience '%s' at %s: %s", report.audience, name, found.unexpected)

    def write(session: Session) -> None:
        session.run(
            f"DELETE FROM {books.rates} WHERE audience = {sql.literal(report.audience)} "
            f"AND plan_id = {sql.literal(report.plan_id)}"
        )
        if report.destinations:
            session.run(_insert(books, report, ctx.moment))
        write_metrics(
            session,
            ctx.schema,
            Subject("audience", report.audience),
            run_id=ctx.run_id,
            plan_id=report.plan_id,
            measured=[
                Measured("members", report.members),
                Measured("held_out", report.held_out),
                *(each for name, found in report.destinations.items() for each in _measured(name, found)),
            ],
            replacing=AUDIENCE,
        )

    ctx.warehouse.transaction(write)


def measured_lags(warehouse: Warehouse) -> Lags:
    """How long members wait at each destination, as `cio_sync.match_rates` has it of thirty days."""
    ensure_tables(warehouse)
    rates = Books.of(warehouse.schema, "none", "none").rates
    return {
        (str(audience), str(destination)): timedelta(seconds=float(seconds))
        for audience, destination, seconds in warehouse.fetch(changes.measured_lags(rates))
    }


def _measured(name: str, found: DestinationReport) -> Iterator[Measured]:
    counts = ("entered", "left", "unidentified", "uploaded", "unsettled", "requests", "invalid")
    for metric in (*counts, "size", "match_rate", "lag_p95"):
        value = getattr(found, metric)
        if value is not None:
            yield Measured(metric, value, name)
    if found.size is not None and found.uploaded:
        yield Measured("size_gap_pct", percent(abs(found.size - found.uploaded), found.uploaded), name)


def _ask(ctx: AudienceContext, name: str, found: DestinationReport) -> None:
    try:
        standing = ctx.destinations[name].standing()
    except CustomerIOProviderError as error:
        log.warning("Destination %s does not tell its size: %s", name, error)
        return
    found.size, found.ready, found.match_rate = standing.size, standing.ready, standing.match_rate
    if found.match_rate is None and standing.size is not None and found.uploaded:
        found.match_rate = round(100 * standing.size / found.uploaded, 2)


def unexpected(audience: Audience, members: int, found: DestinationReport) -> Iterator[str]:
    """What is not as the file says, in words; what is not known cannot disappoint."""
    expect = audience.expect
    if expect.min_members is not None and members < expect.min_members:
        yield f"{members:,} members, fewer than min_members {expect.min_members:,}"
    if expect.max_members is not None and members > expect.max_members:
        yield f"{members:,} members, more than max_members {expect.max_members:,}"
    rate = found.match_rate
    if expect.min_match_rate is not None and rate is not None and rate < expect.min_match_rate:
        yield f"match rate {rate:.4g} %, less than min_match_rate {expect.min_match_rate:g}"
    if found.foreign_count:
        yield f"{found.foreign_count:,} members are there whom this audience did not put there"
    if found.lag_p95 is not None and (short := too_short(audience, timedelta(seconds=found.lag_p95))):
        yield short


def _insert(books: Books, report: AudienceReport, now: str) -> str:
    def value(given: float | None) -> str:
        return "NULL" if given is None else str(given).upper()

    rows = ", ".join(
        f"({sql.literal(report.audience)}, {sql.literal(name)}, {sql.literal(report.run_id)}, "
        f"{sql.literal(report.plan_id)}, {report.members}, {report.held_out}, {found.unidentified}, {found.uploaded}, "
        f"{found.unsettled}, {value(found.size)}, {value(found.match_rate)}, {value(found.ready)}, "
        f"{value(found.missing)}, {value(found.foreign_count)}, {value(found.as_expected)}, "
        f"{sql.literal(found.unexpected[:300] or None)}, {value(found.lag_p50)}, {value(found.lag_p95)}, {moment(now)})"
        for name, found in report.destinations.items()
    )
    return (
        f"INSERT INTO {books.rates} (audience, destination, run_id, plan_id, members, held_out, unidentified, "
        f"uploaded, unsettled, size, match_rate, ready, missing, foreign_count, as_expected, unexpected, lag_p50, "
        f"lag_p95, measured_at) VALUES {rows}"
    )
