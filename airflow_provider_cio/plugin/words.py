"""Numbers, moments and states as a person reads them; the page, `status` and `report` say the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from airflow_provider_cio.core.run_id import moment_of
from airflow_provider_cio.core.snapshot import Summary
from airflow_provider_cio.plugin.store import Entry

Level = Literal["good", "warn", "bad", "none"]
_STATUS: dict[str, tuple[str, Level]] = {
    "sent": ("delivered", "good"),
    "nothing_to_send": ("nothing new", "good"),
    "partial": ("partly delivered", "warn"),
    "guard_stopped": ("stopped by a guard", "bad"),
    "not_approved": ("not approved", "warn"),
    "unload_failed": ("unload failed", "bad"),
}


@dataclass(frozen=True)
class State:
    """How something stands, in a word and in words."""

    word: str
    level: Level
    why: str = ""


def status(name: str) -> State:
    """The status of one run."""
    word, level = _STATUS.get(name, (name.replace("_", " "), "warn"))
    return State(word, level)


def state(entry: Entry, now: datetime | None = None) -> State:
    """How an entry stands: what Airflow knows beats the snapshot where it is newer."""
    moment = now or datetime.now(UTC)
    summary = entry.summary
    promised = summary.about.deadline if summary else None
    if entry.running is not None:
        due = moment_of(entry.running.run_id)
        if promised and due and moment - due > timedelta(seconds=promised):
            return State(
                "late", "bad", f"still running {duration((moment - due).total_seconds())} after it was due"
            )
        return State("running", "none")
    if _failed_unaccounted(entry, summary):
        return State("failed", "bad", "the latest run ended before it could be accounted for")
    if summary is None or summary.last is None:
        return State("paused" if entry.paused else "no run yet", "none")
    last = summary.last
    found = status(last.status)
    if found.level == "good" and promised and last.lag is not None and last.lag > promised:
        found = State(
            "late",
            "warn",
            f"delivered {duration(last.lag)} after it was due, {duration(promised)} were promised",
        )
    if found.level == "good" and entry.failed is not None and entry.failed.run_id == last.run_id:
        found = State("delivered, then failed", "warn", "a task after the commit failed")
    if found.level == "good" and any(not each.as_expected for each in summary.destinations):
        found = State("not as expected", "warn", "size or match rate is outside of `expect`")
    if entry.paused and found.level == "good":
        return State("paused", "none", f"last: {found.word}")
    return State(found.word, found.level, found.why or last.message)


def _failed_unaccounted(entry: Entry, summary: Summary | None) -> bool:
    """Whether a run failed after the one that the snapshot knows."""
    failed, last = entry.failed, summary.last if summary else None
    if failed is None or last is None:
        return failed is not None
    return failed.run_id != last.run_id and failed.at is not None and failed.at > last.finished_at


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, coarsely."""
    if moment is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    return "just now" if seconds < 60 else f"{duration(seconds)} ago"


def duration(seconds: float) -> str:
    """Two units at most: `42 s`, `3 min`, `2 h 5 min`, `4 d`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} d"


def number(value: float | None) -> str:
    """With thousands; a dash for what is not known."""
    return "–" if value is None else f"{value:,.0f}"  # noqa: RUF001 - a dash is meant


def percent(value: float | None) -> str:
    """Of something."""
    return "–" if value is None else f"{value:.1f} %"  # noqa: RUF001 - a dash is meant


def moment(value: datetime | None) -> str:
    """In UTC, to the second."""
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
