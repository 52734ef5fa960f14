"""Rows of `metrics`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from airflow_provider_cio.core.watch.metrics import Measured, Subject
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

_AT_ONCE = 200


def write_metrics(
    session: Session,
    schema: str,
    subject: Subject,
    *,
    run_id: str,
    plan_id: str = "",
    measured: Sequence[Measured],
    replacing: Collection[str],
    part: str | None = None,
) -> None:
    """What a run measured. Written again, it replaces the metrics `replacing` of the same run and plan.

    :param part: replace those of this part only.
    """
    target = table(schema, "metrics")
    of_part = "" if part is None else f" AND part = {sql.literal(part)}"
    session.run(
        f"DELETE FROM {target} WHERE {of(subject)} AND plan_id = {sql.literal(plan_id)} "
        f"AND run_id = {sql.literal(run_id[:250])} "
        f"AND metric IN ({', '.join(map(sql.literal, sorted(replacing)))}){of_part}"
    )
    origin = ", ".join(map(sql.literal, (subject.kind, subject.name)))
    run = ", ".join(map(sql.literal, (plan_id, run_id[:250])))
    for first in range(0, len(measured), _AT_ONCE):
        rows = ", ".join(
            f"({origin}, {sql.literal(each.part[:250])}, {run}, {sql.literal(each.metric)}, "
            f"{float(each.value)!r}, GETDATE())"
            for each in measured[first : first + _AT_ONCE]
        )
        session.run(
            f"INSERT INTO {target} (subject_kind, subject, part, plan_id, run_id, metric, value, recorded_at) "
            f"VALUES {rows}"
        )


def of(subject: Subject) -> str:
    """The condition of a subject."""
    return f"subject_kind = {sql.literal(subject.kind)} AND subject = {sql.literal(subject.name)}"
