"""`airflow cio let-through`: once, what a guard would stop."""

from __future__ import annotations

from argparse import Namespace
from typing import get_args

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.cli.opened import opened
from airflow_provider_cio.core.contract import Guards
from airflow_provider_cio.core.shape import ChangeKind
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import FatalError
from airflow_provider_cio.warehouse import history, state
from airflow_provider_cio.warehouse.session import Session

NAMES = (*Guards.model_fields, "journeys", *get_args(ChangeKind))


@command
def let_through(args: Namespace) -> None:
    """Let the next plan of a sync pass these guards or findings.

    :raises FatalError: a name is none of them.
    """
    unknown = [name for name in args.names if name not in NAMES]
    if unknown:
        raise FatalError(
            f"There is no guard {', '.join(unknown)}.", next_step=f"use one of {', '.join(NAMES)}."
        )
    with opened(args.sync, run_id="airflow cio") as ctx:
        state.ensure_tables(ctx.warehouse, ctx.sync.name)
        ctx.warehouse.transaction(lambda session: _grant(session, ctx, args.names))
    say(
        f"The next run of {ctx.sync.name} passes {', '.join(args.names)}, if it starts within "
        f"{history.GRANTED_HOURS} hours."
    )


def _grant(session: Session, ctx: SyncContext, names: list[str]) -> None:
    for name in names:
        history.grant(session, ctx.schema, ctx.sync.name, name)
