"""Send the test cohort, and nobody else; read it back; compare field by field."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.core import operations
from airflow_provider_cio.core.comparison import difference
from airflow_provider_cio.core.contract import Identifier, SpotCheck
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.holding import TRIGGERS_FOR_HOURS
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.sample import table_of
from airflow_provider_cio.engine.selection import meant, of_cohort
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import mapped, where

PAUSE_SECONDS = 2.0
HOUR = 3600


@dataclass(frozen=True)
class Line:
    """One comparison: of whom (a hashed identifier, or empty), what, and both values."""

    who: str
    what: str
    expected: Any
    actual: Any
    ok: bool


@dataclass(frozen=True)
class Expected:
    """A row of the cohort: whom it is about, when it happened, and its operation."""

    who: tuple[str, Identifier]
    occurred_at: datetime | None
    operation: dict[str, Any]


def verify(ctx: SyncContext, *, wait: float = 30.0) -> list[Line]:
    """Send the cohort's rows, whether they changed or not, and compare.

    Customer.io applies what it accepted within seconds: what differs is read again for `wait` seconds.

    :raises ContractError: the sync has no `cohort`, is of a kind that cannot be read back, there is no App API
        key, or a segment or campaign of `checks` does not exist.
    """
    app = _ready(ctx)
    sync = ctx.sync
    people = [meant(sync, each) for each in sync.cohort]
    chosen = replace(ctx, selection=of_cohort(sync, ctx.file))
    began = int(time.time())
    campaigns = {check.campaign: _campaign(app, check.campaign) for check in sync.checks if check.campaign}
    before = {
        name: app.journeys_started(number, began - HOUR, began + HOUR) for name, number in campaigns.items()
    }
    young = _young_and_new(chosen) if campaigns else 0
    run_sync(chosen)
    expected = _expected(chosen)

    def compare() -> list[Line]:
        lines = [*_rows(ctx, app, people, expected), *(_segments(ctx, app))]
        for name, number in campaigns.items():
            started = app.journeys_started(number, began - HOUR, int(time.time()) + HOUR) - before[name]
            lines.append(Line("", f"journeys of '{name}'", young, started, started >= young > 0))
        return lines

    return _patiently(compare, wait)


def _ready(ctx: SyncContext) -> AppClient:
    of_cohort(ctx.sync, ctx.file)
    if ctx.sync.kind != "people" and ctx.sync.event is None:
        raise ContractError(
            f"{ctx.file}: cohort: only people, and events with a name, are read back.",
            next_step="leave it out.",
        )
    if ctx.app is None:
        raise ContractError(
            "Nothing can be read back without an App API key.",
            next_step="fill in app_api_key of the Customer.io connection.",
        )
    return ctx.app


def _patiently(compare: Callable[[], list[Line]], wait: float) -> list[Line]:
    deadline = time.monotonic() + wait
    while True:
        lines = compare()
        if all(line.ok for line in lines) or time.monotonic() >= deadline:
            return lines
        time.sleep(PAUSE_SECONDS)


def _expected(ctx: SyncContext) -> list[Expected]:
    """Of each row of the cohort."""

    def read(session: Session) -> list[Expected]:
        source = resolve(ctx, session)
        rows = session.fetch(f"SELECT * FROM ({mapped(source)}) AS mapped{where(source)}")
        columns = [column for _, column in source.fields]
        table = table_of(source, rows)
        shown = operations.preview(table, ctx.sync, redact=False, columns=columns)
        moments = table["occurred_at"].to_pylist()
        kinds = [by or ctx.sync.identifier for by in table["identified_by"].to_pylist()]
        found = zip(table["identifier"].to_pylist(), kinds, moments, shown, strict=True)
        return [Expected((str(who), by), at, operation) for who, by, at, operation in found]

    return ctx.warehouse.transaction(read, keep=False)


def _young_and_new(ctx: SyncContext) -> int:
    """Events of the cohort that were not accepted before and are young enough to start a journey."""

    def count(session: Session) -> int:
        state.ensure_in(session, ctx.schema, ctx.sync.name)
        source = resolve(ctx, session)
        recent = f"occurred_at >= DATEADD(hour, -{TRIGGERS_FOR_HOURS}, GETDATE())"
        rows = session.fetch(
            f"SELECT COUNT(*) FROM ({mapped(source)}) AS mapped{where(source)} AND {recent} "
            f"AND row_key NOT IN (SELECT row_key FROM {ctx.state})"
        )
        return int(rows[0][0])

    return ctx.warehouse.transaction(count, keep=False)


def _rows(
    ctx: SyncContext,
    app: AppClient,
    people: list[list[tuple[str, Identifier]]],
    expected: list[Expected],
) -> Iterator[Line]:
    for person_ in people:
        found = [each for each in expected if each.who in person_]
        if not found:
            yield Line(hashed(person_[0][0] if person_ else ""), "row of the source", "one", "none", ok=False)
            continue
        who, kind = found[0].who
        mine = [(each.occurred_at, each.operation) for each in found]
        person = app.person(who, kind)
        yield Line(hashed(who), "profile", "there", "there" if person else "not there", ok=person is not None)
        if person is None:
            continue
        if ctx.sync.kind == "people":
            for _, operation in mine:
                yield from _fields(who, "", operation, person.get("attributes", {}))
        else:
            yield from _events(ctx, app, (who, kind), mine)
        names = sorted(str(each.get("name")) for each in app.segments_of(who, kind))
        yield Line(hashed(who), "segments", "", ", ".join(names), ok=True)


def _fields(who: str, prefix: str, operation: dict[str, Any], shown: dict[str, Any]) -> Iterator[Line]:
    if "refused" in operation:
        yield Line(
            hashed(who), operation["field"], "a value that can be sent", operation["refused"], ok=False
        )
        return
    for name, value in operations.values_of(operation).items():
        actual = shown.get(name)
        yield Line(hashed(who), f"{prefix}{name}", value, actual, ok=difference(value, actual) is None)


def _events(
    ctx: SyncContext,
    app: AppClient,
    person: tuple[str, Identifier],
    mine: list[tuple[datetime | None, dict[str, Any]]],
) -> Iterator[Line]:
    name, (who, kind) = str(ctx.sync.event), person
    there = app.activities_of(who, kind, type="event", name=name)
    for at, operation in mine:
        second = int(at.replace(tzinfo=UTC).timestamp()) if at else None
        same = [entry for entry in there if int(entry["timestamp"]) == second]
        what = f"{name} at {at:%Y-%m-%d %H:%M:%S}" if at else name
        yield Line(hashed(who), what, "there", "there" if same else "not there", ok=bool(same))
        fitting = [list(_fields(who, f"{name}.", operation, entry.get("data") or {})) for entry in same]
        best = max(fitting, key=lambda lines: sum(line.ok for line in lines), default=[])
        yield from best


def _segments(ctx: SyncContext, app: AppClient) -> Iterator[Line]:
    checks = [check for check in ctx.sync.checks if check.segment]
    ids = {str(each.get("name")): int(each["id"]) for each in app.segments()} if checks else {}
    for check in checks:
        if check.segment not in ids:
            raise ContractError(
                f"{ctx.file}: checks: there is no segment '{check.segment}'.",
                next_step="write its name as Customer.io shows it.",
            )
        wanted = _number(ctx, check)
        there = app.customer_count(ids[check.segment])
        yield Line("", f"segment '{check.segment}'", wanted, there, ok=abs(wanted - there) <= check.tolerance)


def _number(ctx: SyncContext, check: SpotCheck) -> int:
    rows = ctx.warehouse.transaction(lambda session: session.fetch(str(check.expect)), keep=False)
    if len(rows) != 1 or len(rows[0]) != 1 or rows[0][0] is None:
        raise ContractError(
            f"{ctx.file}: checks: `expect` of segment '{check.segment}' does not answer one number.",
            next_step="write SELECT COUNT(*) FROM ...",
        )
    return int(rows[0][0])


def _campaign(app: AppClient, name: str) -> int:
    for each in app.campaigns():
        if each.get("name") == name:
            return int(each["id"])
    raise ContractError(
        f"There is no campaign '{name}' in Customer.io.", next_step="write its name as Customer.io shows it."
    )
