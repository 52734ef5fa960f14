"""The checks that ship: what each measures, and how it judges unless `monitoring.yaml` says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_cio.core.watch.alerting import Verdict
from airflow_provider_cio.core.watch.metrics import SubjectKind


@dataclass(frozen=True)
class Check:
    """What one check measures, and how it judges.

    :param meaning: what is measured, with its unit.
    :param step: what to do, for the run-book.
    :param metric: `(kind, metric)`: the number of the newest run; None: `sql/monitoring/<name>.sql`, or the code.
    :param scale: what a number of the metric is divided by.
    :param learns: whether a number is judged by its own past; otherwise by `warning` and `critical` alone.
    :param settings: of :class:`~.anomaly.Detector`.
    :param group: alerts of one group and owner are told as one.
    :param needs: the table that the SQL reads, when it may be absent.
    """

    meaning: str
    step: str
    metric: tuple[SubjectKind, str] | None = None
    scale: float = 1.0
    learns: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    needs: str = ""
    on: bool = True


def _limits(warning: float, critical: float) -> dict[str, Any]:
    return {"warning": warning, "critical": critical}


_SHARE = {
    "direction": "drop",
    "small_pct": 2.0,
    "season": "none",
    "history": timedelta(days=28),
    "min_history": 7,
}

CHECKS: dict[str, Check] = {
    "no_run": Check(
        "minutes since a run was due by its cadence and none ended (paused Dag, import error, dead scheduler)",
        "is the Dag paused, has it an import error, does the scheduler run? `airflow dags list-import-errors`",
        settings=_limits(15, 60),
        group="airflow",
    ),
    "failed_run": Check(
        "0: the last run delivered; 1: some rows were not; 2: it ended before its commit",
        "SELECT status, message FROM cio_sync.runs of the sync; then the first red task of that run",
        settings=_limits(1, 2),
    ),
    "data_age": Check(
        "hours since the newest data of a mart or of an event sync",
        "is the build of the marts green (`cio_enrichment`), and does the shop's load arrive?",
        settings=_limits(26, 50),
    ),
    "reject_rate": Check(
        "rejected rows of the last run, in percent",
        "SELECT class, reason, field, COUNT(*) FROM cio_sync.rejects of that plan_id; `airflow cio replay-rejects`",
        metric=("sync", "rejected_pct"),
        settings=_limits(1, 5),
    ),
    "drift": Check(
        "rows that are not as they were accepted, in percent of those read back last",
        "SELECT reason, field, COUNT(*) FROM cio_sync.drift; `airflow cio repair`",
        metric=("sync", "drift_pct"),
        settings=_limits(1, 5),
    ),
    "undelivered": Check(
        "hours since when a row that was due is not delivered",
        "rejected and unknown rows of cio_sync.runs; run the sync again",
        metric=("sync", "oldest_unsent_seconds"),
        scale=3600,
        settings=_limits(6, 24),
    ),
    "audience_size": Check(
        "how far the destination's size is from what was uploaded, in percent",
        "cio_sync.audience_uploads of the audience; has somebody else changed the segment or the list?",
        metric=("audience", "size_gap_pct"),
        settings=_limits(5, 20),
    ),
    "duplicate_people": Check(
        "emails that belong to more than one person of a sync",
        "the finding `email_shared` names samples; decide `on_conflict`",
        settings=_limits(1, 100),
    ),
    "late_data": Check(
        "events of the last run that happened more than a day before, in percent",
        "which load was late? Events older than 72 h start no campaign",
        metric=("sync", "late_pct"),
        settings=_limits(10, 50),
    ),
    "webhook_lag": Check(
        "minutes since the newest webhook was received (only where webhooks came before)",
        "is the receiver up, and is the reporting webhook of the workspace switched on?",
        needs="cio_raw.webhooks",
        settings=_limits(120, 720),
    ),
    "stuck_run": Check(
        "hours since a plan was made that is neither committed nor closed, or that overlaps another",
        "which task of the run hangs? Clear it: it goes on from where it was",
        settings=_limits(3, 12),
    ),
    "schema_drift": Check(
        "1: the columns of the source are not those of the run before",
        "`airflow cio doctor` and cio_sync.shapes say which; is the mapping still right?",
        metric=("sync", "schema_changed"),
        settings=_limits(1, 2),
    ),
    "event_names": Check(
        "names among the newest events of the workspace that the taxonomy does not know",
        "who sends them? Correct the name there, or add it to `events` of contract.yaml",
        settings=_limits(1, 20),
    ),
    "volume": Check(
        "rows of the source, against its own past",
        "is the load behind the mart complete? `airflow cio plan` shows what would change",
        metric=("sync", "source_rows"),
        learns=True,
        settings={"direction": "both"},
    ),
    "audience_members": Check(
        "members of an audience, against its own past",
        "its source, suppressions and holdout: which of them moved?",
        metric=("audience", "members"),
        learns=True,
        settings={"direction": "both"},
    ),
    "match_rate": Check(
        "match rate of a destination, against its own past",
        "have identifiers changed form, or consent? Compare `unidentified` and `invalid`",
        metric=("audience", "match_rate"),
        learns=True,
        settings={**_SHARE, "small_pct": 5.0},
    ),
    "identity_share": Check(
        "share of source rows with the identifier, against its own past",
        "which load stopped filling the identifier?",
        metric=("sync", "identified_pct"),
        learns=True,
        settings=_SHARE,
    ),
    "email_share": Check(
        "share of source rows with an email, against its own past",
        "which load stopped filling the email?",
        metric=("sync", "email_pct"),
        learns=True,
        settings=_SHARE,
    ),
    "attribute_nulls": Check(
        "share of nulls of a field in the rows to send, against its own past (off unless it is named in `checks`)",
        "which column of the mart went empty?",
        metric=("sync", "null_pct"),
        learns=True,
        on=False,
        settings={
            "direction": "spike",
            "allow_zero": True,
            "small": 10.0,
            "season": "none",
            "min_history": 10,
        },
    ),
}


def against_limits(value: float, warning: float, critical: float) -> Verdict:
    """The verdict of fixed limits; the higher, the worse."""
    return "critical" if value >= critical else "warning" if value >= warning else "ok"
