"""What each destination has to be told, frozen and guarded before anything is sent."""

from __future__ import annotations

import logging

from ulid import ULID

from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.members import Selected, collect
from airflow_provider_cio.engine.audience.report import AudienceReport, DestinationReport
from airflow_provider_cio.exceptions import GuardStoppedError
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.tables import Books
from airflow_provider_cio.warehouse.session import Session

log = logging.getLogger(__name__)


def make_plan(ctx: AudienceContext) -> AudienceReport:
    """Collect, compare, guard, and write the intention into the ledger. The caller holds the lease.

    :raises GuardStoppedError: the audience is empty or collapsing; the ledger is as it was.
    :raises SourceError: the source failed; the ledger is as it was.
    """
    plan_id = str(ULID())
    books = Books.of(ctx.schema, ctx.audience.name, plan_id)
    try:
        selected = collect(ctx, books, plan_id)
        report, outdated = _compare(ctx, books, plan_id, selected)
        guard(ctx, report, outdated, _held(ctx, books))

        def intend(session: Session) -> None:
            for statement in changes.intend(
                books, ctx.audience.name, plan_id, ctx.audience.version, ctx.targets()
            ):
                session.run(statement)

        ctx.warehouse.transaction(intend)
    except BaseException:
        drop(ctx, books)
        raise
    log.info("Plan %s of audience '%s': %s", plan_id, ctx.audience.name, report)
    return report


def drop(ctx: AudienceContext, books: Books) -> None:
    """Remove the tables of a plan."""
    for name in (books.desired, books.changes):
        ctx.warehouse.run(f"DROP TABLE IF EXISTS {name}")


def _compare(
    ctx: AudienceContext, books: Books, plan_id: str, selected: Selected
) -> tuple[AudienceReport, dict[str, int]]:
    """The frozen changes, counted; and how many of those that leave were made by older rules."""
    audience = ctx.audience
    report = AudienceReport(audience.name, plan_id, ctx.run_id, selected.members, selected.held_out)
    report.destinations = {
        name: DestinationReport(unidentified=selected.unidentified.get(name, 0))
        for name in audience.destinations
    }

    def frozen(session: Session) -> list[tuple[str, str, int, int]]:
        session.run(changes.freeze(books, audience.name, ctx.targets()))
        return [(str(d), str(r), int(n), int(o)) for d, r, n, o in session.fetch(changes.counts(books))]

    outdated = dict.fromkeys(audience.destinations, 0)
    for destination, reason, count, old in ctx.warehouse.transaction(frozen):
        setattr(report.destinations[destination], reason, count)
        outdated[destination] += old if reason == "left" else 0
    report.abandoned = sorted(_held(ctx, books).keys() - audience.destinations.keys())
    return report, outdated


def _held(ctx: AudienceContext, books: Books) -> dict[str, int]:
    rows = ctx.warehouse.fetch(changes.held(books, ctx.audience.name))
    return {str(destination): int(count) for destination, count, _ in rows}


def guard(
    ctx: AudienceContext, report: AudienceReport, outdated: dict[str, int], held: dict[str, int]
) -> None:
    """Stop an audience that is empty, collapsing, exploding, or full of unusable identifiers.

    What leaves because the rules of normalisation changed comes back as another hash, and is not counted as loss.

    :raises GuardStoppedError: names each limit that was passed.
    """
    guards, name = ctx.audience.guards, ctx.audience.name
    passed = []
    if report.members < guards.min_members:
        passed.append(f"{report.members:,} members, fewer than min_members {guards.min_members:,}")
    for destination, found in report.destinations.items():
        before, leaving = held.get(destination, 0), found.left - outdated[destination]
        share = 100 * leaving / before if before else 0.0
        if share > guards.max_removed_pct:
            passed.append(
                f"{destination} would lose {share:.4g} % of {before:,}, over max_removed_pct {guards.max_removed_pct:g}"
            )
        if guards.max_added is not None and found.entered > guards.max_added:
            passed.append(f"{destination} would gain {found.entered:,}, over max_added {guards.max_added:,}")
        unusable = 100 * found.unidentified / report.members if report.members else 0.0
        if unusable > guards.max_unidentified_pct:
            passed.append(
                f"{unusable:.4g} % of the members have no identifier for {destination}, over max_unidentified_pct "
                f"{guards.max_unidentified_pct:g}"
            )
    if passed:
        raise GuardStoppedError(
            f"Audience '{name}' was stopped, and nothing was sent: {'; '.join(passed)}.",
            next_step="look at the source; if it is right, raise the limit in `guards` for this run.",
        )
