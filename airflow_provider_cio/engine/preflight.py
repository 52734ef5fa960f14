"""Can this sync run at all? Asked before any row is read."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.exceptions import FatalError
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse.ledger import PreflightFinding

__all__ = ["PreflightFinding", "preflight", "record"]


def preflight(ctx: SyncContext) -> list[PreflightFinding]:
    """Check the source's columns and types, the staging bucket, and (with `ctx.track`) the keys and region.

    What stops the run is written to `cio_sync.findings` and raised. Rows are looked at by
    :func:`~airflow_provider_cio.engine.plan.make_plan`, which reads them once.

    :raises SourceError: the source is missing, or a column or type is not what the sync says.
    :raises ContractError: the bucket cannot be used.
    :raises AuthenticationError: Customer.io refuses the keys, or they belong to another region.
    """
    state.ensure_tables(ctx.warehouse, ctx.sync.name)
    try:
        ctx.bucket.check()
        source = ctx.warehouse.transaction(lambda session: resolve(ctx, session))
        if ctx.track is not None:
            ctx.track.region()
    except FatalError as error:
        stop = PreflightFinding(_name(error), "stop", error.message, next_step=error.next_step)
        record(ctx, "preflight", [stop])
        raise
    findings = [
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
