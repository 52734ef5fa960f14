"""Who shares an email, who changed it, who was a guest: looked for in SQL, and remembered at each commit."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_cio.warehouse import statements as sql

SEVERAL, TIED, MERGED = "email_of_several", "email_of_several_tied", "merged_into_another"
"""What withholds a row for its email; a merged one is sent as a merge, once."""


@dataclass(frozen=True)
class Emails:
    """A people source whose emails are looked at: `column` of the stage holds them as they are sent."""

    column: str
    table: str
    """`identities`, quoted."""
    sync: str
    unique: bool
    """Whether the workspace identifies people by email too."""
    identifier: str
    keep: str | None = None
    """SQL of the column whose smallest value stays; None: nobody is merged."""

    @property
    def canonical(self) -> str:
        """The email as Customer.io compares it."""
        return sql.canonical_identity(self.column, "text", "email")


def grouped(emails: Emails, mapped: str) -> str:
    """`mapped` with what is known of each row's group: does it hold others, who stays, how many could."""
    group = f"PARTITION BY {emails.canonical}"
    several = f"MIN(identifier) OVER ({group}) <> MAX(identifier) OVER ({group})"
    shared = f"CASE WHEN {emails.canonical} IS NOT NULL AND {several} THEN 1 ELSE 0 END AS shares_email"
    if emails.keep is None:
        return f"SELECT m.*, {shared}, CAST(NULL AS VARCHAR(150)) AS kept, 0 AS firsts FROM ({mapped}) AS m"
    first = f"SELECT m.*, {shared}, MIN(keep) OVER ({group}) AS first_keep FROM ({mapped}) AS m"
    is_first = "keep = first_keep AND identifier IS NOT NULL"
    return (
        f"SELECT g.*, MAX(CASE WHEN {is_first} THEN identifier END) OVER ({group}) AS kept, "
        f"SUM(CASE WHEN {is_first} THEN 1 ELSE 0 END) OVER ({group}) AS firsts FROM ({first}) AS g"
    )


def withheld(emails: Emails) -> list[tuple[str, str]]:
    """Conditions over :func:`grouped` and the finding that each is. Only `keep` names who is merged."""
    if not emails.unique:
        return []
    if emails.keep is None:
        return [("shares_email = 1", SEVERAL)]
    undecided = "shares_email = 1 AND (firsts <> 1 OR keep IS NULL)"
    return [(undecided, TIED), ("shares_email = 1 AND identifier <> kept", MERGED)]


def changed(emails: Emails, stage: str) -> str:
    """The clause of rows whose email is not the one that was accepted."""
    return (
        f"FROM {stage} AS s JOIN {emails.table} AS i ON i.sync = {sql.literal(emails.sync)} "
        f"AND i.row_key = s.row_key WHERE s.withheld IS NULL AND i.email <> {_of(emails)}"
    )


def guests(emails: Emails, stage: str) -> str:
    """The clause of rows whose email another sync sends as a person of its own."""
    return (
        f"FROM {stage} AS s JOIN (SELECT DISTINCT email FROM {emails.table} WHERE identifier = 'email' "
        f"AND sync <> {sql.literal(emails.sync)}) AS i ON i.email = {_of(emails)} WHERE s.withheld IS NULL"
    )


def _of(emails: Emails) -> str:
    return sql.canonical_identity(f"s.{emails.column}", "text", "email")


def counted(clause: str) -> str:
    """How many rows a clause has."""
    return f"SELECT COUNT(*) {clause}"


def samples(clause: str) -> str:
    """Up to five hashed keys of a clause."""
    return f"SELECT DISTINCT {sql.key_hash('s.row_key')} {clause} ORDER BY 1 LIMIT 5"


def remember(emails: Emails, changes: str, settled: str, accepted: int) -> list[str]:
    """At a commit: the emails of accepted rows replace those known before; who left is forgotten."""
    rows = (
        f"FROM {changes} AS c JOIN {settled} AS o ON o.shard = c.shard AND o.ordinal = c.ordinal "
        f"WHERE o.outcome = {accepted}"
    )
    email = sql.canonical_identity(f"c.{emails.column}", "text", "email")
    this = sql.literal(emails.sync)
    forget = f"DELETE FROM {emails.table} WHERE sync = {this} AND row_key IN (SELECT c.row_key {rows})"
    known = (
        f"INSERT INTO {emails.table} (sync, row_key, identifier, email, updated_at) "
        f"SELECT {this}, c.row_key, {sql.literal(emails.identifier)}, {email}, GETDATE() {rows} "
        f"AND c.operation IN ('upsert', 'return') AND {email} IS NOT NULL"
    )
    return [forget, known]


def emails_elsewhere(table: str, sync: str) -> str:
    """Emails that other syncs send as an attribute of somebody: no exit by email may reach them."""
    return f"SELECT email AS row_key FROM {table} WHERE sync <> {sql.literal(sync)} AND identifier <> 'email'"


def shares(table: str, sync: str, plan_id: str, stage: str, emails: Emails | None, identifier: str) -> str:
    """A row of `identity_shares`: how many rows of a source carry which identifier."""
    email = f"COUNT({emails.canonical})" if emails else "0"
    return (
        f"INSERT INTO {table} (sync, plan_id, identifier, rows, identified, with_email, measured_at) "
        f"SELECT {sql.literal(sync)}, {sql.literal(plan_id)}, {sql.literal(identifier)}, COUNT(*), "
        f"COUNT(identifier), {email}, GETDATE() FROM {stage}"
    )
