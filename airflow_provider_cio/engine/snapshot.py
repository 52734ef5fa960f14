"""Read a snapshot out of our tables: at a commit, when the cluster is awake anyhow, or when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from airflow_provider_cio.core.run_id import moment_of
from airflow_provider_cio.core.snapshot import (
    GOOD,
    About,
    Alert,
    Day,
    Destination,
    Detail,
    Drifted,
    Found,
    OpenAlerts,
    Reject,
    Run,
    Snapshot,
    Summary,
)
from airflow_provider_cio.warehouse import snapshot as queries
from airflow_provider_cio.warehouse.session import Session, Warehouse

_WITH_REJECTS = 10
"""Of how many runs the reasons are kept."""
_RECENT = 30
_RUN_FIELDS = tuple(
    {"source_rows": "source", "unidentified": "withheld"}.get(name, name) for name in queries.RUN_COLUMNS
)
_DESTINATION_FIELDS = ("name", *queries.DESTINATION_COLUMNS[1:])


def take(warehouse: Warehouse, about: About) -> Snapshot:
    """What our tables say of one sync, audience or route now; a few small queries.

    :raises CustomerIOProviderError: Redshift does not answer, or the tables are not there.
    """

    def read(session: Session) -> Snapshot:
        taken = _READERS[about.subject](session, warehouse.schema, about)
        subject = (about.subject, about.name)
        alerts = [
            each
            for each in _alerts(session, warehouse.schema)
            if (each.subject_kind, each.subject) == subject
        ]
        return taken.model_copy(update={"summary": taken.summary.model_copy(update={"alerts": alerts})})

    return warehouse.transaction(read)


def open_alerts(warehouse: Warehouse) -> OpenAlerts:
    """All alerts that are open now.

    :raises CustomerIOProviderError: Redshift does not answer.
    """
    found = warehouse.transaction(lambda session: _alerts(session, warehouse.schema))
    return OpenAlerts(taken_at=datetime.now(UTC), alerts=found)


def _alerts(session: Session, schema: str) -> list[Alert]:
    if not session.fetch(queries.has_alerts(schema)):
        return []
    return [
        Alert(
            subject_kind=kind,
            subject=subject,
            name=f"{check} {part}".strip(),
            severity=state,
            message=message,
            since=_utc(since),
            runbook=runbook,
        )
        for kind, subject, check, part, state, message, since, runbook in session.fetch(
            queries.alerts(schema)
        )
    ]


def _sync(session: Session, schema: str, about: About) -> Snapshot:
    runs = [_run(row) for row in session.fetch(queries.runs(schema, about.name))]
    torn = [run.plan_id for run in runs if run.rejected or run.unknown][:_WITH_REJECTS]
    rejects = session.fetch(queries.rejects(schema, about.name, torn)) if torn else []
    found = session.fetch(queries.findings(schema, about.name, runs[0].run_id)) if runs else []
    detail = Detail(
        runs=runs,
        days=[
            Day(day=d, runs=n, bad=b, accepted=a, rejected=r, unsent=u, seconds=s)
            for d, n, b, a, r, u, s in session.fetch(queries.days(schema, about.name))
        ],
        rejects=[
            Reject(plan_id=plan, kind=kind, reason=reason, field=field, rows=rows, samples=samples.split(","))
            for plan, kind, reason, field, rows, samples in rejects
        ],
        drift=[
            Drifted(reason=reason, field=field, rows=rows)
            for reason, field, rows in session.fetch(queries.drift(schema, about.name))
        ],
        findings=[
            Found(name=name, severity=severity, field=field, rows=rows, message=message)
            for name, severity, field, rows, message in found
        ],
    )
    delivered = session.fetch(queries.delivered(schema, about.name))[0][0]
    return _snapshot(about, detail, delivered)


def _audience(session: Session, schema: str, about: About) -> Snapshot:
    measured = [
        Destination(**dict(zip(_DESTINATION_FIELDS, _row(row), strict=False)))
        for row in session.fetch(queries.measurements(schema, about.name))
    ]
    runs = [
        Run(
            run_id=run_id,
            status="partial" if refused or undecided else "sent",
            message=reason or "",
            accepted=rows - refused - undecided,
            rejected=refused,
            unknown=undecided,
            requests=requests,
            finished_at=_utc(finished),
            lag=_lag(run_id, finished),
        )
        for run_id, rows, refused, undecided, requests, reason, finished in session.fetch(
            queries.uploads(schema, about.name)
        )
    ]
    delivered = max((each.measured_at for each in measured), default=None)
    latest = {each.name: each for each in measured}
    return _snapshot(about, Detail(runs=runs, destinations=measured), delivered, list(latest.values()))


def _reporting(session: Session, schema: str, about: About) -> Snapshot:
    runs = [
        Run(
            run_id=run_id,
            status="sent" if status == "loaded" and not gaps else "partial",
            message=message or (f"{gaps} days are missing" if gaps else ""),
            source=read,
            accepted=new,
            unsent=gaps,
            finished_at=_utc(finished),
            lag=_lag(run_id, finished),
        )
        for run_id, status, read, new, gaps, message, finished in session.fetch(
            queries.reporting_runs(schema, about.name)
        )
    ]
    return _snapshot(about, Detail(runs=runs), _last_good(runs))


_READERS: dict[str, Callable[[Session, str, About], Snapshot]] = {
    "sync": _sync,
    "audience": _audience,
    "reporting": _reporting,
}


def _snapshot(
    about: About, detail: Detail, delivered: datetime | None, destinations: Iterable[Destination] = ()
) -> Snapshot:
    last = detail.runs[0] if detail.runs else None
    summary = Summary(
        about=about,
        taken_at=datetime.now(UTC),
        last=last,
        delivered_at=_utc(delivered) if delivered else None,
        recent=[run.accepted for run in reversed(detail.runs[:_RECENT])],
        rejects=last.rejected if last else 0,
        drift=sum(each.rows for each in detail.drift),
        destinations=list(destinations),
    )
    return Snapshot(summary=summary, detail=detail)


def _run(row: tuple[Any, ...]) -> Run:
    values = dict(zip(_RUN_FIELDS, _row(row), strict=True))
    values["message"] = values["message"] or ""
    return Run(**values, lag=_lag(values["run_id"], values["finished_at"]))


def _row(row: tuple[Any, ...]) -> list[Any]:
    """Redshift's TIMESTAMP has no zone; ours are UTC."""
    return [_utc(value) if isinstance(value, datetime) else value for value in row]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _lag(run_id: str, finished: datetime) -> float | None:
    due = moment_of(run_id)
    return None if due is None else round((_utc(finished) - due).total_seconds(), 1)


def _last_good(runs: list[Run]) -> datetime | None:
    return max((run.finished_at for run in runs if run.status in GOOD), default=None)
