"""One sync, one workspace: the state of a sync says what one workspace holds, and is wrong about any other."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session

Named = tuple[str, str | None]
"""A workspace's name in the contract, and its number at Customer.io."""


def keep_to_one(ctx: SyncContext, workspace_id: str | None) -> None:
    """Write down where the sync sends to; the first run does, and each until something may have been sent.

    :param workspace_id: what Customer.io says of the keys; None: it does not, and the contract's name decides.
    :raises ContractError: it has sent to another workspace.
    """
    ctx.warehouse.transaction(lambda session: _keep(ctx, session, workspace_id))


def _keep(ctx: SyncContext, session: Session, workspace_id: str | None) -> None:
    books, name = state.table(ctx.schema, "workspaces"), ctx.contract.workspace
    this = f"sync = {sql.literal(ctx.sync.name)}"
    known = session.fetch(f"SELECT workspace, workspace_id FROM {books} WHERE {this}")
    was: Named | None = (str(known[0][0]), known[0][1]) if known else None
    same = was is not None and _same(was, (name, workspace_id))
    now = (name, workspace_id or (was[1] if was and same else None))
    if was == now:
        return
    if was and not same and _may_have_sent(ctx, session):
        raise ContractError(
            f"Sync '{ctx.sync.name}' sends to workspace {_told(*was)}, and this run would to {_told(*now)}.",
            next_step="give the file of one of the two another name: syncs of two workspaces share none. If it "
            f"moved for good, rename it too, or empty {ctx.schema}.state__{ctx.sync.name} and DELETE FROM {books} "
            f"WHERE {this}.",
        )
    session.run(f"LOCK TABLE {books}")
    session.run(f"DELETE FROM {books} WHERE {this}")
    values = ", ".join(map(sql.literal, (ctx.sync.name, *now)))
    session.run(f"INSERT INTO {books} (sync, workspace, workspace_id, since) VALUES ({values}, GETDATE())")


def _same(was: Named, now: Named) -> bool:
    """Customer.io's own number decides; names may change."""
    return was[1] == now[1] if was[1] and now[1] else was[0] == now[0]


def _may_have_sent(ctx: SyncContext, session: Session) -> bool:
    plans = state.table(ctx.schema, "plans")
    open_one = f"SELECT 1 FROM {plans} WHERE sync = {sql.literal(ctx.sync.name)} AND status = 'open' LIMIT 1"
    return bool(session.fetch(f"SELECT 1 FROM {ctx.state} LIMIT 1") or session.fetch(open_one))


def _told(name: str, workspace_id: str | None) -> str:
    return f"'{name}' ({workspace_id})" if workspace_id else f"'{name}'"
