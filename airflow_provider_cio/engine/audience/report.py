"""What a run did: counts only, ready for XCom and asset events."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class DestinationReport:
    """Identifiers of one destination.

    ``unidentified`` counts members. ``uploaded`` is what the ledger calls present, ``unsettled`` what is not
    confirmed, ``missing`` what was taken and is not there, ``foreign_count`` members whom nobody of ours put there;
    ``unexpected`` says in words why ``as_expected`` is false. ``outcome`` is sent, pending, partial or nothing_to_send.
    """

    entered: int = 0
    left: int = 0
    renewed: int = 0
    repeated: int = 0
    unidentified: int = 0
    requests: int = 0
    invalid: int = 0
    outcome: str = "nothing_to_send"
    reason: str = ""
    uploaded: int = 0
    unsettled: int = 0
    size: int | None = None
    match_rate: float | None = None
    ready: bool | None = None
    missing: int | None = None
    foreign_count: int | None = None
    as_expected: bool = True
    unexpected: str = ""
    lag_p50: float | None = None
    lag_p95: float | None = None

    @property
    def to_send(self) -> int:
        """Identifiers of the plan."""
        return self.entered + self.left + self.renewed + self.repeated


@dataclass
class AudienceReport:
    """One run. ``members`` are those to send, after suppression, consent and holdout."""

    audience: str
    plan_id: str
    run_id: str
    members: int = 0
    held_out: int = 0
    destinations: dict[str, DestinationReport] = field(default_factory=dict)
    abandoned: list[str] = field(default_factory=list)
    """Destinations that the file no longer names, and that still hold members."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
