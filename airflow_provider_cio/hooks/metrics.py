"""A run report as Airflow metrics, wherever Airflow sends its own: StatsD or OpenTelemetry."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk.observability.stats import Stats

from airflow_provider_cio.core.report import RunReport

COUNTERS = {
    "customerio.sync.rows_accepted": "accepted",
    "customerio.sync.rows_rejected": "rejected",
    "customerio.sync.rows_unknown": "unknown",
    "customerio.sync.rows_unsent": "unsent",
    "customerio.sync.requests": "requests",
    "customerio.sync.request_bytes": "bytes",
    "customerio.sync.request_retries": "retries",
    "customerio.sync.rate_limited": "rate_limited",
}
"""Metric -> number of the report."""
WITHHELD = "customerio.sync.rows_withheld"
RUNS = "customerio.sync.runs"
DURATION = "customerio.sync.duration"


def emit(report: RunReport) -> None:
    """Counters of a committed run, tagged with its sync; `runs` with its status too. Never raises."""
    tags = {"sync": report.sync}
    for metric, name in COUNTERS.items():
        Stats.incr(metric, getattr(report, name), tags=tags)
    Stats.incr(WITHHELD, report.counts.unidentified, tags=tags)
    Stats.incr(RUNS, tags={**tags, "status": report.status})
    Stats.timing(DURATION, timedelta(seconds=report.seconds), tags=tags)
