"""What runs did as Airflow metrics, wherever Airflow sends its own: StatsD or OpenTelemetry. Nothing here raises.

The names stand in :data:`core.watch.metrics.METRICS`, beside what is kept in `cio_sync.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk.observability.stats import Stats

from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.core.watch.metrics import AUDIENCE, REPORTING, SYNC, Metric

RUNS = "customerio.sync.runs"
AUDIENCE_RUNS = "customerio.audience.runs"
REPORTING_LOADS = "customerio.reporting.loads"


def emit(report: RunReport) -> None:
    """Of a committed run, tagged with its sync; `runs` with its status too."""
    tags = {"sync": report.sync}
    values = {**report.to_dict(), "withheld": report.counts.unidentified}
    _emit(SYNC, values, tags)
    Stats.incr(RUNS, tags={**tags, "status": report.status})


def emit_drift(sync: str, found: Mapping[str, Any]) -> None:
    """What `reconcile` answered."""
    _emit(SYNC, {"drift_sampled": found["sampled"], "drift_rows": found["drifted"]}, {"sync": sync})


def emit_audience(report: Mapping[str, Any]) -> None:
    """Of an audience's report, tagged with audience and destination."""
    for name, found in report["destinations"].items():
        tags = {"audience": report["audience"], "destination": name}
        _emit(AUDIENCE, found, tags)
        Stats.incr(AUDIENCE_RUNS, tags={**tags, "outcome": found["outcome"]})


def emit_stream(report: Mapping[str, Any]) -> None:
    """Of the load of one stream, tagged with stream and route."""
    tags = {"stream": report["stream"], "source": report["source"]}
    _emit(REPORTING, report, tags)
    Stats.incr(REPORTING_LOADS, tags={**tags, "status": report["status"]})


def _emit(metrics: Mapping[str, Metric], values: Mapping[str, Any], tags: dict[str, str]) -> None:
    for name, metric in metrics.items():
        value = values.get(name)
        if not metric.airflow or value is None:
            continue
        match metric.kind:
            case "counter":
                Stats.incr(metric.airflow, int(value), tags=tags)
            case "gauge":
                Stats.gauge(metric.airflow, float(value), tags=tags)
            case "timer":
                Stats.timing(metric.airflow, timedelta(seconds=float(value)), tags=tags)
