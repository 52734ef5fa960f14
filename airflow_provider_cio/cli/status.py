"""`airflow cio status`: what the page shows, in a terminal; Redshift is not asked."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from airflow.cli.simple_table import AirflowConsole
from airflow.utils.session import create_session

from airflow_provider_cio.cli.console import command, say, tell
from airflow_provider_cio.plugin import store, words
from airflow_provider_cio.plugin.store import Entry


@command
def status(args: Namespace) -> None:
    """Print a line for each sync, audience and route of reporting."""
    with create_session() as session:
        rows = [_row(entry) for entry in store.entries(session, None)]
    if args.output == "json":
        say(json.dumps(rows))
        return
    if not rows:
        tell("Nothing has been announced yet: Airflow has read no sync, audience or reporting file.")
        return
    AirflowConsole().print_as_table([_shown(row) for row in rows])


def _row(entry: Entry) -> dict[str, Any]:
    state, summary = words.state(entry), entry.summary
    last = summary.last if summary else None
    return {
        "subject": entry.subject,
        "name": entry.name,
        "dag_id": entry.dag_id,
        "state": state.word,
        "why": state.why,
        "owner": summary.about.owner if summary else None,
        "delivered_at": summary.delivered_at.isoformat() if summary and summary.delivered_at else None,
        "lag_seconds": last.lag if last else None,
        "promised_seconds": summary.about.deadline if summary else None,
        "accepted": last.accepted if last else None,
        "rejected": last.rejected if last else None,
        "not_sent": last.unsent + last.unknown if last else None,
        "drift": summary.drift if summary else None,
        "open_alerts": len(summary.alerts) if summary else None,
        "destinations": [each.model_dump(mode="json") for each in summary.destinations] if summary else [],
    }


def _shown(row: dict[str, Any]) -> dict[str, str]:
    lag, promised = row["lag_seconds"], row["promised_seconds"]
    sizes = ", ".join(
        f"{each['name']} {words.number(each['size'])} of {words.number(each['uploaded'])}"
        for each in row["destinations"]
    )
    return {
        "what": row["subject"],
        "name": row["name"],
        "state": row["state"],
        "owner": row["owner"] or "",
        "delivered": (row["delivered_at"] or "never")[:19],
        "lag": ""
        if lag is None
        else words.duration(lag) + (f" of {words.duration(promised)}" if promised else ""),
        "accepted": words.number(row["accepted"]),
        "rejected": words.number(row["rejected"]),
        "not sent": words.number(row["not_sent"]),
        "drift": words.number(row["drift"]),
        "alerts": words.number(row["open_alerts"]),
        "at destinations": sizes,
    }
