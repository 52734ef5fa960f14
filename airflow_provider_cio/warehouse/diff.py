"""The diff inside Redshift: what was read against state, by key and payload hash; and the frozen plan."""

from __future__ import annotations

from airflow_provider_cio.warehouse import cio_ids, identities
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import MERGED
from airflow_provider_cio.warehouse.source import Source, row_columns, where
from airflow_provider_cio.warehouse.stage import STAGE

MAX_SHARDS = 256
_OPERATION = (
    "CAST(CASE change WHEN 'exited' THEN 'exit' WHEN 'returned' THEN 'return' WHEN 'merges' THEN 'merge' "
    "ELSE 'upsert' END AS VARCHAR(8))"
)
SENT = ("added", "returned", "changed", "exited", "merges")
"""What the diff calls the rows of a plan; the others are counts."""


def _difference(source: Source, state: str) -> str:
    """Each row of the stage, and each tracked row that left it, with what happened to it.

    A row that is withheld has not left: it keeps what was accepted of it before.
    """
    left = "WHEN t.present THEN 'exited' ELSE 'gone'"
    joined = ""
    if source.kept_by_others is not None:
        left = f"WHEN t.present AND o.row_key IS NOT NULL THEN 'elsewhere' {left}"
        joined = f" LEFT JOIN ({source.kept_by_others}) AS o ON o.row_key = t.row_key"
    differs = "s.payload_hash <> t.payload_hash"
    if source.kind != "events":
        since, undecided, quarantined = "CAST(NULL AS TIMESTAMP)", "", ""
        later = f"WHEN {differs} OR t.mapping <> {sql.literal(source.mapping)} THEN 'changed'"
    else:
        since, undecided, quarantined = "u.since", _undecided(source), _quarantined(source)
        later = f"WHEN {differs} AND t.mapping = {sql.literal(source.mapping)} THEN 'altered'"
    if source.emails is not None and source.emails.guests:
        left = f"WHEN t.present AND g.row_key IS NOT NULL THEN 'registered' {left}"
        joined += f" LEFT JOIN ({identities.registered(source.emails, STAGE)}) AS g ON g.row_key = t.row_key"
    if source.emails is not None and source.emails.by_cio_id is not None:
        joined += f" LEFT JOIN ({cio_ids.changed(source.emails, STAGE)}) AS m ON m.row_key = s.row_key"
    merges = ""
    if source.emails is not None and source.emails.keep is not None:
        merges = f"WHEN s.withheld = '{MERGED}' AND t.present AND k.present THEN 'merges' "
        joined += f" LEFT JOIN {state} AS k ON k.row_key = s.kept"
    same = "changed" if source.resend else "unchanged"
    known = f"(SELECT * FROM {state}{where(source)})" if source.exits else state
    columns = ["s.occurred_at", *(f"s.{name}" for name in source.payload_names)]
    return (
        f"SELECT COALESCE(s.row_key, t.row_key) AS row_key, {_parts(source)}, "
        f"COALESCE(s.payload_hash, '') AS payload_hash, {since} AS undecided_since, {', '.join(columns)}, "
        f"CASE {merges}WHEN s.withheld IS NOT NULL THEN 'withheld' WHEN s.row_key IS NULL THEN CASE {left} END "
        f"{quarantined}WHEN t.row_key IS NULL THEN 'added' "
        f"WHEN NOT t.present THEN '{'barred' if source.bars else 'returned'}' {later} "
        f"ELSE '{same}' END AS change "
        f"FROM (SELECT * FROM {STAGE} WHERE row_key IS NOT NULL) AS s "
        f"{'FULL' if source.exits else 'LEFT'} JOIN {known} AS t ON t.row_key = s.row_key{undecided}{joined}"
    )


def _parts(source: Source) -> str:
    """Identifier, what it is, and partner; of rows that left, out of their key."""
    at = [f"SPLIT_PART(t.row_key, {sql.SEPARATOR}, {place})" for place in (1, 2, 3)]
    whole = source.partner is None and source.identified_by is None
    identifier = f"COALESCE(s.identifier, {'t.row_key' if whole else at[0]})"
    partner = "s.partner" if source.partner is None else f"COALESCE(s.partner, {at[1]})"
    by = "s.identified_by"
    if source.identified_by is not None:
        behind = at[1 if source.partner is None else 2]
        by = f"COALESCE(s.identified_by, NULLIF({behind}, ''), {sql.literal(source.identifiers[0])})"
    emails = source.emails
    if emails is not None and emails.by_cio_id is not None:
        identifier = f"COALESCE(m.cio_id, {identifier})"
        by = f"CASE WHEN m.cio_id IS NOT NULL THEN 'cio_id' ELSE {by} END"
    if emails is not None and emails.keep is not None:
        merged = f"WHEN s.withheld = '{MERGED}' THEN s."
        identifier = f"CASE {merged}kept ELSE {identifier} END"
        partner = f"CASE {merged}identifier END"
    return f"{identifier} AS identifier, {by} AS identified_by, {partner} AS partner"


def _undecided(source: Source) -> str:
    return (
        f" LEFT JOIN {source.undecided} AS u ON u.sync = {sql.literal(source.sync)} AND u.row_key = s.row_key"
    )


def _quarantined(source: Source) -> str:
    """An undecided event whose id may be forgotten, or would be another one now, could become a second event."""
    forgotten = f"u.since < DATEADD(second, -{source.dedupe_seconds}, GETDATE())"
    return f"WHEN t.row_key IS NULL AND ({forgotten} OR u.occurred_at <> s.occurred_at) THEN 'quarantined' "


def change_counts(source: Source, state: str) -> str:
    """``(change, rows)``: added, returned, changed, unchanged, altered (sent), quarantined, exited, gone, withheld,
    barred (came back after it was suppressed), elsewhere (left, but another people sync sends it), registered (a
    guest's key, and the guest has an id now)."""
    return f"SELECT change, COUNT(*) FROM ({_difference(source, state)}) AS difference GROUP BY 1"


def change_samples(source: Source, state: str, change: str) -> str:
    """Up to five hashed keys of rows that the diff calls so."""
    return (
        f"SELECT {sql.key_hash('row_key')} FROM ({_difference(source, state)}) AS difference "
        f"WHERE change = {sql.literal(change)} ORDER BY 1 LIMIT 5"
    )


def freeze(source: Source, state: str, changes: str, shards: int) -> str:
    """The frozen plan: the rows to send, with their payload, shard, lane and order in the shard."""
    kept = ", ".join([*row_columns(source), "payload_hash", "undecided_since"])
    shard = sql.shard_of("identifier", shards)
    if source.occurred_at is None:
        hashed, event_id = "", "CAST(NULL AS VARCHAR(26))"
    else:
        digest = sql.event_digest(source.workspace, source.sync, "row_key")
        hashed = f"{digest} AS digest, {sql.milliseconds('occurred_at')} AS ms, "
        event_id = sql.event_id("digest", "ms")
    return (
        f"CREATE TABLE {changes} BACKUP NO DISTSTYLE KEY DISTKEY (row_key) SORTKEY (shard) AS "
        f"SELECT ordinal, shard, lane_hash, {_OPERATION} AS operation, {event_id} AS event_id, {kept} FROM ("
        f"SELECT ROW_NUMBER() OVER (PARTITION BY {shard} ORDER BY occurred_at, row_key) AS ordinal, "
        f"{shard} AS shard, {sql.lane_hash('identifier')} AS lane_hash, change, {hashed}{kept} "
        f"FROM ({_difference(source, state)}) AS difference "
        f"WHERE change IN ({', '.join(sql.literal(change) for change in SENT)})) AS planned"
    )
