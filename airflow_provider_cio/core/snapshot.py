"""What the page and `airflow cio status` show of one sync, audience or route of reporting: counts and hashes only."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

Subject = Literal["sync", "audience", "reporting"]
GOOD = frozenset({"sent", "nothing_to_send"})
"""Statuses of a run that delivered everything it had to."""

SUMMARY, DETAIL, ALERTS = "customerio_summary", "customerio_detail", "customerio_alerts"
"""Keys in the store: a list reads the first of a subject's two parts; the third is of all subjects together."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class About(_Part):
    """What its file says, and where its books are: enough to ask Redshift again without the Dags folder.

    :param kind: of a sync; the purpose of an audience; the route of reporting.
    :param deadline: seconds from the moment a run is due; None: nothing is promised.
    """

    subject: Subject
    name: str
    kind: str
    owner: str
    description: str = ""
    source: str = ""
    workspace: str = ""
    cadence: str = ""
    deadline: float | None = None
    redshift: str = "redshift_default"
    aws: str = "aws_default"


class Run(_Part):
    """One run. Times are UTC; `lag` is seconds from the moment the run was due to its end, as far as known."""

    run_id: str
    plan_id: str = ""
    status: str
    message: str = ""
    source: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    exited: int = 0
    withheld: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    unsent: int = 0
    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    bytes: int = 0
    seconds: float = 0.0
    finished_at: datetime
    lag: float | None = None


class Day(_Part):
    """All runs of one day."""

    day: str
    runs: int
    bad: int = 0
    accepted: int = 0
    rejected: int = 0
    unsent: int = 0
    seconds: float = 0.0


class Reject(_Part):
    """Rows of one run that were not accepted, for one reason. `samples` are hashed keys."""

    plan_id: str
    kind: str
    reason: str
    field: str = ""
    rows: int
    samples: list[str] = []


class Drifted(_Part):
    """What Customer.io does not hold as it was accepted, and was not sent again."""

    reason: str
    field: str = ""
    rows: int


class Found(_Part):
    """A finding of the latest run."""

    name: str
    severity: str
    field: str = ""
    rows: int
    message: str


class Destination(_Part):
    """An audience at one destination, measured after a run."""

    name: str
    members: int
    held_out: int = 0
    unidentified: int = 0
    uploaded: int = 0
    unsettled: int = 0
    size: int | None = None
    match_rate: float | None = None
    ready: bool | None = None
    as_expected: bool = True
    measured_at: datetime


class Alert(_Part):
    """An alert that is open: `warning` or `critical`."""

    subject_kind: str = ""
    subject: str = ""
    name: str
    severity: str
    message: str
    since: datetime | None = None
    runbook: str = ""


class Summary(_Part):
    """What a list shows. `recent` are rows accepted by the latest runs, oldest first."""

    about: About
    taken_at: datetime
    last: Run | None = None
    delivered_at: datetime | None = None
    recent: list[int] = []
    rejects: int = 0
    drift: int = 0
    destinations: list[Destination] = []
    alerts: list[Alert] = []


class Detail(_Part):
    """What the page of one subject shows besides: runs newest first, days and measurements oldest first."""

    runs: list[Run] = []
    days: list[Day] = []
    rejects: list[Reject] = []
    drift: list[Drifted] = []
    findings: list[Found] = []
    destinations: list[Destination] = []


class Snapshot(_Part):
    """Both parts."""

    summary: Summary
    detail: Detail = Detail()


class OpenAlerts(_Part):
    """All alerts that are open, as the monitoring found them."""

    taken_at: datetime
    alerts: list[Alert] = []


def read_alerts(text: str) -> OpenAlerts | None:
    """Stored alerts; None when they cannot be read."""
    try:
        return OpenAlerts.model_validate_json(text)
    except ValidationError:
        return None


def read_summary(text: str) -> Summary | None:
    """A stored summary; None when another version of this package wrote something else."""
    try:
        return Summary.model_validate_json(text)
    except ValidationError:
        return None


def read_detail(text: str) -> Detail:
    """A stored detail; empty when it cannot be read."""
    try:
        return Detail.model_validate_json(text)
    except ValidationError:
        return Detail()
