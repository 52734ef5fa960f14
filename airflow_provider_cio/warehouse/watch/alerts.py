"""Rows of `check_results`, `alerts` and `alert_transitions`.

Who changes an alert locks the table first, so that two who see the same at the same time make one transition, and one
of them tells the owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from airflow_provider_cio.core.watch.alerting import (
    Alert,
    Message,
    Observation,
    QuietHours,
    level_of,
    next_state,
    to_tell,
)
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

_COLUMNS = "alert, check_name, subject_kind, subject, part, alert_group, owner, runbook, state, message, run_id, told"
_AT_ONCE = 500
TELLING_SECONDS = 120
"""How long whoever tells an owner keeps others from doing so; one that died is followed by another then."""


def observe(session: Session, schema: str, observations: Sequence[Observation]) -> list[Alert]:
    """Write results, move alerts; those whose state changed, as they are now."""
    if not observations:
        return []
    session.run(f"LOCK TABLE {table(schema, 'alerts')}")
    known = {each.alert: each for each in read(session, schema, "TRUE")}
    before = dict(known)
    changed: list[Alert] = []
    for each in observations:
        was, now = known.get(each.alert), moved(each, known.get(each.alert))
        if was is None or was.state != now.state:
            changed.append(now)
        known[each.alert] = now
    seen = {each.alert for each in observations}
    _insert(session, schema, [known[name] for name in sorted(seen - before.keys())])
    for name in sorted(seen & before.keys()):
        if known[name] != before[name] and (before[name].state, known[name].state) != ("ok", "ok"):
            _update(session, schema, before[name], known[name])
    _write_transitions(session, schema, before, changed)
    _write_results(session, schema, observations)
    session.run(f"UPDATE {table(schema, 'alerts')} SET checked_at = GETDATE() WHERE {_among(seen)}")
    return changed


def read(session: Session, schema: str, condition: str) -> list[Alert]:
    """Alerts that meet a condition, by name."""
    rows = session.fetch(f"SELECT {_COLUMNS} FROM {table(schema, 'alerts')} WHERE {condition} ORDER BY alert")
    return [
        Alert(alert, check, Subject(kind, name), part, group, owner, runbook, state, message, run_id, told)
        for alert, check, kind, name, part, group, owner, runbook, state, message, run_id, told in rows
    ]


def claim(
    session: Session, schema: str, now: datetime, quiet: QuietHours | None = None, only: str | None = None
) -> list[Message]:
    """The messages that are due; nobody else gets them for :data:`TELLING_SECONDS`.

    :param only: of the outage of this alert.
    """
    session.run(f"LOCK TABLE {table(schema, 'alerts')}")
    books = table(schema, "alerts")
    free = f"alert_group NOT IN (SELECT alert_group FROM {books} WHERE telling_until >= GETDATE())"
    open_ones = "state IN ('warning', 'critical') OR told <> 'ok'"
    condition = f"({open_ones}) AND {free}"
    if only is not None:
        own = f"SELECT alert_group FROM {table(schema, 'alerts')} WHERE alert = {sql.literal(only)}"
        condition += f" AND alert_group IN ({own})"
    messages, joined = to_tell(read(session, schema, condition), now, quiet)
    for each in joined:
        session.run(
            f"UPDATE {table(schema, 'alerts')} SET told = {sql.literal(level_of(each.state))} "
            f"WHERE alert = {sql.literal(each.alert)}"
        )
    named = [each.alert for message in messages for each in message.alerts]
    if named:
        session.run(
            f"UPDATE {table(schema, 'alerts')} SET telling_until = DATEADD(second, {TELLING_SECONDS}, GETDATE()) "
            f"WHERE {_among(named)}"
        )
    return messages


def told(session: Session, schema: str, message: Message, by: str) -> None:
    """The owner knows: of these alerts, and of their transitions."""
    names = _among(each.alert for each in message.alerts)
    for each in message.alerts:
        session.run(
            f"UPDATE {table(schema, 'alerts')} SET told = {sql.literal(level_of(each.state))}, "
            f"told_at = GETDATE(), telling_until = NULL WHERE alert = {sql.literal(each.alert)}"
        )
    session.run(
        f"UPDATE {table(schema, 'alert_transitions')} SET told_at = GETDATE(), told_by = {sql.literal(by[:1000])} "
        f"WHERE {names} AND told_at IS NULL AND to_state <> 'ok'"
    )


def not_told(session: Session, schema: str, message: Message) -> None:
    """No notifier did it: the next one who looks tries again."""
    session.run(
        f"UPDATE {table(schema, 'alerts')} SET telling_until = NULL "
        f"WHERE {_among(each.alert for each in message.alerts)}"
    )


def ended(schema: str, missed: Observation) -> str:
    """Whether a run that missed its deadline is done, as far as the books say."""
    return (
        f"SELECT 1 FROM {table(schema, 'check_results')} WHERE check_name = {sql.literal(missed.check)} "
        f"AND subject_kind = {sql.literal(missed.subject.kind)} AND subject = {sql.literal(missed.subject.name)} "
        f"AND run_id = {sql.literal(missed.run_id[:250])} AND verdict = 'ok' LIMIT 1"
    )


def moved(seen: Observation, before: Alert | None) -> Alert:
    """The alert after an observation."""
    alert = Alert(
        alert=seen.alert,
        check=seen.check,
        subject=seen.subject,
        part=seen.part,
        group=seen.group or seen.alert,
        owner=seen.owner,
        runbook=seen.runbook,
        state=next_state(before.state if before else None, seen.verdict),
        message=seen.message[:1000],
        run_id=seen.run_id[:250],
        told=before.told if before else "ok",
    )
    if before is not None and seen.verdict in {"learning", "no_data"}:
        return replace(alert, message=before.message, run_id=before.run_id)
    return alert


def _insert(session: Session, schema: str, alerts: Sequence[Alert]) -> None:
    rows = (
        (
            *(each.alert, each.check, *each.subject, each.part, each.group, each.owner, each.runbook),
            *(each.state, each.message, each.run_id, each.told),
        )
        for each in alerts
    )
    _insert_rows(session, table(schema, "alerts"), _COLUMNS, "since, checked_at", rows)


def _update(session: Session, schema: str, before: Alert, after: Alert) -> None:
    values = {
        "alert_group": after.group,
        "owner": after.owner,
        "runbook": after.runbook,
        "state": after.state,
        "message": after.message,
        "run_id": after.run_id,
    }
    since = ", since = GETDATE()" if before.state != after.state else ""
    settings = ", ".join(f"{name} = {sql.literal(value)}" for name, value in values.items())
    session.run(
        f"UPDATE {table(schema, 'alerts')} SET {settings}{since} WHERE alert = {sql.literal(after.alert)}"
    )


def _write_transitions(
    session: Session, schema: str, before: Mapping[str, Alert], changed: Iterable[Alert]
) -> None:
    states = {name: each.state for name, each in before.items()}
    rows: list[tuple[str | float | None, ...]] = []
    for each in changed:
        was = states.get(each.alert, "learning")
        states[each.alert] = each.state
        if was != each.state:
            rows.append((each.alert, was, each.state, each.message, each.run_id))
    columns = "alert, from_state, to_state, message, run_id"
    _insert_rows(session, table(schema, "alert_transitions"), columns, "changed_at", rows)


def _write_results(session: Session, schema: str, observations: Iterable[Observation]) -> None:
    rows = (
        (
            *(each.check, *each.subject, each.part, each.verdict, each.value, each.low, each.high),
            *(each.message[:1000], each.run_id[:250]),
        )
        for each in observations
    )
    columns = "check_name, subject_kind, subject, part, verdict, value, low, high, message, run_id"
    _insert_rows(session, table(schema, "check_results"), columns, "checked_at", rows)


def _insert_rows(
    session: Session, target: str, columns: str, moments: str, rows: Iterable[tuple[str | float | None, ...]]
) -> None:
    """`moments` are columns that become now."""
    now = ", GETDATE()" * len(moments.split(","))
    written = [f"({', '.join(map(_value, row))}{now})" for row in rows]
    for first in range(0, len(written), _AT_ONCE):
        values = ", ".join(written[first : first + _AT_ONCE])
        session.run(f"INSERT INTO {target} ({columns}, {moments}) VALUES {values}")


def _value(value: str | float | None) -> str:
    return repr(float(value)) if isinstance(value, int | float) else sql.literal(value)


def _among(alerts: Iterable[str]) -> str:
    return f"alert IN ({', '.join(map(sql.literal, sorted(set(alerts))))})"
