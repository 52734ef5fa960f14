"""Can this sync run at all? Asked before any row is read."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.contract.findings import RULES, action_of
from airflow_provider_cio.core.ownership import MAX_ATTRIBUTES, MAX_NAME_BYTES
from airflow_provider_cio.core.plan_rows import NAME_LIMIT
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.engine.workspace import keep_to_one
from airflow_provider_cio.exceptions import ContractError, FatalError
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse.ledger import PreflightFinding

__all__ = ["PreflightFinding", "preflight", "record"]


def preflight(ctx: SyncContext) -> list[PreflightFinding]:
    """Check the source's columns and types, the staging bucket, and (with `ctx.track`) the keys and region.

    What stops the run is written to `cio_sync.findings` and raised. Rows are looked at by
    :func:`~airflow_provider_cio.engine.plan.make_plan`, which reads them once.

    :raises SourceError: the source is missing, or a column or type is not what the sync says.
    :raises ContractError: the bucket cannot be used, or the sync has sent to another workspace.
    :raises AuthenticationError: Customer.io refuses the keys, or they belong to another region.
    """
    state.ensure_tables(ctx.warehouse, ctx.sync.name)
    named = list(_names(ctx))
    record(ctx, "preflight", named)
    try:
        _stopped(named)
        ctx.bucket.check()
        source = ctx.warehouse.transaction(lambda session: resolve(ctx, session))
        if ctx.track is not None:
            answer = ctx.track.region()
            keep_to_one(ctx, str(answer["environment_id"]) if "environment_id" in answer else None)
    except FatalError as error:
        if any(found.severity == "stop" for found in named):
            raise
        stop = PreflightFinding(_name(error), "stop", error.message, next_step=error.next_step)
        record(ctx, "preflight", [stop])
        raise
    findings = named + [
        PreflightFinding(
            "float_attribute",
            "warning",
            f"{ctx.file}: {name} is a floating-point number; its last digits may change between runs.",
            field=name,
            next_step="cast it to DECIMAL in the view.",
        )
        for name, (_, column) in zip(ctx.sync.values, source.fields, strict=True)
        if column.family == "float"
    ]
    record(ctx, "preflight", findings)
    return findings


def _names(ctx: SyncContext) -> Iterator[PreflightFinding]:
    """Limits that every row of the sync would exceed, because its file does."""
    sync = ctx.sync
    over = [name for name in sync.fields if len(name.encode()) > MAX_NAME_BYTES]
    exceeded: dict[str, str] = {f"{sync.section}.{name[:40]}": "field_name_too_long" for name in over}
    if sync.event and len(sync.event.encode()) > NAME_LIMIT:
        exceeded["event"] = "event_name_too_long"
    if sync.kind != "events" and len(sync.fields) > MAX_ATTRIBUTES:
        exceeded[sync.section] = "too_many_attributes"
    for place, name in exceeded.items():
        stops = action_of(sync.findings, name) == "fail"
        yield PreflightFinding(
            name,
            "stop" if stops else "notice",
            f"{ctx.file}: {place}: all rows {RULES[name].what}.",
            field=place,
            next_step=RULES[name].fix,
        )


def _stopped(findings: list[PreflightFinding]) -> None:
    for found in findings:
        if found.severity == "stop":
            raise ContractError(found.message, next_step=found.next_step)


def record(ctx: SyncContext, phase: str, findings: list[PreflightFinding]) -> None:
    """Write what a phase found to `cio_sync.findings`, replacing what it found before in this run."""
    if not findings:
        return
    ctx.warehouse.transaction(
        lambda session: ledger.write_findings(
            session, ctx.schema, sync=ctx.sync.name, run_id=ctx.run_id, phase=phase, findings=findings
        )
    )


def _name(error: FatalError) -> str:
    return {"SourceError": "source", "ContractError": "staging", "AuthenticationError": "credentials"}.get(
        type(error).__name__, "other"
    )
