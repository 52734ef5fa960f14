"""The source as it was read: one temporary table that lives for one transaction.

Findings, counts and the frozen plan all come from it, so they describe the same rows.
"""

from __future__ import annotations

from airflow_provider_cio.core.identity import MAX_BYTES, PHONE
from airflow_provider_cio.warehouse import identities
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.limits import Check
from airflow_provider_cio.warehouse.source import (
    Source,
    mapped,
    measures,
    payload_hash,
    row_columns,
    where,
)

STAGE = "cio_source"
MAX_KEY_BYTES = 512
MAX_TOKEN_BYTES = 350
CROWD = 20
"""So many rows of one moment are no coincidence."""


def read(source: Source) -> str:
    """Read the source into the temporary table `STAGE`, with what withholds a row and its payload hash."""
    measured = [measure.rsplit(" AS ", 1)[1] for measure in measures(source)]
    rows = mapped(source, measured=True)
    if source.emails is not None:
        rows = identities.grouped(source.emails, rows)
        measured.append("kept")
    return (
        f"CREATE TEMPORARY TABLE {STAGE} AS SELECT {', '.join([*row_columns(source), *measured])}, "
        f"{payload_hash(source)} AS payload_hash, {_withheld(source)} AS withheld "
        f"FROM ({rows}) AS mapped{where(source)}"
    )


def _withheld(source: Source) -> str:
    rules = [("identifier IS NULL", "identifier_missing")]
    rules.append((f"OCTET_LENGTH(identifier) > {MAX_BYTES}", "identifier_too_long"))
    if "phone" in source.identifiers:
        by_phone = "" if source.identified_by is None else "identified_by = 'phone' AND "
        rules.append((f"{by_phone}identifier !~ {sql.literal(PHONE)}", "phone_not_e164"))
    if source.partner is not None:
        rules += [
            ("partner IS NULL", "partner_missing"),
            (f"OCTET_LENGTH(partner) > {_partner_limit(source)}", "partner_too_long"),
            (f"POSITION({sql.SEPARATOR} IN identifier || partner) > 0", "key_with_separator"),
        ]
    elif source.identified_by is not None and source.kind != "events":
        rules.append((f"POSITION({sql.SEPARATOR} IN identifier) > 0", "key_with_separator"))
    if source.kind == "merges":
        rules.append(("identifier = partner", "merge_with_itself"))
    if source.kind == "events":
        rules = [
            ("row_key IS NULL", "key_missing"),
            (f"OCTET_LENGTH(row_key) > {MAX_KEY_BYTES}", "key_too_long"),
            *rules,
            ("occurred_at IS NULL", "occurred_at_missing"),
            ("occurred_at > DATEADD(minute, 5, GETDATE())", "occurred_at_in_future"),
            ("occurred_at < CAST('1970-01-01' AS TIMESTAMP)", "occurred_at_before_1970"),
        ]
    rules += [(check.condition, check.finding) for check in source.checks if check.withholds]
    if source.emails is not None:
        rules += identities.withheld(source.emails)
        if source.limits.action("several_emails_of_one") == "skip":
            rules.append((identities.differing(source.emails), "several_emails_of_one"))
    if source.phone is not None and source.limits.action("phone_of_several") == "skip":
        rules.append((identities.shared(source.phone), "phone_of_several"))
    if source.limits.action("duplicate_key") == "skip":
        rules.append(("COUNT(*) OVER (PARTITION BY row_key) > 1", "duplicate_key"))
    cases = " ".join(f"WHEN {condition} THEN '{name}'" for condition, name in rules)
    return f"CAST(CASE {cases} END AS VARCHAR(32))"


def _partner_limit(source: Source) -> int:
    return MAX_TOKEN_BYTES if source.kind == "devices" else MAX_BYTES


def withheld_counts() -> str:
    """``(reason or '', rows)`` of the stage."""
    return f"SELECT COALESCE(withheld, ''), COUNT(*) FROM {STAGE} GROUP BY 1"


def duplicate_counts() -> str:
    """``(keys that occur more than once, rows that carry them)``."""
    return f"SELECT COUNT(*), COALESCE(SUM(copies), 0) FROM ({_duplicates()}) AS duplicates"


def duplicate_samples() -> str:
    """Up to five hashed keys."""
    return f"SELECT {sql.key_hash('row_key')} FROM ({_duplicates()}) AS duplicates ORDER BY 1 LIMIT 5"


def _duplicates() -> str:
    return (
        f"SELECT row_key, COUNT(*) AS copies FROM {STAGE} WHERE withheld IS NULL "
        "GROUP BY row_key HAVING COUNT(*) > 1"
    )


def check_samples(check: Check) -> str:
    """Up to five hashed keys of rows that a check finds."""
    return (
        f"SELECT DISTINCT {sql.key_hash('row_key')} FROM {STAGE} "
        f"WHERE {check.condition} AND row_key IS NOT NULL ORDER BY 1 LIMIT 5"
    )


def shared_moments() -> str:
    """``(rows)`` whose time many others have too, to the microsecond; midnights are dates, not moments."""
    return f"SELECT COALESCE(SUM(copies), 0) FROM ({_crowded()}) AS crowded"


def shared_moment_samples() -> str:
    """Up to five hashed keys of such rows."""
    return (
        f"SELECT {sql.key_hash('row_key')} FROM {STAGE} WHERE withheld IS NULL "
        f"AND occurred_at IN (SELECT occurred_at FROM ({_crowded()}) AS crowded) ORDER BY 1 LIMIT 5"
    )


def _crowded() -> str:
    return (
        f"SELECT occurred_at, COUNT(*) AS copies FROM {STAGE} WHERE withheld IS NULL "
        f"AND occurred_at <> DATE_TRUNC('day', occurred_at) GROUP BY occurred_at HAVING COUNT(*) >= {CROWD}"
    )


def withheld_samples(reason: str) -> str:
    """Up to five hashed keys (or nothing, where the key is what is missing)."""
    return (
        f"SELECT DISTINCT {sql.key_hash('row_key')} FROM {STAGE} "
        f"WHERE withheld = {sql.literal(reason)} AND row_key IS NOT NULL ORDER BY 1 LIMIT 5"
    )
