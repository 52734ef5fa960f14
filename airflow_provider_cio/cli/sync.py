"""`airflow cio plan` and `airflow cio preview`: they read Redshift and send nothing."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from airflow.cli.simple_table import AirflowConsole

from airflow_provider_cio.cli.console import command, say, tell
from airflow_provider_cio.cli.opened import opened
from airflow_provider_cio.core import operations
from airflow_provider_cio.engine.plan import describe
from airflow_provider_cio.engine.sample import sample
from airflow_provider_cio.exceptions import FatalError
from airflow_provider_cio.hooks.customerio import requests_per_second

RUN_ID = "airflow cio"


@command
def plan(args: Namespace) -> None:
    """Print counts and findings of what a run would send now."""
    with opened(args.sync, run_id=RUN_ID) as ctx:
        described = describe(ctx, requests_per_second(ctx.contract.connections.customerio))
    if args.output == "json":
        say(json.dumps(described))
        return
    console = AirflowConsole()
    counts = {**described["counts"], "to_send": described["to_send"]}
    console.print_as_table([{"rows": name, "count": f"{count:,}"} for name, count in counts.items()])
    if described["to_send"] and "digest" in described:
        cost = ("requests", "bytes", "minutes", "digest")
        console.print_as_table([{"cost": name, "": str(described[name])} for name in cost])
        final = described["irreversible"].items()
        console.print_as_table([{"cannot be taken back": what, "rows": f"{rows:,}"} for what, rows in final])
        console.print_as_table(
            [{"field": n, "rows with a value": f"{r:,}"} for n, r in described["fields"].items()]
        )
        console.print_as_table(described["samples"])
    if described.get("guards"):
        guards = described["guards"]
        console.print_as_table([{"guard": g["name"], "ok": str(g["ok"]), "": g["message"]} for g in guards])
    if findings := [_row(finding) for finding in described["findings"]]:
        console.print_as_table(findings)


@command
def preview(args: Namespace) -> None:
    """Print one JSON line for each operation.

    :raises FatalError: `-n` is not a number of rows.
    """
    if args.rows < 1:
        raise FatalError(f"-n {args.rows} is not a number of rows.", next_step="give 1 or more")
    with opened(args.sync, run_id=RUN_ID) as ctx:
        rows, columns = sample(ctx, args.rows)
        shown = operations.preview(rows, ctx.sync, redact=not args.show_values, columns=columns)
    for operation in shown:
        say(json.dumps(operation, ensure_ascii=False))
    if not shown:
        tell("The source has no rows.")


def _row(finding: dict[str, Any]) -> dict[str, str]:
    """A finding as a row of a table; the samples are hashes."""
    return {
        "severity": finding["severity"],
        "rows": f"{finding['rows']:,}",
        "finding": f"{finding['message']} Next step: {finding['next_step']}",
        "samples": " ".join(finding["samples"]),
    }
