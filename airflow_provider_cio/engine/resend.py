"""Send some rows again: those that drifted, and those that were refused."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.selection import of_key_hashes
from airflow_provider_cio.exceptions import FatalError
from airflow_provider_cio.warehouse import drift, state
from airflow_provider_cio.warehouse import statements as sql


def repair(ctx: SyncContext) -> RunReport:
    """Send the rows in `cio_sync.drift` again, as the source has them now; what is accepted is closed there.

    Suppressed people stay as they are: Customer.io would ignore them.
    """
    state.ensure_tables(ctx.warehouse, ctx.sync.name)
    selection = of_key_hashes(drift.open_keys(ctx.schema, ctx.sync.name), resend=True)
    report = run_sync(replace(ctx, selection=selection))
    ctx.warehouse.run(drift.mark_repaired(ctx.schema, ctx.sync.name, report.plan_id))
    return report


def replay_rejects(ctx: SyncContext, reason: str | None = None) -> RunReport:
    """Send the rows in `cio_sync.rejects` again; those that were accepted since, and have not changed, are not.

    :param reason: only rows refused with this reason, or of this class.
    :raises FatalError: no row was refused, or none with this reason; the known ones are named.
    """
    state.ensure_tables(ctx.warehouse, ctx.sync.name)
    rejects = f"FROM {state.table(ctx.schema, 'rejects')} WHERE sync = {sql.literal(ctx.sync.name)}"
    known = ctx.warehouse.fetch(f"SELECT DISTINCT class, reason {rejects} ORDER BY 1, 2")
    if not known or (reason is not None and not any(reason in row for row in known)):
        with_it = "" if reason is None else f" with the reason '{reason}'"
        named = ", ".join(f"{said} ({kind})" for kind, said in known)
        raise FatalError(
            f"No row of sync '{ctx.sync.name}' was refused{with_it}.",
            next_step=f"known reasons, and their classes: {named}."
            if known
            else "there is nothing to replay.",
        )
    wanted = sql.literal(reason)
    chosen = "" if reason is None else f" AND (reason = {wanted} OR class = {wanted})"
    selection = of_key_hashes(f"SELECT key_hash {rejects}{chosen}")
    return run_sync(replace(ctx, selection=selection))
