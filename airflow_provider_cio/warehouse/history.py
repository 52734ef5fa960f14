"""Shapes of earlier plans, and what somebody let through once."""

from __future__ import annotations

import json

from airflow_provider_cio.core.shape import Shape
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

GRANTED_HOURS = 24
_DONE = "'sent', 'nothing_to_send', 'partial'"


def write_shape(session: Session, schema: str, sync: str, plan_id: str, shape: Shape) -> None:
    """What the source of a plan looked like."""
    names = (sync, plan_id, shape.fingerprint)
    texts = (json.dumps(dict(shape.columns)), json.dumps(list(shape.fields)))
    values = [*map(sql.literal, names), str(shape.source_rows), *map(sql.literal, texts)]
    session.run(
        f"INSERT INTO {table(schema, 'shapes')} "
        f"(sync, plan_id, fingerprint, source_rows, columns, fields, seen_at) "
        f"VALUES ({', '.join(values)}, GETDATE())"
    )


def last_shape(session: Session, schema: str, sync: str, before: str | None = None) -> Shape | None:
    """Of the last plan (before another one) that was carried out; plans that were stopped set no standard."""
    earlier = f" AND s.plan_id < {sql.literal(before)}" if before else ""
    rows = session.fetch(
        f"SELECT s.columns, s.fields, s.source_rows FROM {table(schema, 'shapes')} AS s "
        f"JOIN {table(schema, 'runs')} AS r ON r.plan_id = s.plan_id "
        f"WHERE s.sync = {sql.literal(sync)} AND r.status IN ({_DONE}){earlier} ORDER BY s.plan_id DESC LIMIT 1"
    )
    return Shape(json.loads(rows[0][0]), tuple(json.loads(rows[0][1])), int(rows[0][2])) if rows else None


def live_since(schema: str, sync: str, hours: int) -> str:
    """When the first plan was made that was carried out, as text, and whether that is more than `hours` ago."""
    return (
        "SELECT TO_CHAR(MIN(s.seen_at), 'YYYY-MM-DD HH24:MI:SS.US'), "
        f"MIN(s.seen_at) < DATEADD(hour, -{hours}, GETDATE()) "
        f"FROM {table(schema, 'shapes')} AS s JOIN {table(schema, 'runs')} AS r ON r.plan_id = s.plan_id "
        f"WHERE s.sync = {sql.literal(sync)} AND r.status IN ({_DONE})"
    )


def grant(session: Session, schema: str, sync: str, name: str) -> None:
    """Let a guard or finding pass once, within a day."""
    values = ", ".join(map(sql.literal, (sync, name)))
    session.run(
        f"INSERT INTO {table(schema, 'let_through')} (sync, name, granted_at) VALUES ({values}, GETDATE())"
    )


def granted(session: Session, schema: str, sync: str, plan_id: str) -> set[str]:
    """What this plan may pass: open grants, and those that it used already."""
    rows = session.fetch(
        f"SELECT name FROM {table(schema, 'let_through')} WHERE sync = {sql.literal(sync)} "
        f"AND (plan_id = {sql.literal(plan_id)} OR (plan_id IS NULL "
        f"AND granted_at > DATEADD(hour, -{GRANTED_HOURS}, GETDATE())))"
    )
    return {str(row[0]) for row in rows}


def use(session: Session, schema: str, sync: str, plan_id: str, names: set[str]) -> None:
    """These grants belong to this plan now."""
    if names:
        session.run(
            f"UPDATE {table(schema, 'let_through')} SET plan_id = {sql.literal(plan_id)} "
            f"WHERE sync = {sql.literal(sync)} AND plan_id IS NULL "
            f"AND name IN ({', '.join(map(sql.literal, sorted(names)))})"
        )
