"""Rows to read back, and the table `drift` of those that are not as they were accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source, mapped, payload_hash, row_columns
from airflow_provider_cio.warehouse.state import state_table, table

Reason = Literal["never_arrived", "overwritten", "suppressed", "type_changed"]

EVENTS_READABLE_DAYS = 30
"""How long Customer.io guarantees that events can be read back (App API, activities)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `field` is empty when it is about the whole person or event."""

    key_hash: str
    field: str
    reason: Reason
    detail: str = ""


def sample(source: Source, schema: str, n: int) -> str:
    """Up to `n` random accepted rows whose source is still what was accepted.

    ``(since, *row_columns)``; `since` is the unix second of the plan that sent it.
    """
    state = state_table(schema, source.sync)
    recent = (
        f" AND occurred_at >= DATEADD(day, -{EVENTS_READABLE_DAYS}, GETDATE())" if source.occurred_at else ""
    )
    chosen = f"SELECT row_key FROM {state} WHERE present{recent} ORDER BY RANDOM() LIMIT {n}"
    hashed = (
        f"SELECT mapped.*, {payload_hash(source)} AS payload_hash "
        f"FROM ({mapped(source)}) AS mapped WHERE row_key IN ({chosen})"
    )
    columns = row_columns(source)
    return (
        f"SELECT {sql.milliseconds('p.created_at')} / 1000, {', '.join(f's.{name}' for name in columns)} "
        f"FROM ({hashed}) AS s JOIN {state} AS t ON t.row_key = s.row_key AND t.payload_hash = s.payload_hash "
        f"AND t.present JOIN {table(schema, 'plans')} AS p ON p.plan_id = t.plan_id ORDER BY s.row_key"
    )


def tracked_among(state: str, keys: list[str]) -> str:
    """Which of these keys are ours."""
    return f"SELECT row_key FROM {state} WHERE present AND row_key IN ({', '.join(map(sql.literal, keys))})"


def write(session: Session, schema: str, *, sync: str, plan_id: str, run_id: str, found: list[Drift]) -> None:
    """What one reconciliation found; open findings of the same rows give way to it."""
    target, name = table(schema, "drift"), sql.literal(sync)
    session.run(f"DELETE FROM {target} WHERE sync = {name} AND plan_id = {sql.literal(plan_id)}")
    if not found:
        return
    hashes = ", ".join(sql.literal(key_hash) for key_hash in sorted({each.key_hash for each in found}))
    session.run(
        f"DELETE FROM {target} WHERE sync = {name} AND repaired_at IS NULL AND key_hash IN ({hashes})"
    )
    rows = (
        (sync, plan_id, run_id, each.key_hash, each.field or None, each.reason, each.detail[:64] or None)
        for each in found
    )
    values = ", ".join(f"({', '.join(map(sql.literal, row))}, GETDATE())" for row in rows)
    session.run(
        f"INSERT INTO {target} (sync, plan_id, run_id, key_hash, field, reason, detail, found_at) VALUES {values}"
    )


def open_keys(schema: str, sync: str) -> str:
    """Hashed keys of the rows that another send can help."""
    return (
        f"SELECT key_hash FROM {table(schema, 'drift')} WHERE sync = {sql.literal(sync)} "
        "AND repaired_at IS NULL AND reason <> 'suppressed'"
    )


def mark_repaired(schema: str, sync: str, plan_id: str) -> str:
    """Rows that a plan sent again and Customer.io accepted."""
    accepted = (
        f"SELECT {sql.key_hash('row_key')} FROM {state_table(schema, sync)} "
        f"WHERE plan_id = {sql.literal(plan_id)}"
    )
    return (
        f"UPDATE {table(schema, 'drift')} SET repaired_at = GETDATE() WHERE sync = {sql.literal(sync)} "
        f"AND repaired_at IS NULL AND key_hash IN ({accepted})"
    )
