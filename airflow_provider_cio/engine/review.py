"""What a frozen plan would do and cost, for a person who has to decide."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from airflow_provider_cio.core.batching import BODY_LIMIT
from airflow_provider_cio.core.contract import Kind, Sync
from airflow_provider_cio.core.contract.kinds import DESTRUCTIVE_EXITS, DESTRUCTIVE_KINDS
from airflow_provider_cio.core.guards import GuardResult
from airflow_provider_cio.core.operations import render
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.sample import table_of
from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source, payload_hash, row_columns

SAMPLE_KEYS = 10
MEASURED_ROWS = 500
NOTHING = "nothing"
_DOES: Mapping[Kind, str] = {"merges": "merge", "suppressions": "suppress", "deletions": "delete"}


def review(
    ctx: SyncContext,
    session: Session,
    plan: Plan,
    source: Source,
    *,
    rate: float,
    guards: list[GuardResult],
) -> dict[str, Any]:
    """Counts, hashed sample keys, attributes, guards, cost and digest; JSON values, no personal data.

    `irreversible` counts the operations that Customer.io cannot undo, by what they do.

    Bytes are those of a sample of rendered rows, times the rows; `minutes` is how long the requests take at
    `rate` a second.
    """
    changes = state.changes_table(ctx.schema, ctx.sync.name, plan.plan_id)
    rows = plan.counts.to_send
    shown: dict[str, Any] = {
        "sync": ctx.sync.name,
        "plan_id": plan.plan_id,
        "counts": plan.counts.to_dict(),
        "to_send": rows,
        "guards": [asdict(result) for result in guards],
        "irreversible": {},
        "samples": [],
        "fields": {},
        "bytes": 0,
        "requests": 0,
        "minutes": 0.0,
        "digest": NOTHING,
    }
    if not rows:
        return shown
    size = math.ceil(_item_size(ctx, session, source, changes) * rows)
    requests = max(min(plan.shards, rows), math.ceil(size / BODY_LIMIT))
    return shown | {
        "irreversible": _irreversible(ctx.sync, session, changes),
        "samples": samples(session, changes),
        "fields": _fields(session, source, changes),
        "bytes": size,
        "requests": requests,
        "minutes": round(requests / rate / 60, 2),
        "digest": digest(session, source, changes),
    }


def digest(session: Session, source: Source, changes: str) -> str:
    """32 hex digits that stand for the frozen rows, whatever their order: keys, operations, payload, place."""
    payload = payload_hash(source)
    row = sql.key_hash("row_key").replace(", 1, 12)", ", 1, 64)")
    text = (
        f"{row} || operation || CAST(shard AS VARCHAR(8)) || ':' || CAST(ordinal AS VARCHAR(20)) || {payload}"
    )
    parts = ", ".join(f"SUM(STRTOL(SUBSTRING(hash, {1 + 8 * part}, 8), 16))" for part in range(4))
    sums = session.fetch(
        f"SELECT COUNT(*), {parts} FROM (SELECT MD5({text}) AS hash FROM {changes}) AS hashes"
    )
    return hashlib.sha256("|".join(str(int(part or 0)) for part in sums[0]).encode()).hexdigest()[:32]


def as_markdown(shown: dict[str, Any]) -> str:
    """The review for the Required Actions page."""
    counts = shown["counts"]
    lines = [
        f"**{shown['to_send']:,} rows** would be sent: "
        + ", ".join(f"{counts[name]:,} {name}" for name in ("added", "changed", "exited"))
        + f". {counts['unchanged']:,} are unchanged, {counts['unidentified']:,} withheld.",
        "",
        *(f"**Cannot be taken back: {what} {rows:,}.**\n" for what, rows in shown["irreversible"].items()),
        f"Cost: {shown['requests']:,} requests, {shown['bytes']:,} bytes, {shown['minutes']:g} minutes.",
        "",
        *(f"- guard {guard['name']}: {guard['message']}" for guard in shown["guards"]),
        "",
        "| sent field | rows with a value |",
        "|---|---|",
        *(f"| {name} | {rows:,} |" for name, rows in shown["fields"].items()),
        "",
        "Sample keys: "
        + (", ".join(f"{each['key_hash']} ({each['operation']})" for each in shown["samples"]) or "none"),
        "",
        f"Plan {shown['plan_id']}, digest {shown['digest']}.",
    ]
    return "\n".join(lines)


def _irreversible(sync: Sync, session: Session, changes: str) -> dict[str, int]:
    """`suppress`, `delete` and `merge`, each with its rows."""
    does = {"merge": "merge"}
    if sync.kind in DESTRUCTIVE_KINDS:
        does |= dict.fromkeys(("upsert", "return"), _DOES[sync.kind])
    if sync.exit_policy in DESTRUCTIVE_EXITS:
        does["exit"] = sync.exit_policy
    rows = session.fetch(f"SELECT operation, COUNT(*) FROM {changes} GROUP BY 1 ORDER BY 1")
    found: Counter[str] = Counter()
    for operation, count in rows:
        if operation in does:
            found[does[str(operation)]] += int(count)
    return dict(found)


def samples(session: Session, changes: str) -> list[dict[str, str]]:
    """Ten of the rows: hashed keys, and what is done about them."""
    hashed = sql.key_hash("row_key")
    rows = session.fetch(f"SELECT operation, {hashed} FROM {changes} ORDER BY 2 LIMIT {SAMPLE_KEYS}")
    return [{"operation": str(operation), "key_hash": str(key)} for operation, key in rows]


def _fields(session: Session, source: Source, changes: str) -> dict[str, int]:
    counted = ", ".join(f"COUNT({name})" for name in source.payload_names)
    rows = session.fetch(f"SELECT {counted} FROM {changes}") if counted else [()]
    return {name: int(count) for name, count in zip(source.names, rows[0], strict=True)}


def _item_size(ctx: SyncContext, session: Session, source: Source, changes: str) -> float:
    """Bytes of an average operation, with the comma behind it."""
    columns = ", ".join(row_columns(source))
    rows = session.fetch(f"SELECT {columns} FROM {changes} WHERE operation <> 'exit' LIMIT {MEASURED_ROWS}")
    if not rows:
        return 128.0
    rendered = render(table_of(source, rows), ctx.sync, [column for _, column in source.fields])
    sizes = [len(item) + 1 for item in rendered.items.to_pylist() if item is not None]
    return sum(sizes) / len(sizes) if sizes else 0.0
