"""`airflow cio repair` and `airflow cio replay-rejects`: runs of some rows, by hand."""

from __future__ import annotations

import json
from argparse import Namespace

from ulid import ULID

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.cli.opened import opened
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine import resend


@command
def repair(args: Namespace) -> None:
    """Send the rows in `cio_sync.drift` again."""
    with opened(args.sync, run_id=f"repair {ULID()}", sending=True) as ctx:
        report = resend.repair(ctx)
    _tell(report)


@command
def replay_rejects(args: Namespace) -> None:
    """Send the rows in `cio_sync.rejects` again."""
    with opened(args.sync, run_id=f"replay {ULID()}", sending=True) as ctx:
        report = resend.replay_rejects(ctx, args.reason)
    _tell(report)


def _tell(report: RunReport) -> None:
    counts = ("sent", "accepted", "rejected", "unknown", "unsent")
    say(json.dumps({"plan_id": report.plan_id, **{name: getattr(report, name) for name in counts}}))
