"""Look up who is meant where an identifier changes."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import cio_ids
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source
from airflow_provider_cio.warehouse.stage import STAGE

MOST = 6_000
"""People of one plan: a minute of the App API, a hundred a request. The others follow with the next run."""


def look_up_changed(ctx: SyncContext, session: Session, source: Source) -> None:
    """The cio_id of people whose email changed, into `cio_ids`, where the contract wants them addressed by it.

    Whoever is not found is addressed by id.

    :raises ContractError: there is somebody to look up, and no App API key.
    """
    emails = source.emails
    if emails is None or emails.by_cio_id is None:
        return
    ids = [str(row[0]) for row in session.fetch(cio_ids.unknown(emails, STAGE, MOST))]
    if not ids:
        return
    if ctx.app is None:
        raise ContractError(
            f"{ctx.file}: {len(ids):,} people have another email, and `email_changes: by_cio_id` cannot be done "
            "without an App API key.",
            next_step="fill in app_api_key of the Customer.io connection.",
        )
    people = ctx.app.attributes(ids)
    found = {str(each["id"]): str(each["identifiers"]["cio_id"]) for each in people}
    if found:
        for statement in cio_ids.keep(emails, found):
            session.run(statement)
