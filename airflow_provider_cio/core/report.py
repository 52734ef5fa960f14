"""What a plan counted and what a run did: counts only, ready for XCom, Asset events and `cio_sync.runs`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

RunStatus = Literal["running", "nothing_to_send", "sent", "partial", "stopped", "failed"]
"""``partial``: committed, with rejected or unknown rows; ``stopped``: a guard refused the plan."""


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """Rows of one plan.

    ``source_rows`` is what the source holds (within the look-back, for events), ``tracked`` what the state
    table knew before, ``unidentified`` the source rows that a finding withholds, most often for want of a usable
    identifier. ``quarantined`` events were in a request without an answer, longer ago than Customer.io is trusted to
    remember their ids: they are not sent again.
    """

    source_rows: int = 0
    tracked: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    exited: int = 0
    unidentified: int = 0
    quarantined: int = 0

    @property
    def to_send(self) -> int:
        """Rows of the frozen plan."""
        return self.added + self.changed + self.exited

    def to_dict(self) -> dict[str, int]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of a sync. ``seconds`` is wall time; ``bytes`` are request bodies as sent."""

    sync: str
    plan_id: str
    run_id: str
    status: RunStatus
    counts: PlanCounts = PlanCounts()
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    unsent: int = 0
    requests: int = 0
    bytes: int = 0
    retries: int = 0
    rate_limited: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.status not in get_args(RunStatus):
            raise ValueError(f"status '{self.status}' is none of {', '.join(get_args(RunStatus))}")

    @property
    def rejected_pct(self) -> float:
        """Rejected and unknown rows, in percent of the rows to send."""
        return 100.0 * (self.rejected + self.unknown) / self.counts.to_send if self.counts.to_send else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; ``counts`` is nested."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunReport:
        """The inverse of :meth:`to_dict`."""
        return cls(**{**values, "counts": PlanCounts(**values["counts"])})
