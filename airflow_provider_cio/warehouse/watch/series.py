"""What the monitor reads: numbers of runs, what was found odd before, and when runs ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from airflow_provider_cio.core.watch.metrics import Subject, SubjectKind
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.shipped import render_sql
from airflow_provider_cio.warehouse.state import table


@dataclass(frozen=True)
class Number:
    """One number of one subject: of a run, at a moment (UTC, naive)."""

    subject: Subject
    part: str
    value: float
    run_id: str
    at: datetime


def measured(session: Session, schema: str, check: str, now: datetime) -> list[Number]:
    """What `sql/monitoring/<check>.sql` answers now."""
    rows = session.fetch(render_sql(f"monitoring/{check}.sql", schema=sql.identifier(schema)))
    return [
        Number(Subject(kind, name), part, float(value), str(run_id), now)
        for kind, name, part, value, run_id in rows
    ]


def newest(session: Session, schema: str, kind: SubjectKind, metric: str) -> list[Number]:
    """A metric's newest number of each subject and part."""
    return _numbers(
        session,
        f"SELECT subject_kind, subject, part, value, run_id, recorded_at FROM (SELECT metrics.*, ROW_NUMBER() OVER "
        f"(PARTITION BY subject, part ORDER BY recorded_at DESC, plan_id DESC) AS nth FROM {table(schema, 'metrics')} "
        f"AS metrics WHERE {_of(kind, metric)}) AS numbered WHERE nth = 1",
    )


def series(
    session: Session, schema: str, kind: SubjectKind, metric: str, history: timedelta
) -> Iterator[list[Number]]:
    """A metric's numbers of each subject and part, oldest first."""
    seconds = int(history.total_seconds())
    numbers = _numbers(
        session,
        f"SELECT subject_kind, subject, part, value, run_id, recorded_at FROM {table(schema, 'metrics')} "
        f"WHERE {_of(kind, metric)} AND recorded_at >= DATEADD(second, -{seconds}, GETDATE()) "
        "ORDER BY subject, part, recorded_at, plan_id",
    )
    for _, group in groupby(numbers, key=lambda each: (each.subject, each.part)):
        yield list(group)


def judged(session: Session, schema: str, check: str) -> dict[tuple[Subject, str], dict[str, str]]:
    """By subject and part: run -> the verdict on it."""
    rows = session.fetch(
        "SELECT subject_kind, subject, part, run_id, verdict "
        f"FROM {table(schema, 'check_results')} WHERE check_name = {sql.literal(check)} ORDER BY checked_at"
    )
    found: dict[tuple[Subject, str], dict[str, str]] = {}
    for kind, name, part, run_id, verdict in rows:
        found.setdefault((Subject(kind, name), part), {})[run_id] = verdict
    return found


def last_ends(session: Session, schema: str) -> dict[Subject, tuple[datetime, str]]:
    """When the newest run of each sync and audience began (an audience: was measured), and its id."""
    rows = session.fetch(
        f"SELECT 'sync', sync, started_at, run_id FROM (SELECT sync, started_at, run_id, ROW_NUMBER() OVER "
        f"(PARTITION BY sync ORDER BY plan_id DESC) AS nth FROM {table(schema, 'runs')}) AS r WHERE nth = 1 "
        "UNION ALL SELECT 'audience', subject, recorded_at, run_id FROM (SELECT subject, recorded_at, run_id, "
        "ROW_NUMBER() OVER (PARTITION BY subject ORDER BY recorded_at DESC) AS nth "
        f"FROM {table(schema, 'metrics')} WHERE subject_kind = 'audience' AND metric = 'members') AS m WHERE nth = 1"
    )
    return {Subject(kind, name): (began, run_id) for kind, name, began, run_id in rows}


def exists(session: Session, relation: str) -> bool:
    """Whether a table is there."""
    schema, _, name = relation.partition(".")
    return bool(
        session.fetch(
            f"SELECT 1 FROM information_schema.tables WHERE table_schema = {sql.literal(schema)} "
            f"AND table_name = {sql.literal(name)}"
        )
    )


def expire(schema: str, days: int) -> str:
    """Forget old results."""
    return f"DELETE FROM {table(schema, 'check_results')} WHERE checked_at < DATEADD(day, -{days}, GETDATE())"


def _of(kind: SubjectKind, metric: str) -> str:
    return f"subject_kind = {sql.literal(kind)} AND metric = {sql.literal(metric)}"


def _numbers(session: Session, query: str) -> list[Number]:
    return [
        Number(Subject(kind, name), part, float(value), run_id, at)
        for kind, name, part, value, run_id, at in session.fetch(query)
    ]
