"""Rows whose exit, or whose return, is not what it seems."""

from __future__ import annotations

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import diff
from airflow_provider_cio.warehouse.diff import Source
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session

_SAID = {
    "elsewhere": (
        "exit_sent_by_another_sync",
        "rows left this source, and another people sync still sends them: they are kept",
        "remove them from the other source too, if they must go.",
    ),
    "barred": (
        "suppressed_came_back",
        "rows came back after they were suppressed: Customer.io would ignore them, so they are not sent",
        "if they may be written to again, unsuppress them and delete their rows from the sync's state table.",
    ),
}


def find_exits(
    ctx: SyncContext, session: Session, source: Source, changes: dict[str, int]
) -> list[PreflightFinding]:
    """A finding for each of the changes `elsewhere` and `barred` that has rows."""
    return [
        PreflightFinding(
            name,
            "warning",
            f"{ctx.file}: on_exit: {changes[change]:,} {what}.",
            field="on_exit",
            rows=changes[change],
            samples=tuple(
                str(row[0]) for row in session.fetch(diff.change_samples(source, ctx.state, change))
            ),
            next_step=next_step,
        )
        for change, (name, what, next_step) in _SAID.items()
        if changes.get(change)
    ]
