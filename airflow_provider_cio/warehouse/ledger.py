"""Rows of `plans`, `runs`, `findings` and `leases`: one small statement each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Kind
from airflow_provider_cio.core.report import PlanCounts, RunReport
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

PlanStatus = Literal["open", "stopped", "committed", "closed", "dropped"]
COUNTS = ("source_rows", "tracked", "added", "changed", "unchanged", "exited", "unidentified", "quarantined")
_PLAN_COLUMNS = (
    "plan_id, sync, kind, run_id, status, mapping, payload_columns, "
    f"{', '.join(COUNTS)}, shards, prefix, manifest, outcome_objects"
)


@dataclass(frozen=True)
class Plan:
    """What one run decided to send, and where it lies.

    `prefix` and `manifest` are keys of the staging bucket; `columns` are the payload columns with their types
    in the source; `counts` says what the plan holds.
    """

    plan_id: str
    sync: str
    kind: Kind
    run_id: str
    status: PlanStatus
    mapping: str
    columns: tuple[Column, ...]
    counts: PlanCounts
    shards: int
    prefix: str
    manifest: str | None = None
    outcome_objects: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, counts only."""
        return asdict(self)


@dataclass(frozen=True)
class PreflightFinding:
    """Something that is wrong with a source. A `stop` ends the run; rows of a `warning` are not sent, those of a
    `notice` are.

    `samples` are hashed keys. `rows` is 0 where the finding is not about rows.
    """

    name: str
    severity: Literal["stop", "warning", "notice"]
    message: str
    field: str = ""
    rows: int = 0
    samples: tuple[str, ...] = ()
    next_step: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "samples": list(self.samples)}


def insert_plan(session: Session, schema: str, plan: Plan) -> None:
    """A new, open plan."""
    columns = json.dumps([[column.name, column.oid] for column in plan.columns])
    values = (
        *(plan.plan_id, plan.sync, plan.kind, plan.run_id, plan.status, plan.mapping, columns),
        *(getattr(plan.counts, name) for name in COUNTS),
        *(plan.shards, plan.prefix, plan.manifest, plan.outcome_objects),
    )
    session.run(
        f"INSERT INTO {table(schema, 'plans')} ({_PLAN_COLUMNS}, created_at) "
        f"VALUES ({', '.join(map(sql.literal, values))}, GETDATE())"
    )


def find_plans(session: Session, schema: str, condition: str) -> list[Plan]:
    """Plans that meet a condition, newest first."""
    rows = session.fetch(
        f"SELECT {_PLAN_COLUMNS} FROM {table(schema, 'plans')} WHERE {condition} ORDER BY plan_id DESC"
    )
    return [_plan(row) for row in rows]


def _plan(row: tuple[Any, ...]) -> Plan:
    plan_id, sync, kind, run_id, status, mapping, columns, *rest = row
    counts = dict(zip(COUNTS, map(int, rest), strict=False))
    shards, prefix, manifest, outcome_objects = rest[len(COUNTS) :]
    if status not in get_args(PlanStatus):
        raise ValueError(f"plan {plan_id} has the unknown status '{status}'")
    return Plan(
        plan_id,
        sync,
        kind,
        run_id,
        status,
        mapping,
        tuple(Column(name, oid) for name, oid in json.loads(columns)),
        PlanCounts(**counts),
        int(shards),
        prefix,
        manifest,
        int(outcome_objects),
    )


def update_plan(
    session: Session, schema: str, plan_id: str, *, moment: str = "", **values: str | int
) -> None:
    """Set columns of a plan; `moment` is a time column that becomes now."""
    settings = [f"{name} = {sql.literal(value)}" for name, value in values.items()]
    settings += [f"{moment} = GETDATE()"] if moment else []
    session.run(
        f"UPDATE {table(schema, 'plans')} SET {', '.join(settings)} WHERE plan_id = {sql.literal(plan_id)}"
    )


def write_run(
    session: Session, schema: str, report: RunReport, *, status: str, message: str = ""
) -> RunReport:
    """Write the run row of a plan, replacing an earlier one; the report comes back with its `seconds`."""
    runs, plan_id = table(schema, "runs"), sql.literal(report.plan_id)
    plan = f"FROM {table(schema, 'plans')} WHERE plan_id = {plan_id}"
    milliseconds = session.fetch(f"SELECT DATEDIFF(ms, created_at, GETDATE()) {plan}")[0][0]
    numbers: Mapping[str, int] = {
        **{name: getattr(report.counts, name) for name in COUNTS},
        **{name: getattr(report, name) for name in ("sent", "accepted", "rejected", "unknown", "unsent")},
        **{name: getattr(report, name) for name in ("requests", "bytes", "retries", "rate_limited")},
    }
    values = (report.sync, report.plan_id, report.run_id, status, *numbers.values(), message[:1000] or None)
    session.run(f"DELETE FROM {runs} WHERE plan_id = {plan_id}")
    session.run(
        f"INSERT INTO {runs} (sync, plan_id, run_id, status, {', '.join(numbers)}, message, seconds, "
        f"started_at, finished_at) SELECT {', '.join(map(sql.literal, values))}, "
        f"{int(milliseconds)} / 1000.0, created_at, GETDATE() {plan}"
    )
    return replace(report, seconds=int(milliseconds) / 1000)


def write_findings(
    session: Session, schema: str, *, sync: str, run_id: str, phase: str, findings: Iterable[PreflightFinding]
) -> None:
    """What one phase of a run found, replacing what it found before."""
    target = table(schema, "findings")
    origin = (sync, run_id, phase)
    session.run(
        f"DELETE FROM {target} WHERE sync = {sql.literal(sync)} AND run_id = {sql.literal(run_id)} "
        f"AND phase = {sql.literal(phase)}"
    )
    for found in findings:
        samples = ",".join(found.samples) or None
        message = f"{found.message} Next step: {found.next_step}" if found.next_step else found.message
        values = (*origin, found.name, found.severity, found.field or None, found.rows, samples, message)
        session.run(
            f"INSERT INTO {target} "
            "(sync, run_id, phase, name, severity, field, rows, samples, message, found_at) "
            f"VALUES ({', '.join(map(sql.literal, values))}, GETDATE())"
        )


@dataclass(frozen=True)
class LeaseRow:
    """Who may send, and for how long still (seconds, by Redshift's clock; negative: it has ended)."""

    holder: str
    expires_at: datetime
    remaining: float


def read_lease(session: Session, schema: str, sync: str) -> LeaseRow | None:
    """The lease of a sync."""
    rows = session.fetch(
        f"SELECT holder, expires_at, DATEDIFF(ms, GETDATE(), expires_at) FROM {table(schema, 'leases')} "
        f"WHERE sync = {sql.literal(sync)}"
    )
    return LeaseRow(rows[0][0], rows[0][1], float(rows[0][2]) / 1000) if rows else None


def write_lease(session: Session, schema: str, sync: str, holder: str, seconds: int) -> None:
    """Give the lease of a sync to a holder, from now on."""
    leases = table(schema, "leases")
    session.run(f"DELETE FROM {leases} WHERE sync = {sql.literal(sync)}")
    session.run(
        f"INSERT INTO {leases} (sync, holder, expires_at, taken_at) VALUES ({sql.literal(sync)}, "
        f"{sql.literal(holder)}, DATEADD(second, {seconds}, GETDATE()), GETDATE())"
    )


def end_lease(session: Session, schema: str, sync: str, holder: str) -> None:
    """Let go of a lease, if this holder has it."""
    session.run(
        f"UPDATE {table(schema, 'leases')} SET expires_at = GETDATE() "
        f"WHERE sync = {sql.literal(sync)} AND holder = {sql.literal(holder)}"
    )
