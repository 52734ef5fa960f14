"""Read back what was sent, within a budget of requests, and name what is not there as it was accepted."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from typing import Any

from airflow_provider_cio.core import operations
from airflow_provider_cio.core.redaction import hashed, redact
from airflow_provider_cio.engine import plan as plans
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.preflight import record
from airflow_provider_cio.engine.read_back import Reading, Sent, affordable, read_back
from airflow_provider_cio.engine.sample import table_of
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.engine.watch.measured import write_drift_metrics
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import drift
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.drift import Drift
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

log = logging.getLogger(__name__)
SAMPLES = 5


def reconcile(ctx: SyncContext, plan_id: str) -> dict[str, Any]:
    """Compare a sample of what was accepted with Customer.io; counts by reason.

    Differences are written to `cio_sync.drift`, and attributes that another writer changed are findings of
    the phase `reconcile`. Nothing is sent.

    :raises ContractError: the context has no App API client.
    """
    if ctx.app is None:
        raise ContractError(
            "Nothing can be read back without an App API key.",
            next_step="fill in app_api_key of the Customer.io connection.",
        )
    plan = plans.load(ctx, plan_id)
    reading = Reading(ctx.app, ctx.sync.reconcile.requests)
    if ctx.sync.kind == "people":
        _count_people(ctx, reading)
        _read_failures(ctx, reading, plan_id)
    read_back(ctx.sync, reading, _sample(ctx, min(ctx.sync.reconcile.sample, affordable(ctx.sync, reading))))
    found = list({(each.key_hash, each.field): each for each in reversed(reading.found)}.values())[::-1]
    findings = reading.findings + _ownership(ctx, found)
    drifted = len({each.key_hash for each in found})

    def write(session: Session) -> None:
        drift.write(session, ctx.schema, sync=ctx.sync.name, plan_id=plan_id, run_id=plan.run_id, found=found)
        write_drift_metrics(session, ctx.schema, plan, reading.sampled, drifted)

    ctx.warehouse.transaction(write)
    record(ctx, "reconcile", findings)
    for finding in findings:
        log.warning("%s", finding.message)
    return {
        "sync": ctx.sync.name,
        "plan_id": plan_id,
        "sampled": reading.sampled,
        "drifted": drifted,
        "by_reason": dict(Counter(each.reason for each in found)),
        "fields": sorted({each.field for each in found if each.field}),
        "requests": reading.requests,
    }


def _sample(ctx: SyncContext, n: int) -> list[Sent]:
    def read(session: Session) -> list[Sent]:
        source = resolve(ctx, session)
        rows = session.fetch(drift.sample(source, ctx.schema, n))
        columns = [column for _, column in source.fields]
        table_ = table_of(source, [row[1:] for row in rows])
        rendered = operations.preview(table_, ctx.sync, redact=False, columns=columns)
        return [
            Sent(str(row[1]), str(row[2]), row[3] or ctx.sync.identifier, row[4], int(row[0]), at, operation)
            for row, at, operation in zip(rows, table_["occurred_at"].to_pylist(), rendered, strict=True)
            if "refused" not in operation
        ]

    return ctx.warehouse.transaction(read, keep=False) if n > 0 else []


def _count_people(ctx: SyncContext, reading: Reading) -> None:
    tracked = int(ctx.warehouse.fetch(f"SELECT COUNT(*) FROM {ctx.state} WHERE present")[0][0])
    known = reading.app.workspaces()
    if len(known) == 1 and int(known[0].get("people", tracked)) < tracked:
        there = int(known[0]["people"])
        reading.findings.append(
            PreflightFinding(
                "people_missing",
                "warning",
                f"{ctx.file}: {tracked:,} people are tracked, and the workspace holds {there:,}.",
                rows=tracked - there,
                next_step="Customer.io's number may be two hours old; if it stays, look at cio_sync.drift.",
            )
        )


def _read_failures(ctx: SyncContext, reading: Reading, plan_id: str) -> None:
    """`failed_attribute_change` activities of our people and attributes since the run began."""
    moment = f"SELECT {sql.milliseconds('created_at')} / 1000 FROM {table(ctx.schema, 'plans')}"
    began = int(ctx.warehouse.fetch(f"{moment} WHERE plan_id = {sql.literal(plan_id)}")[0][0])
    failures: dict[str, dict[str, Any]] = defaultdict(dict)
    for activity in reading.within_budget(reading.app.activities("failed_attribute_change")):
        if int(activity["timestamp"]) < began:
            break
        known = activity.get("customer_identifiers") or {}
        by = next((name for name in ctx.sync.identifiers if known.get(name)), None)
        if by is not None:
            behind = "" if by == ctx.sync.identifier else f"\x1f{by}"
            failures[f"{known[by]}{behind}"].update(activity.get("data") or {})
    ours = ctx.warehouse.fetch(drift.tracked_among(ctx.state, list(failures))) if failures else []
    for (key,) in ours:
        for name, change in failures[key].items():
            if name in ctx.sync.fields:
                said = redact(str(change.get("reason", ""))) if isinstance(change, dict) else ""
                reading.found.append(Drift(hashed(key), name, "never_arrived", said))


def _ownership(ctx: SyncContext, found: list[Drift]) -> list[PreflightFinding]:
    """Each of our attributes that somebody else wrote after us."""
    by_field: dict[str, list[str]] = defaultdict(list)
    for each in found:
        if each.field and each.reason in {"overwritten", "type_changed"}:
            by_field[each.field].append(each.key_hash)
    return [
        PreflightFinding(
            "attribute_overwritten",
            "warning",
            f"'{name}' belongs to sync '{ctx.sync.name}', and another writer changed it for {len(keys):,} "
            "of the people who were read back.",
            field=name,
            rows=len(keys),
            samples=tuple(sorted(keys)[:SAMPLES]),
            next_step=f"find who else writes '{name}' (campaigns, forms, other syncs), stop them, then "
            f"`airflow cio repair {ctx.sync.name}`.",
        )
        for name, keys in sorted(by_field.items())
    ]
