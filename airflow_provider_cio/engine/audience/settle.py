"""What became of requests that were pending, and who is really there."""

from __future__ import annotations

from airflow_provider_cio.clients.destinations.base import Settlement
from airflow_provider_cio.clients.destinations.segments import ManualSegment
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.changes import Done
from airflow_provider_cio.warehouse.audience.tables import Books, moment
from airflow_provider_cio.warehouse.session import Session

_AT_ONCE = 1_000


def settle(ctx: AudienceContext) -> int:
    """Ask for every pending request of the audience; how many are still pending.

    What failed, wholly or partly, goes back to being an intention, and the next plan sends it again.
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
        found = client.settlement(str(request_id))
        if found.outcome == "pending":
            pending += 1
        else:
            done = Done(str(plan_id), str(destination), str(action), str(field), (int(batch),))
            _write(ctx, books, done, str(request_id), found)
    return pending


def _write(ctx: AudienceContext, books: Books, done: Done, request_id: str, found: Settlement) -> None:
    def write(session: Session) -> None:
        good = found.outcome == "confirmed"
        session.run(changes.settled(books, ctx.audience.name, done, good=good))
        session.run(
            f"UPDATE {books.uploads} SET outcome = {sql.literal(found.outcome)}, "
            f"reason = {sql.literal(found.reason[:900] or None)}, settled_at = {moment(ctx.moment)} "
            f"WHERE audience = {sql.literal(ctx.audience.name)} AND request_id = {sql.literal(request_id)}"
        )

    ctx.warehouse.transaction(write)


def verify(ctx: AudienceContext) -> dict[str, tuple[int, int]]:
    """Read the members of manual segments back, because Customer.io ignores unknown ids silently.

    :returns: by destination, how many are missing there and how many are there that nobody put there. The missing
        are marked, and the next plan adds them again.
    """
    books = Books.of(ctx.schema, ctx.audience.name, "none")
    found: dict[str, tuple[int, int]] = {}
    for name, client in ctx.destinations.items():
        there = client.members() if isinstance(client, ManualSegment) else None
        if there is None:
            continue
        where = f"audience = {sql.literal(ctx.audience.name)} AND destination = {sql.literal(name)}"
        rows = ctx.warehouse.fetch(
            f"SELECT identifier FROM {books.members} WHERE {where} AND state = 'present'"
        )
        known = {str(row[0]) for row in rows}
        missing = sorted(known - there)
        for first in range(0, len(missing), _AT_ONCE):
            names = ", ".join(sql.literal(each) for each in missing[first : first + _AT_ONCE])
            ctx.warehouse.run(
                f"UPDATE {books.members} SET state = 'absent' WHERE {where} AND identifier IN ({names})"
            )
        found[name] = (len(missing), len(there - known))
    return found
