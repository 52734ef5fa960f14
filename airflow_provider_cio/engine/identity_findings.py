"""What the identities of a people source say: shared emails, changed ones, guests who registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.findings import found, samples_of
from airflow_provider_cio.warehouse import identities, stage
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

PLACE = "attributes.email"


def find_identities(
    ctx: SyncContext,
    session: Session,
    source: Source,
    changes: Mapping[str, int],
    withheld: Mapping[str, int],
) -> Iterator[PreflightFinding]:
    """Findings about emails, of a source that sends them."""
    if source.emails is None:
        return
    waiting = withheld.get(identities.MERGED, 0) - changes.get("merges", 0) - _merged_before(ctx, session)
    if waiting > 0:
        yield found(ctx, "merge_waits", PLACE, waiting, ())
    looked_for = {"guest_registered": identities.guests}
    if source.emails.column != "identifier":
        looked_for["email_changed"] = identities.changed
    for name, clause in looked_for.items():
        rows = int(session.fetch(identities.counted(clause(source.emails, stage.STAGE)))[0][0])
        if rows:
            query = identities.samples(clause(source.emails, stage.STAGE))
            yield found(ctx, name, PLACE, rows, samples_of(session, query))


def _merged_before(ctx: SyncContext, session: Session) -> int:
    rows = session.fetch(
        f"SELECT COUNT(*) FROM {stage.STAGE} AS s JOIN {ctx.state} AS t ON t.row_key = s.row_key "
        f"WHERE s.withheld = '{identities.MERGED}' AND NOT t.present"
    )
    return int(rows[0][0])
