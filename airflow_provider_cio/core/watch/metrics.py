"""The numbers of a run that are kept in `cio_sync.metrics`, and under which names Airflow's metrics have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

SubjectKind = Literal["sync", "audience", "reporting", "mart", "workspace"]


class Subject(NamedTuple):
    """What is watched, by name: a sync, an audience, a stream or route, a mart, the workspace."""

    kind: SubjectKind
    name: str


class Measured(NamedTuple):
    """One number of a run; `part` says of what: a destination, a route, a field, a reason; '': the whole."""

    metric: str
    value: float
    part: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a number means. `airflow` is its name in Airflow's metrics, as a counter, gauge or timer; '': not there."""

    meaning: str
    airflow: str = ""
    kind: Literal["counter", "gauge", "timer"] = "counter"


SYNC = {
    "source_rows": Metric("rows of the source (within `lookback`, for events)"),
    "added": Metric("rows that are new"),
    "changed": Metric("rows that changed"),
    "exited": Metric("rows that left"),
    "withheld": Metric("source rows that a finding withholds", "customerio.sync.rows_withheld"),
    "sent": Metric("rows that were in a request"),
    "accepted": Metric("rows that Customer.io accepted", "customerio.sync.rows_accepted"),
    "rejected": Metric("rows refused by Customer.io or before sending", "customerio.sync.rows_rejected"),
    "rejected_by_reason": Metric("the same, `part` is `<class>/<reason>`"),
    "rejected_pct": Metric("rejected rows, in percent of those accepted and rejected"),
    "unknown": Metric("rows in requests that got no answer", "customerio.sync.rows_unknown"),
    "unsent": Metric("planned rows that were not sent", "customerio.sync.rows_unsent"),
    "oldest_unsent_seconds": Metric("since when a row that was due is not delivered; 0: all are"),
    "requests": Metric("requests, repeats included", "customerio.sync.requests"),
    "bytes": Metric("bytes of their bodies", "customerio.sync.request_bytes"),
    "retries": Metric("repeats", "customerio.sync.request_retries"),
    "rate_limited": Metric("answers 429", "customerio.sync.rate_limited"),
    "seconds": Metric("from plan to commit", "customerio.sync.duration", "timer"),
    "identified_pct": Metric("source rows that carry the identifier, in percent (people)"),
    "email_pct": Metric("source rows that carry an email, in percent (people who are sent one)"),
    "null_pct": Metric("nulls of a field in the rows to send, in percent; `part` is the field"),
    "late_rows": Metric("events to send that happened more than a day before the plan"),
    "late_pct": Metric("the same, in percent of the events to send"),
    "newest_seconds": Metric("how long before the plan the newest event to send happened"),
    "schema_changed": Metric("1 when the source's columns are not those of the last run"),
    "drift_sampled": Metric("rows that `reconcile` read back", "customerio.sync.drift_sampled"),
    "drift_rows": Metric("rows of them that are not as they were accepted", "customerio.sync.drift_rows"),
    "drift_pct": Metric("the same, in percent"),
}
AUDIENCE = {
    "members": Metric("members of the source, after suppression, consent and holdout"),
    "held_out": Metric("members of the holdout"),
    "entered": Metric("identifiers to add (`part`: the destination)", "customerio.audience.entered"),
    "left": Metric("identifiers to remove", "customerio.audience.left"),
    "unidentified": Metric("members without a usable identifier for the destination"),
    "uploaded": Metric("identifiers that the ledger calls present", "customerio.audience.uploaded", "gauge"),
    "unsettled": Metric("identifiers whose last request is not confirmed"),
    "requests": Metric("requests that carried members", "customerio.audience.requests"),
    "invalid": Metric("entries that the platform could not read", "customerio.audience.invalid"),
    "size": Metric("what the destination says", "customerio.audience.size", "gauge"),
    "size_gap_pct": Metric("how far the destination's size is from `uploaded`, in percent of it"),
    "match_rate": Metric("percent of uploaded identifiers", "customerio.audience.match_rate", "gauge"),
    "lag_p95": Metric("seconds from entering to accepted, of 95 % of those who entered"),
}
REPORTING = {
    "rows": Metric("rows read (`part`: the route)", "customerio.reporting.rows"),
    "new": Metric("rows that were not known", "customerio.reporting.rows_new"),
    "gap_days": Metric("days that earlier runs missed", "customerio.reporting.gap_days", "gauge"),
    "odd_fields": Metric("fields that are not declared, or of another type"),
    "newest_webhook_seconds": Metric("age of the newest webhook when the run ended (webhooks)"),
}
METRICS: dict[str, dict[str, Metric]] = {"sync": SYNC, "audience": AUDIENCE, "reporting": REPORTING}
"""Kind of subject -> metric -> what it is."""
