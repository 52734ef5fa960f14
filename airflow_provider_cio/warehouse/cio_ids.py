"""What Customer.io calls a person, for the one case in which our identifier cannot say who is meant: it changes.

Looked up through the App API while a plan is made, and kept in the table `cio_ids`.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_cio.warehouse import identities
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import Emails

TRUSTED_DAYS = 30
"""Later it is looked up again: Customer.io drops what is sent to a cio_id of somebody who was deleted."""


def unknown(emails: Emails, stage: str, most: int) -> str:
    """``(identifier)`` of people whose email changed and whose cio_id is not known."""
    return (
        f"SELECT DISTINCT s.identifier {identities.changed(emails, stage)} "
        f"AND COALESCE(s.identified_by, 'id') = 'id' AND s.identifier NOT IN "
        f"(SELECT k.identifier FROM {_known(emails)}) ORDER BY 1 LIMIT {most}"
    )


def changed(emails: Emails, stage: str) -> str:
    """``(row_key, cio_id)`` of people whose email changed."""
    rows = identities.changed(emails, stage)
    return (
        f"SELECT p.row_key, k.cio_id FROM (SELECT s.row_key, s.identifier {rows}) AS p "
        f"JOIN {_known(emails)} ON k.identifier = p.identifier"
    )


def _known(emails: Emails) -> str:
    kept = f"resolved_at >= DATEADD(day, -{TRUSTED_DAYS}, GETDATE())"
    return f"(SELECT identifier, cio_id FROM {emails.by_cio_id} WHERE {kept}) AS k"


def keep(emails: Emails, found: Mapping[str, str]) -> list[str]:
    """Statements that put what was looked up into the table."""
    values = ", ".join(
        f"({sql.literal(who)}, {sql.literal(cio_id)}, GETDATE())" for who, cio_id in found.items()
    )
    named = ", ".join(map(sql.literal, found))
    return [
        f"DELETE FROM {emails.by_cio_id} WHERE identifier IN ({named})",
        f"INSERT INTO {emails.by_cio_id} (identifier, cio_id, resolved_at) VALUES {values}",
    ]


def forget_who_left(emails: Emails, changes: str) -> str:
    """At a commit: whoever leaves may be somebody new when they come back."""
    left = f"SELECT row_key FROM {changes} WHERE operation IN ('exit', 'merge')"
    return f"DELETE FROM {emails.by_cio_id} WHERE identifier IN ({left})"
