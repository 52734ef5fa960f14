"""A sync's source, resolved: what its rows are, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Identifier, Kind
from airflow_provider_cio.warehouse import limits as measuring
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import Emails
from airflow_provider_cio.warehouse.limits import Check, Limits


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
    identifiers: tuple[Identifier, ...]
    """What it may be: one, or several of which each row goes by the first that it has."""
    identified_by: str | None
    """Which of several a row goes by; None where there is one."""
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
    phone: str | None = None
    """Column of the stage that holds the phone of a person; None where the sync sends none."""

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
        f"{source.identified_by or 'CAST(NULL AS VARCHAR(16))'} AS identified_by",
        f"{source.partner or 'CAST(NULL AS VARCHAR(1))'} AS partner",
        f"{source.occurred_at or 'CAST(NULL AS TIMESTAMP)'} AS occurred_at",
        *(f"{_payload(source, expression, column)} AS {column.name}" for expression, column in source.fields),
    ]
    if measured and source.emails and source.emails.keep:
        columns.append(f"{source.emails.keep} AS keep")
    if measured:
        columns += measures(source)
    select = f"SELECT {', '.join(columns)} FROM {source.relation} AS source"
    if source.lookback_minutes is None:
        return select
    return (
        f"SELECT * FROM ({select}) AS windowed "
        f"WHERE occurred_at IS NULL OR occurred_at >= DATEADD(minute, -{source.lookback_minutes}, GETDATE())"
    )


def _joined(source: Source) -> str:
    """Identity, partner, and what a row goes by unless it is the first identifier, as one text.

    The plan takes it apart again for rows that left.
    """
    key = source.identifier
    if source.partner is not None:
        key = f"{key} || {sql.SEPARATOR} || {source.partner}"
    if source.identified_by is not None:
        first = sql.literal(source.identifiers[0])
        by = source.identified_by
        key = f"{key} || CASE WHEN {by} = {first} THEN '' ELSE {sql.SEPARATOR} || {by} END"
    return key


def _payload(source: Source, expression: str, column: Column) -> str:
    """As it is unloaded: SUPER as JSON text, moments with a zone as TIMESTAMP in UTC."""
    match column.family:
        case "super":
            return f"JSON_SERIALIZE({expression})"
        case "timestamptz":
            return f"{expression} AT TIME ZONE 'UTC'"
        case _:
            return source.limits.payload(expression, column)


def where(source: Source) -> str:
    """The clause that keeps to the rows that are looked at."""
    conditions = [condition for condition in (source.only, source.allowed) if condition]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def measures(source: Source) -> list[str]:
    """What the checks look at, as columns with names."""
    text = source.identity_text or source.identifier
    return measuring.measures(source.limits, text, source.identifier, source.fields)


def row_columns(source: Source) -> list[str]:
    """Columns of :func:`mapped`, in order."""
    return ["row_key", "identifier", "identified_by", "partner", "occurred_at", *source.payload_names]


def payload_hash(source: Source) -> str:
    """SHA2-256 over the length-prefixed canonical texts, the mapping's fingerprint and the columns' types."""
    types = "".join(column.family[0] for _, column in source.fields)
    parts = [sql.literal(f"{source.mapping}|{types}|"), sql.length_prefixed("identifier", "text")]
    if source.identified_by is not None:
        parts.append(sql.length_prefixed("identified_by", "text"))
    if source.occurred_at is not None:
        parts.append(sql.length_prefixed("occurred_at", "timestamp"))
    for _, column in source.fields:
        family = {"super": "text", "timestamptz": "timestamp"}.get(column.family, column.family)
        parts.append(sql.length_prefixed(column.name, family))  # type: ignore[arg-type]
    return f"SHA2({' || '.join(parts)}, 256)"
