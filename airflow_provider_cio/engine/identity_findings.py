"""What the identities of a people source say: shared emails and phones, changed ones, guests who registered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from airflow_provider_cio.core.contract.findings import action_of
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.findings import found, samples_of
from airflow_provider_cio.warehouse import diff, identities, stage
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
    if rows := changes.get("registered"):
        samples = samples_of(session, diff.change_samples(source, ctx.state, "registered"))
        yield found(ctx, "guest_registered", PLACE, rows, samples)
    looked_for = {"guest_registered": identities.guests}
    if source.emails.column != "identifier":
        looked_for["email_changed"] = identities.changed
    for name, clause in looked_for.items():
        rows = int(session.fetch(identities.counted(clause(source.emails, stage.STAGE)))[0][0])
        if rows:
            query = identities.samples(clause(source.emails, stage.STAGE))
            yield found(ctx, name, PLACE, rows, samples_of(session, query))


def find_differing(ctx: SyncContext, session: Session, source: Source) -> Iterator[PreflightFinding]:
    """Rows of one person with different emails, and rows of different people with one phone."""
    looked_for: list[tuple[str, str, str]] = []
    if source.emails is not None and source.emails.column != "identifier":
        clause = identities.several_emails(source.emails, stage.STAGE)
        looked_for.append(("several_emails_of_one", PLACE, clause))
    if source.phone is not None and action_of(ctx.sync.findings, "phone_of_several") != "skip":
        clause = identities.shared_phones(source.phone, stage.STAGE)
        looked_for.append(("phone_of_several", "attributes.phone", clause))
    for name, place, clause in looked_for:
        rows = int(session.fetch(identities.counted(clause))[0][0])
        if rows:
            yield found(ctx, name, place, rows, samples_of(session, identities.samples(clause)))


def _merged_before(ctx: SyncContext, session: Session) -> int:
    rows = session.fetch(
        f"SELECT COUNT(*) FROM {stage.STAGE} AS s JOIN {ctx.state} AS t ON t.row_key = s.row_key "
        f"WHERE s.withheld = '{identities.MERGED}' AND NOT t.present"
    )
    return int(rows[0][0])
