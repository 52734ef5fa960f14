"""From verdicts to states of alerts, and from states to messages: one for each change of an outage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from airflow_provider_cio.core.watch.metrics import Subject

Verdict = Literal["ok", "warning", "critical", "learning", "no_data"]
State = Literal["learning", "ok", "warning", "critical", "recovered"]
Level = Literal["ok", "warning", "critical"]
_WORSE: tuple[Level, ...] = ("ok", "warning", "critical")


@dataclass(frozen=True)
class Observation:
    """What one check says of one subject; `message` has counts and names only.

    :param run_id: of the run that is judged.
    :param group: what the alert has in common with others of the same cause; '': nothing.
    :param low: and `high`: what was expected of `value`; None: no limit.
    """

    check: str
    subject: Subject
    verdict: Verdict
    message: str
    part: str = ""
    run_id: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    owner: str = ""
    group: str = ""
    runbook: str = ""

    @property
    def alert(self) -> str:
        """The name of its alert."""
        return ":".join(filter(None, (self.check, *self.subject, self.part)))


@dataclass(frozen=True)
class Alert:
    """An alert as it stands. `told`: the level that its owner heard of last."""

    alert: str
    check: str
    subject: Subject
    part: str
    group: str
    owner: str
    runbook: str
    state: State
    message: str
    run_id: str
    told: Level = "ok"


@dataclass(frozen=True)
class Message:
    """What one owner is told about one outage. `alerts` are those that are bad, or those that were."""

    state: Literal["warning", "critical", "recovered"]
    owner: str
    group: str
    alerts: tuple[Alert, ...]

    @property
    def text(self) -> str:
        """A line for the whole, a line for each alert."""
        head = {"warning": "WARNING", "critical": "CRITICAL", "recovered": "RECOVERED"}[self.state]
        lines = [f"{head}: {len(self.alerts)} alerts of one cause ({self.group})"] if self.alerts[1:] else []
        lines += [f"{'  ' if lines else head + ': '}{each.alert}: {each.message}" for each in self.alerts]
        return "\n".join([*lines, f"Owner: {self.owner}. Run-book: {self.alerts[0].runbook}"])


@dataclass(frozen=True)
class QuietHours:
    """From `start` to `end` in a zone only what is critical is told; the rest waits, and is left out if it mends."""

    start: time
    end: time
    time_zone: str = "UTC"

    def at(self, moment: datetime) -> bool:
        """Whether a moment with a zone is quiet; `start` may be later than `end`."""
        local = moment.astimezone(ZoneInfo(self.time_zone)).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


def next_state(state: State | None, verdict: Verdict) -> State:
    """What a verdict makes of an alert (None: a new one). What cannot be judged mends nothing."""
    match verdict:
        case "warning" | "critical":
            return verdict
        case "ok":
            return "recovered" if state in {"warning", "critical"} else "ok"
        case _:
            return state or "learning"


def level_of(state: State) -> Level:
    """How bad a state is."""
    return state if state == "warning" or state == "critical" else "ok"


def to_tell(
    alerts: Iterable[Alert], now: datetime, quiet: QuietHours | None = None
) -> tuple[list[Message], list[Alert]]:
    """The messages that are due, and alerts that joined (or left) an outage whose owner knows already.

    An outage is all alerts of one group and owner; it is as bad as its worst alert.
    """
    outages: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for each in alerts:
        outages[each.group or each.alert, each.owner].append(each)
    messages: list[Message] = []
    joined: list[Alert] = []
    for (group, owner), members in sorted(outages.items()):
        level = _worst(level_of(each.state) for each in members)
        if level == _worst(each.told for each in members):
            joined += [each for each in members if level_of(each.state) != each.told]
        elif level == "critical" or quiet is None or not quiet.at(now):
            bad = [each for each in members if level_of(each.state) != "ok"]
            named = bad or [each for each in members if each.told != "ok"]
            state: Literal["warning", "critical", "recovered"] = "recovered" if level == "ok" else level
            messages.append(Message(state, owner, group, tuple(sorted(named, key=lambda each: each.alert))))
    return messages, joined


def _worst(levels: Iterable[Level]) -> Level:
    return max(levels, key=_WORSE.index, default="ok")
