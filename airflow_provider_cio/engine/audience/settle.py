"""What became of requests that were pending, and who is really there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_cio.clients.destinations.base import Settlement
from airflow_provider_cio.clients.destinations.segments import ManualSegment
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.report import AudienceReport
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.changes import Done
from airflow_provider_cio.warehouse.audience.tables import Books, moment
from airflow_provider_cio.warehouse.session import Session

log = logging.getLogger(__name__)

Errors = dict[str, CustomerIOProviderError]
"""By destination, the first thing that went wrong there."""
_AT_ONCE = 1_000


@contextmanager
def apart(ctx: AudienceContext, name: str, errors: Errors) -> Iterator[None]:
    """The error of one destination is kept, so that the others go on."""
    try:
        yield
    except CustomerIOProviderError as error:
        log.warning("Destination %s of audience '%s': %s", name, ctx.audience.name, error)
        errors.setdefault(name, error)


def settle(ctx: AudienceContext, errors: Errors) -> int:
    """Ask for every pending request of the audience; how many are still pending.

    What failed, wholly or partly, goes back to being an intention, and the next plan sends it again. A destination that
    does not answer is noted in ``errors``, and asked no further.
    """
    books = Books.of(ctx.schema, ctx.audience.name, "none")
    waiting = ctx.warehouse.fetch(
        f"SELECT destination, plan_id, action, field, batch, request_id FROM {books.uploads} "
        f"WHERE audience = {sql.literal(ctx.audience.name)} AND outcome = 'pending' ORDER BY plan_id, batch"
    )
    pending = 0
    for destination, plan_id, action, field, batch, request_id in waiting:
        client = ctx.destinations.get(str(destination))
        if client is None:
            continue
        pending += 1
        if destination in errors:
            continue
        with apart(ctx, str(destination), errors):
            found = client.settlement(str(request_id))
            if found.outcome != "pending":
                done = Done(str(plan_id), str(destination), str(action), str(field), (int(batch),))
                _write(ctx, books, done, str(request_id), found)
                pending -= 1
    return pending


def _write(ctx: AudienceContext, books: Books, done: Done, request_id: str, found: Settlement) -> None:
    def write(session: Session) -> None:
        good = found.outcome == "confirmed"
        session.run(changes.settled(books, ctx.audience.name, done, ctx.moment, good=good))
        session.run(
            f"UPDATE {books.uploads} SET outcome = {sql.literal(found.outcome)}, "
            f"reason = {sql.literal(found.reason[:900] or None)}, settled_at = {moment(ctx.moment)} "
            f"WHERE audience = {sql.literal(ctx.audience.name)} AND request_id = {sql.literal(request_id)}"
        )

    ctx.warehouse.transaction(write)


def verify(ctx: AudienceContext, report: AudienceReport, errors: Errors) -> None:
    """Read the members of manual segments back, because Customer.io ignores unknown ids silently.

    The report says how many are missing there, and how many are there whom this audience did not put there. The missing
    are marked, and the next plan adds them again.
    """
    books = Books.of(ctx.schema, ctx.audience.name, "none")
    for name, client in ctx.destinations.items():
        there = None
        if isinstance(client, ManualSegment):
            with apart(ctx, name, errors):
                there = client.members()
        if there is None:
            continue
        where = f"audience = {sql.literal(ctx.audience.name)} AND destination = {sql.literal(name)}"
        rows = ctx.warehouse.fetch(f"SELECT identifier, state FROM {books.members} WHERE {where}")
        missing = sorted(str(row[0]) for row in rows if row[1] == "present" and str(row[0]) not in there)
        for first in range(0, len(missing), _AT_ONCE):
            names = ", ".join(sql.literal(each) for each in missing[first : first + _AT_ONCE])
            ctx.warehouse.run(
                f"UPDATE {books.members} SET state = 'absent' WHERE {where} AND identifier IN ({names})"
            )
        found = report.destinations[name]
        found.missing = len(missing)
        found.foreign_count = len(there - {str(row[0]) for row in rows})
