"""`monitoring.yaml`: who is told, by which channels, when to be quiet, and what is checked with which thresholds."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from airflow_provider_cio.core.contract import Model, Notify
from airflow_provider_cio.core.contract.words import Duration, TimeZone
from airflow_provider_cio.core.contract_files import parse
from airflow_provider_cio.core.watch.alerting import QuietHours
from airflow_provider_cio.core.watch.anomaly import Detector, Direction, Season
from airflow_provider_cio.core.watch.checks import CHECKS
from airflow_provider_cio.core.yaml_lines import read

FILE = "monitoring.yaml"
RUNBOOK = "docs/how-to/run-book.md"


class Quiet(Model):
    """Hours of the night in which only what is critical is told."""

    start: time = Field(description="From this time of day")
    end: time = Field(description="Until this time of day")
    time_zone: TimeZone = Field("UTC", description="Of the IANA database")


class DeadMan(Model):
    """Whom the monitor pings after each run: a service outside that calls when the pings end."""

    http_conn_id: str = Field(description="Airflow connection of type http")
    endpoint: str = Field("", description="Path of the ping")
    method: Literal["GET", "POST", "HEAD"] = Field("GET", description="Method of the ping")


class Known(Model):
    """A time whose numbers are odd for a known reason: not judged, and not learned from."""

    start: datetime = Field(description="With a time zone, or UTC")
    end: datetime = Field(description="Likewise; not included")
    reason: str = Field(description="Why")
    subjects: list[str] = Field([], description="Names of syncs, audiences, streams; empty: all")

    def covers(self, subject: str, moment: datetime) -> bool:
        """Whether a number of that moment (naive: UTC) is known to be odd."""
        at = _utc(moment)
        return (not self.subjects or subject in self.subjects) and _utc(self.start) <= at < _utc(self.end)


class Thresholds(Model):
    """How one check judges. Without a value, the check's own default holds."""

    warning: float | None = Field(None, description="From here on it is a warning")
    critical: float | None = Field(None, description="From here on it is critical")
    season: Season | None = Field(None, description="What numbers are compared by")
    direction: Direction | None = Field(None, description="Which way is odd")
    history: Duration | None = Field(None, description="How far back is learned from")
    detection: Duration | None = Field(None, description="Time before the judged number, not learned from")
    min_history: Annotated[int, Field(ge=1)] | None = Field(None, description="Numbers needed to judge")
    small_pct: Annotated[float, Field(ge=0)] | None = Field(None, description="Smaller changes are not odd")
    small: Annotated[float, Field(ge=0)] | None = Field(None, description="Likewise, absolute")
    allow_zero: bool | None = Field(None, description="Whether 0 may be normal")
    relearn_after: Duration | None = Field(None, description="Odd for so long is the new normal")
    group: str | None = Field(None, description="Alerts of one group and owner are told as one")

    def over(self, check: str) -> Detector:
        """The detector of a check with these values over its own."""
        values = {**CHECKS[check].settings, **self.model_dump(exclude_none=True, exclude={"group"})}
        return Detector(**values)


def _known_checks(value: dict[str, Thresholds | Literal[False]]) -> dict[str, Thresholds | Literal[False]]:
    unknown = sorted(value.keys() - CHECKS.keys())
    if unknown:
        raise ValueError(f"there is no check '{unknown[0]}'; there are {', '.join(CHECKS)}")
    return value


Checks = Annotated[dict[str, Thresholds | Literal[False]], AfterValidator(_known_checks)]


class Monitoring(Model):
    """`monitoring.yaml`; `contract.yaml`, `syncs` and `audiences` lie beside it."""

    owner: str = Field(description="Who is told of what has no owner of its own")
    cadence: str = Field("*/15 * * * *", description="Cron expression of the monitor")
    runbook: str = Field(RUNBOOK, description="Address of the run-book; each alert adds its anchor")
    channels: list[Notify] = Field([], description="Notifiers that tell the owners")
    quiet_hours: Quiet | None = Field(None, description="When only what is critical is told")
    dead_man: DeadMan | None = Field(None, description="Who is pinged, and calls when pings end")
    known_anomalies: list[Known] = Field([], description="Times that are odd for a known reason")
    checks: Checks = Field({}, description="Check -> thresholds; `false` turns it off")
    overrides: dict[str, Checks] = Field({}, description="Subject -> the same, for it alone")

    @model_validator(mode="after")
    def _spans(self) -> Monitoring:
        for known in self.known_anomalies:
            if _utc(known.start) >= _utc(known.end):
                raise ValueError(f"known_anomalies: '{known.reason}' ends before it starts")
        return self

    @property
    def quiet(self) -> QuietHours | None:
        """The quiet hours."""
        hours = self.quiet_hours
        return None if hours is None else QuietHours(hours.start, hours.end, hours.time_zone)

    def of(self, check: str, subject: str) -> Thresholds | None:
        """How a check judges a subject; None: it does not."""
        usual = Thresholds() if CHECKS[check].on else False
        given = self.overrides.get(subject, {}).get(check, self.checks.get(check, usual))
        return given if isinstance(given, Thresholds) else None

    def link(self, anchor: str) -> str:
        """The place in the run-book."""
        return f"{self.runbook}#{anchor.replace('_', '-')}"


def monitoring_beside(contract_file: Path) -> Monitoring | None:
    """The `monitoring.yaml` beside a contract; None: there is none.

    :raises ContractError: one line for each mistake.
    """
    file = contract_file.parent / FILE
    return _unchanged(file, file.stat().st_mtime_ns) if file.is_file() else None


@lru_cache(maxsize=4)
def _unchanged(file: Path, _changed_at: int) -> Monitoring:
    return load_monitoring(file)  # once for all Dags of a folder


def load_monitoring(file: Path) -> Monitoring:
    """
    :raises ContractError: one line for each mistake: 'dags/monitoring.yaml:4: checks: ...'.
    """
    return parse(read(file), Monitoring)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
