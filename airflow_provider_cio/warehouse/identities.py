"""Who shares an email or a phone, who changed it, who was a guest: looked for in SQL, remembered at each commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_cio.warehouse import statements as sql

SEVERAL, TIED, MERGED = "email_of_several", "email_of_several_tied", "merged_into_another"
"""What withholds a row for its email; a merged one is sent as a merge, once."""
KNOWN_BY_ID = "guest_known_by_id"
"""What withholds a row that goes by an email, when a row with an id has it."""
EMAIL_KEY = f"{sql.SEPARATOR} || 'email'"
"""Behind the email in the row key of somebody who goes by it in a sync of several identifiers."""


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
    guests: bool = False
    """Whether rows without an id go by their email."""
    by_cio_id: str | None = None
    """`cio_ids`, quoted, where a changed email is sent by cio_id; None: by id."""

    @property
    def canonical(self) -> str:
        """The email as Customer.io compares it."""
        return sql.canonical_identity(self.column, "text", "email")


def grouped(emails: Emails, mapped: str) -> str:
    """`mapped` with what is known of each row's group: does it hold others, who stays, how many could."""
    group = f"PARTITION BY {emails.canonical}"
    person = "CASE WHEN identified_by <> 'email' THEN identifier END" if emails.guests else "identifier"
    several = f"MIN({person}) OVER ({group}) <> MAX({person}) OVER ({group})"
    shared = f"CASE WHEN {emails.canonical} IS NOT NULL AND {several} THEN 1 ELSE 0 END AS shares_email"
    if emails.guests:
        known = f"MAX({person}) OVER ({group}) IS NOT NULL"
        shared += f", CASE WHEN identified_by = 'email' AND {known} THEN 1 ELSE 0 END AS known_by_id"
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
    known = [("known_by_id = 1", KNOWN_BY_ID)] if emails.guests else []
    if not emails.unique:
        return known
    if emails.keep is None:
        return [*known, ("shares_email = 1", SEVERAL)]
    undecided = "shares_email = 1 AND (firsts <> 1 OR keep IS NULL)"
    return [(undecided, TIED), ("shares_email = 1 AND identifier <> kept", MERGED)]


def differing(emails: Emails) -> str:
    """Whether rows of one key have different emails."""
    group = "PARTITION BY row_key"
    return f"MIN({emails.canonical}) OVER ({group}) <> MAX({emails.canonical}) OVER ({group})"


def several_emails(emails: Emails, stage: str) -> str:
    """The clause of rows whose key is on others with another email."""
    email = _of(emails)
    keys = (
        f"SELECT s.row_key FROM {stage} AS s WHERE s.row_key IS NOT NULL GROUP BY s.row_key "
        f"HAVING MIN({email}) <> MAX({email})"
    )
    return f"FROM {stage} AS s WHERE s.row_key IN ({keys})"


def _phone(column: str) -> str:
    return sql.canonical_identity(column, "text", "phone")


def shared(phone: str) -> str:
    """Whether another person's row has the same phone."""
    group = f"PARTITION BY {_phone(phone)}"
    several = f"MIN(identifier) OVER ({group}) <> MAX(identifier) OVER ({group})"
    return f"{_phone(phone)} IS NOT NULL AND {several}"


def shared_phones(phone: str, stage: str) -> str:
    """The clause of rows whose phone other people's rows have too."""
    number = _phone(f"s.{phone}")
    numbers = (
        f"SELECT {number} FROM {stage} AS s WHERE s.withheld IS NULL GROUP BY 1 "
        "HAVING MIN(s.identifier) <> MAX(s.identifier)"
    )
    return f"FROM {stage} AS s WHERE s.withheld IS NULL AND {number} IN ({numbers})"


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


def remember(emails: Emails, state: str, changes: str, settled: str, accepted: int) -> list[str]:
    """At a commit: the emails of accepted rows replace those known before; who left is forgotten, and the guest
    in who got an id."""
    rows = (
        f"FROM {changes} AS c JOIN {settled} AS o ON o.shard = c.shard AND o.ordinal = c.ordinal "
        f"WHERE o.outcome = {accepted}"
    )
    email = sql.canonical_identity(f"c.{emails.column}", "text", "email")
    this = sql.literal(emails.sync)
    forget = f"DELETE FROM {emails.table} WHERE sync = {this} AND row_key IN (SELECT c.row_key {rows})"
    by = f"CASE WHEN c.identified_by = 'email' THEN 'email' ELSE {sql.literal(emails.identifier)} END"
    known = (
        f"INSERT INTO {emails.table} (sync, row_key, identifier, email, updated_at) "
        f"SELECT {this}, c.row_key, {by}, {email}, GETDATE() {rows} "
        f"AND c.operation IN ('upsert', 'return') AND {email} IS NOT NULL"
    )
    if not emails.guests:
        return [forget, known]
    registered = (
        f"(SELECT {email} || {EMAIL_KEY} {rows} AND c.identified_by <> 'email' AND {email} IS NOT NULL)"
    )
    return [
        forget,
        known,
        f"DELETE FROM {emails.table} WHERE sync = {this} AND row_key IN {registered}",
        f"DELETE FROM {state} WHERE row_key IN {registered}",
    ]


def registered(emails: Emails, stage: str) -> str:
    """Keys of guests whose email a row with an id has now: they are the same person, and did not leave."""
    email = _of(emails)
    return (
        f"SELECT DISTINCT {email} || {EMAIL_KEY} AS row_key FROM {stage} AS s "
        f"WHERE s.identified_by <> 'email' AND {email} IS NOT NULL"
    )


def emails_elsewhere(table: str, sync: str) -> str:
    """Emails of people whom other syncs send: no exit by email may reach them."""
    return f"SELECT email AS row_key FROM {table} WHERE sync <> {sql.literal(sync)}"


def shares(
    table: str, sync: str, plan_id: str, stage: str, emails: Emails | None, identifiers: Sequence[str]
) -> Iterator[str]:
    """Rows of `identity_shares`: how many rows of a source go by which identifier, and how many have an email."""
    email = f"COUNT({emails.canonical})" if emails else "0"
    for name in identifiers:
        by = "COUNT(identifier)"
        if len(identifiers) > 1:
            by = f"COALESCE(SUM(CASE WHEN identified_by = {sql.literal(name)} THEN 1 ELSE 0 END), 0)"
        yield (
            f"INSERT INTO {table} (sync, plan_id, identifier, rows, identified, with_email, measured_at) "
            f"SELECT {sql.literal(sync)}, {sql.literal(plan_id)}, {sql.literal(name)}, COUNT(*), "
            f"{by}, {email}, GETDATE() FROM {stage}"
        )
