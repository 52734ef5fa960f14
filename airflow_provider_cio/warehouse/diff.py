"""The diff inside Redshift: source against state, by key and payload hash.

The source is read once, into a temporary table that lives for one transaction; findings, counts and the
frozen plan all come from that table, so they describe the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Kind
from airflow_provider_cio.core.identity import MAX_BYTES, PHONE
from airflow_provider_cio.warehouse import identities
from airflow_provider_cio.warehouse import limits as measuring
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import MERGED, Emails
from airflow_provider_cio.warehouse.limits import Check, Limits

STAGE = "cio_source"
MAX_KEY_BYTES = 512
MAX_TOKEN_BYTES = 350
MAX_SHARDS = 256
SEPARATOR = "CHR(31)"
"""Between identity and partner in a row key: the ASCII unit separator, which neither may hold."""
CROWD = 20
"""So many rows of one moment are no coincidence."""
_OPERATION = (
    "CAST(CASE change WHEN 'exited' THEN 'exit' WHEN 'returned' THEN 'return' WHEN 'merges' THEN 'merge' "
    "ELSE 'upsert' END AS VARCHAR(8))"
)
SENT = ("added", "returned", "changed", "exited", "merges")
"""What the diff calls the rows of a plan; the others are counts."""


@dataclass(frozen=True)
class Source:
    """A sync's source, resolved: every expression is SQL over the columns of `relation`."""

    sync: str
    kind: Kind
    workspace: str
    relation: str
    """A quoted view, or a parenthesised query."""
    identifier: str
    """Canonical identity."""
    partner: str | None
    """Canonical second half of the key: object, device, or who is merged; None for kinds without."""
    key: str | None
    """Canonical key of an event; None where identity and partner are the key."""
    occurred_at: str | None
    """TIMESTAMP in UTC; None for people."""
    lookback_minutes: int | None
    fields: tuple[tuple[str, Column], ...]
    """Expression and column (`f_<position>` and type) of each payload field."""
    mapping: str
    """Fingerprint of the mapping."""
    phones: bool
    """Whether the identity is a phone."""
    exits: bool
    """Whether rows that left the source are sent."""
    undecided: str
    """Quoted table of the events that may be there already."""
    dedupe_seconds: int
    """How long those may still be sent again."""
    bars: bool = False
    """Whether rows that left were suppressed: nothing reaches them when they come back."""
    kept_by_others: str | None = None
    """A query of row keys that other people syncs send; such rows do not leave."""
    identity_text: str | None = None
    """The identity before it was trimmed; None where it cannot be padded."""
    names: tuple[str, ...] = ()
    """What the fields are called in Customer.io."""
    limits: Limits = field(default_factory=Limits)
    only: str | None = None
    """SQL over `row_key`, `identifier` and `occurred_at`: the rows that are looked at; None: all."""
    allowed: str | None = None
    """SQL over the same: rows that may be sent at all; None: all."""
    resend: bool = False
    """Whether rows that did not change are sent too."""
    emails: Emails | None = None
    """Where the email of a person is; None where the sync sends none."""

    @property
    def payload_names(self) -> list[str]:
        """`f_0`, `f_1`, ..."""
        return [column.name for _, column in self.fields]

    @property
    def checks(self) -> list[Check]:
        """What is measured of each row."""
        return measuring.checks(self.limits, self.fields, self.names)


def mapped(source: Source, *, measured: bool = False) -> str:
    """The source's rows under the plan's names, and with `measured` what their checks look at."""
    columns = [
        f"{source.key or _joined(source)} AS row_key",
        f"{source.identifier} AS identifier",
        f"{source.partner or 'CAST(NULL AS VARCHAR(1))'} AS partner",
        f"{source.occurred_at or 'CAST(NULL AS TIMESTAMP)'} AS occurred_at",
        *(f"{_payload(source, expression, column)} AS {column.name}" for expression, column in source.fields),
    ]
    if measured and source.emails and source.emails.keep:
        columns.append(f"{source.emails.keep} AS keep")
    if measured:
        columns += _measures(source)
    select = f"SELECT {', '.join(columns)} FROM {source.relation} AS source"
    if source.lookback_minutes is None:
        return select
    return (
        f"SELECT * FROM ({select}) AS windowed "
        f"WHERE occurred_at IS NULL OR occurred_at >= DATEADD(minute, -{source.lookback_minutes}, GETDATE())"
    )


def _joined(source: Source) -> str:
    """Identity and partner as one text; the plan takes it apart again for rows that left."""
    if source.partner is None:
        return source.identifier
    return f"{source.identifier} || {SEPARATOR} || {source.partner}"


def _payload(source: Source, expression: str, column: Column) -> str:
    """As it is unloaded: SUPER as JSON text, moments with a zone as TIMESTAMP in UTC."""
    match column.family:
        case "super":
            return f"JSON_SERIALIZE({expression})"
        case "timestamptz":
            return f"{expression} AT TIME ZONE 'UTC'"
        case _:
            return source.limits.payload(expression, column)


def stage(source: Source) -> str:
    """Read the source into the temporary table `STAGE`, with what withholds a row and its payload hash."""
    measured = [measure.rsplit(" AS ", 1)[1] for measure in _measures(source)]
    rows = mapped(source, measured=True)
    if source.emails is not None:
        rows = identities.grouped(source.emails, rows)
        measured.append("kept")
    return (
        f"CREATE TEMPORARY TABLE {STAGE} AS SELECT {', '.join([*row_columns(source), *measured])}, "
        f"{payload_hash(source)} AS payload_hash, {_withheld(source)} AS withheld "
        f"FROM ({rows}) AS mapped{where(source)}"
    )


def where(source: Source) -> str:
    """The clause that keeps to the rows that are looked at."""
    conditions = [condition for condition in (source.only, source.allowed) if condition]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _measures(source: Source) -> list[str]:
    text = source.identity_text or source.identifier
    return measuring.measures(source.limits, text, source.identifier, source.fields)


def row_columns(source: Source) -> list[str]:
    """Columns of :func:`mapped`, in order."""
    return ["row_key", "identifier", "partner", "occurred_at", *source.payload_names]


def payload_hash(source: Source) -> str:
    """SHA2-256 over the length-prefixed canonical texts, the mapping's fingerprint and the columns' types."""
    types = "".join(column.family[0] for _, column in source.fields)
    parts = [sql.literal(f"{source.mapping}|{types}|"), sql.length_prefixed("identifier", "text")]
    if source.occurred_at is not None:
        parts.append(sql.length_prefixed("occurred_at", "timestamp"))
    for _, column in source.fields:
        family = {"super": "text", "timestamptz": "timestamp"}.get(column.family, column.family)
        parts.append(sql.length_prefixed(column.name, family))  # type: ignore[arg-type]
    return f"SHA2({' || '.join(parts)}, 256)"


def _withheld(source: Source) -> str:
    rules = [("identifier IS NULL", "identifier_missing")]
    rules.append((f"OCTET_LENGTH(identifier) > {MAX_BYTES}", "identifier_too_long"))
    if source.phones:
        rules.append((f"identifier !~ {sql.literal(PHONE)}", "phone_not_e164"))
    if source.partner is not None:
        rules += [
            ("partner IS NULL", "partner_missing"),
            (f"OCTET_LENGTH(partner) > {_partner_limit(source)}", "partner_too_long"),
            (f"POSITION({SEPARATOR} IN identifier || partner) > 0", "key_with_separator"),
        ]
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
    merges = ""
    if source.emails is not None and source.emails.keep is not None:
        merges = f"WHEN s.withheld = '{MERGED}' AND t.present AND k.present THEN 'merges' "
        joined += f" LEFT JOIN {state} AS k ON k.row_key = s.kept"
    same = "changed" if source.resend else "unchanged"
    known = f"(SELECT * FROM {state}{where(source)})" if source.exits else state
    columns = ["s.occurred_at", *(f"s.{name}" for name in source.payload_names)]
    return (
        f"SELECT COALESCE(s.row_key, t.row_key) AS row_key, {_halves(source)}, "
        f"COALESCE(s.payload_hash, '') AS payload_hash, {since} AS undecided_since, {', '.join(columns)}, "
        f"CASE {merges}WHEN s.withheld IS NOT NULL THEN 'withheld' WHEN s.row_key IS NULL THEN CASE {left} END "
        f"{quarantined}WHEN t.row_key IS NULL THEN 'added' "
        f"WHEN NOT t.present THEN '{'barred' if source.bars else 'returned'}' {later} "
        f"ELSE '{same}' END AS change "
        f"FROM (SELECT * FROM {STAGE} WHERE row_key IS NOT NULL) AS s "
        f"{'FULL' if source.exits else 'LEFT'} JOIN {known} AS t ON t.row_key = s.row_key{undecided}{joined}"
    )


def _halves(source: Source) -> str:
    """Identifier and partner; of rows that left, out of their key."""
    if source.emails is not None and source.emails.keep is not None:
        merged = f"WHEN s.withheld = '{MERGED}' THEN s."
        return (
            f"CASE {merged}kept ELSE COALESCE(s.identifier, t.row_key) END AS identifier, "
            f"CASE {merged}identifier END AS partner"
        )
    if source.partner is None:
        return "COALESCE(s.identifier, t.row_key) AS identifier, s.partner"
    first, second = (f"SPLIT_PART(t.row_key, {SEPARATOR}, {half})" for half in (1, 2))
    return f"COALESCE(s.identifier, {first}) AS identifier, COALESCE(s.partner, {second}) AS partner"


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
    barred (came back after it was suppressed), elsewhere (left, but another people sync sends it)."""
    return f"SELECT change, COUNT(*) FROM ({_difference(source, state)}) AS difference GROUP BY 1"


def change_samples(source: Source, state: str, change: str) -> str:
    """Up to five hashed keys of rows that the diff calls so."""
    return (
        f"SELECT {sql.key_hash('row_key')} FROM ({_difference(source, state)}) AS difference "
        f"WHERE change = {sql.literal(change)} ORDER BY 1 LIMIT 5"
    )


def withheld_samples(reason: str) -> str:
    """Up to five hashed keys (or nothing, where the key is what is missing)."""
    return (
        f"SELECT DISTINCT {sql.key_hash('row_key')} FROM {STAGE} "
        f"WHERE withheld = {sql.literal(reason)} AND row_key IS NOT NULL ORDER BY 1 LIMIT 5"
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
