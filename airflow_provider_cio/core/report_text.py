"""A run report for people and for programs that read logs: one canonical line, and a table."""

from __future__ import annotations

import json
from dataclasses import asdict

from airflow_provider_cio.core.report import RunReport


def canonical_line(report: RunReport) -> str:
    """`customerio.run sync=... accepted=...`: every number of the report as `name=value`, in one fixed order."""
    values = {**asdict(report), **report.counts.to_dict()}
    del values["counts"]
    return "customerio.run " + " ".join(f"{name}={_word(value)}" for name, value in values.items())


def table(report: RunReport) -> str:
    """The same in rows: what the source held, what became of what was sent, what it took."""
    counts = report.counts
    rate = report.sent / report.seconds if report.seconds else 0.0
    groups = {
        "source": {
            "rows": counts.source_rows,
            "withheld": counts.unidentified,
            "unchanged": counts.unchanged,
        },
        "plan": {"added": counts.added, "changed": counts.changed, "exited": counts.exited},
        "outcome": {
            "accepted": report.accepted,
            "rejected": report.rejected,
            "unknown": report.unknown,
            "unsent": report.unsent,
        },
        "requests": {
            "sent": report.requests,
            "retried": report.retries,
            "told to slow down": report.rate_limited,
        },
    }
    lines = [f"Sync {report.sync}: {report.status} in {report.seconds:,.1f} s, {rate:,.0f} rows/s"]
    for group, numbers in groups.items():
        for position, (name, number) in enumerate(numbers.items()):
            lines.append(f"  {group if position == 0 else '':<10}{name:<20}{number:>14,}")
    return "\n".join(lines)


def _word(value: object) -> str:
    text = str(value)
    return text if text and not set(text) & set(' "=\n\t') else json.dumps(text)
