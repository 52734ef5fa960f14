"""The tables that belong to the syncs together, and what a commit does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.bulk import UNDECIDED, Outcome
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.shipped import render_sql

TABLES = (
    "plans",
    "runs",
    "rejects",
    "undecided",
    "findings",
    "leases",
    "workspaces",
    "drift",
    "approvals",
    "shapes",
    "let_through",
    "model_builds",
    "identities",
    "identity_shares",
    "cio_ids",
    "metrics",
    "check_results",
    "alerts",
    "alert_transitions",
)
_STATE = "state__"
_STATE_COLUMNS = "row_key, present, payload_hash, mapping, event_id, occurred_at, plan_id, synced_at"


def table(schema: str, name: str) -> str:
    """A quoted table of the schema."""
    return f"{sql.identifier(schema)}.{sql.identifier(name)}"


def state_table(schema: str, sync: str) -> str:
    """Of one sync."""
    return table(schema, _STATE + sync)


def changes_table(schema: str, sync: str, plan_id: str) -> str:
    """The frozen plan."""
    return table(schema, f"changes__{sync}__{plan_id.lower()}")


OUTCOMES = "cio_outcomes"
"""The stage of a commit: temporary, so that two living commits of a plan do not meet in it."""


def ensure_tables(warehouse: Warehouse, sync: str | None = None) -> None:
    """Create what is missing: the schema, the shared tables, and the state table of a sync."""
    schema = warehouse.schema
    missing = warehouse.transaction(lambda session: _ensure_shared(session, schema, sync))
    if missing and sync is not None:
        warehouse.transaction(lambda session: _ensure_state(session, schema, sync))


def ensure_schema(session: Session, schema: str) -> None:
    """Create a schema that is missing; whoever may not create one needs it to be there."""
    if not session.fetch(f"SELECT nspname FROM pg_namespace WHERE nspname = {sql.literal(schema)}"):
        session.run(f"CREATE SCHEMA IF NOT EXISTS {sql.identifier(schema)}")


def ensure_in(session: Session, schema: str, sync: str) -> None:
    """:func:`ensure_tables` inside one transaction."""
    if _ensure_shared(session, schema, sync):
        _ensure_state(session, schema, sync)


def _ensure_shared(session: Session, schema: str, sync: str | None) -> bool:
    """Whether the state table is still missing."""
    ensure_schema(session, schema)
    existing = _tables(session, schema)
    for shared in TABLES:
        if shared not in existing:
            session.run(render_sql(f"ddl/{shared}.sql", schema=sql.identifier(schema)))
    return sync is not None and _STATE + sync not in existing


def _ensure_state(session: Session, schema: str, sync: str) -> None:
    # Syncs that run for the first time at the same time would each leave the others out of the view.
    session.run(f"LOCK TABLE {table(schema, 'leases')}")
    quoted = sql.identifier(_STATE + sync)
    session.run(render_sql("ddl/state.sql", schema=sql.identifier(schema), table=quoted))
    tables = {name for name in _tables(session, schema) if name.startswith(_STATE)}
    session.run(_union_view(schema, sorted(name.removeprefix(_STATE) for name in tables)))


def _tables(session: Session, schema: str) -> set[str]:
    rows = session.fetch(
        f"SELECT table_name FROM information_schema.tables WHERE table_schema = {sql.literal(schema)}"
    )
    return {str(row[0]) for row in rows}


def _union_view(schema: str, syncs: list[str]) -> str:
    selects = "\nUNION ALL\n".join(
        f"SELECT CAST({sql.literal(sync)} AS VARCHAR(63)) AS sync, {_STATE_COLUMNS} "
        f"FROM {state_table(schema, sync)}"
        for sync in syncs
    )
    return render_sql("ddl/state_view.sql", schema=sql.identifier(schema), selects=selects)


@dataclass(frozen=True)
class Books:
    """The tables of one commit, quoted."""

    state: str
    changes: str
    outcomes: str
    rejects: str
    undecided: str

    @classmethod
    def of(cls, schema: str, sync: str, plan_id: str) -> Books:
        """Of a plan."""
        return cls(
            state_table(schema, sync),
            changes_table(schema, sync, plan_id),
            OUTCOMES,
            table(schema, "rejects"),
            table(schema, "undecided"),
        )


def fold(books: Books, *, sync: str, plan_id: str, run_id: str, mapping: str) -> Iterator[str]:
    """State advances for accepted rows only; each row that was not accepted is a reject, with its hashed key.

    State is replaced by key and rejects by plan, so this can be done again.
    """
    joined = (
        f"FROM {books.changes} AS c JOIN {settled(books.outcomes)} AS o "
        "ON o.shard = c.shard AND o.ordinal = c.ordinal"
    )
    accepted = f"{joined} WHERE o.outcome = {Outcome.ACCEPTED:d}"
    yield f"DELETE FROM {books.state} WHERE row_key IN (SELECT c.row_key {accepted})"
    yield (
        f"INSERT INTO {books.state} ({_STATE_COLUMNS}) SELECT c.row_key, "
        "CASE WHEN c.operation IN ('exit', 'merge') THEN FALSE ELSE TRUE END, c.payload_hash, "
        f"{sql.literal(mapping)}, c.event_id, c.occurred_at, {sql.literal(plan_id)}, GETDATE() {accepted}"
    )
    yield f"DELETE FROM {books.rejects} WHERE plan_id = {sql.literal(plan_id)}"
    yield (
        f"INSERT INTO {books.rejects} "
        "(sync, plan_id, run_id, key_hash, shard, ordinal, sent, class, reason, field, rejected_at) "
        f"SELECT {', '.join(map(sql.literal, (sync, plan_id, run_id)))}, {sql.key_hash('c.row_key')}, "
        f"c.shard, c.ordinal, CASE WHEN o.outcome IN ({Outcome.REFUSED:d}, {Outcome.QUARANTINED:d}) "
        "THEN FALSE ELSE TRUE END, COALESCE(MIN(r.class), 'permanent'), "
        f"COALESCE(MIN(r.reason), ''), MIN(r.field), GETDATE() {joined} "
        f"JOIN {books.outcomes} AS r ON r.shard = o.shard AND r.ordinal = o.ordinal AND r.outcome = o.outcome "
        f"WHERE o.outcome <> {Outcome.ACCEPTED:d} GROUP BY c.row_key, c.shard, c.ordinal, o.outcome"
    )


def fold_undecided(books: Books, *, sync: str, plan_id: str) -> Iterator[str]:
    """Events that may be there or not are kept with the time of the first request; only an accepted one leaves.

    That a repeat was refused does not tell what became of the first.
    """
    among = ", ".join(f"{outcome:d}" for outcome in UNDECIDED)
    first_sent = (
        "(SELECT shard, ordinal, MIN(outcome) AS outcome, "
        f"MIN(CASE WHEN outcome IN ({among}) THEN sent_at END) AS sent_at "
        f"FROM {books.outcomes} GROUP BY shard, ordinal)"
    )
    joined = (
        f"FROM {books.changes} AS c JOIN {first_sent} AS o ON o.shard = c.shard AND o.ordinal = c.ordinal"
    )
    accepted = f"o.outcome = {Outcome.ACCEPTED:d}"
    yield (
        f"DELETE FROM {books.undecided} WHERE sync = {sql.literal(sync)} "
        f"AND row_key IN (SELECT c.row_key {joined} WHERE {accepted} OR o.sent_at IS NOT NULL)"
    )
    yield (
        f"INSERT INTO {books.undecided} (sync, row_key, event_id, occurred_at, plan_id, since) "
        f"SELECT {sql.literal(sync)}, c.row_key, c.event_id, c.occurred_at, {sql.literal(plan_id)}, "
        "LEAST(COALESCE(c.undecided_since, o.sent_at), o.sent_at) "
        f"{joined} WHERE NOT {accepted} AND o.sent_at IS NOT NULL"
    )


def settled(outcomes: str) -> str:
    """One row for each row that has an outcome, with the outcome that counts."""
    return f"(SELECT shard, ordinal, MIN(outcome) AS outcome FROM {outcomes} GROUP BY shard, ordinal)"


def outcome_counts(outcomes: str) -> str:
    """``(outcome, rows)``."""
    return f"SELECT outcome, COUNT(*) FROM {settled(outcomes)} AS o GROUP BY outcome"
