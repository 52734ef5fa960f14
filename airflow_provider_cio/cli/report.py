"""`airflow cio report`: a week of the programme for people who do not open Airflow."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from airflow.utils.session import create_session

from airflow_provider_cio.cli.console import command, say
from airflow_provider_cio.core.snapshot import Day, Destination
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.plugin import store, words
from airflow_provider_cio.plugin.rendering import pages
from airflow_provider_cio.plugin.store import Entry

_BLOCKS = "▁▂▃▄▅▆▇█"
PLOTTED_DAYS = 28


@dataclass(frozen=True)
class Week:
    """One sync in one week, beside the week before."""

    entry: Entry
    days: list[Day]
    runs: int
    bad: int
    accepted: int
    before: int
    rejected: int
    unsent: int

    @property
    def change(self) -> str:
        """Of accepted rows, in percent."""
        if not self.before:
            return "new" if self.accepted else ""
        return f"{100 * (self.accepted - self.before) / self.before:+.0f} %"


@dataclass(frozen=True)
class Moved:
    """One audience at one destination: as it was when the week began, and when it ended."""

    entry: Entry
    first: Destination
    last: Destination


@command
def report(args: Namespace) -> None:
    """Print the report of a week, Monday to Sunday, in UTC.

    :raises ContractError: `--week` is no week.
    """
    monday = week_of(args.week, datetime.now(UTC).date())
    with create_session() as session:
        found = [(entry, store.detail(session, entry)) for entry in store.entries(session, None)]
    weeks = [_week(entry, detail.days, monday) for entry, detail in found if entry.subject == "sync"]
    moved = [each for entry, detail in found for each in _moved(entry, detail.destinations, monday)]
    text = pages.get_template(f"report.{'html' if args.output == 'html' else 'md'}").render(
        monday=monday,
        sunday=monday + timedelta(days=6),
        plotted=PLOTTED_DAYS,
        weeks=weeks,
        moved=moved,
        alerts=[(e, alert) for e, _ in found if e.summary for alert in e.summary.alerts],
        states={e.asset_id: words.state(e) for e, _ in found},
        blocks=blocks,
    )
    say(text)


def week_of(given: str | None, today: date) -> date:
    """The Monday of `2026-W47`; of the last whole week without a name.

    :raises ContractError: there is no such week.
    """
    if given is None:
        return today - timedelta(days=today.weekday() + 7)
    try:
        return datetime.strptime(f"{given}-1", "%G-W%V-%u").replace(tzinfo=UTC).date()
    except ValueError:
        raise ContractError(f"--week {given} is no week.", next_step="write it as 2026-W47.") from None


def blocks(values: Iterable[int]) -> str:
    """A plot of text."""
    found = list(values)
    top = max(found, default=0) or 1
    return "".join(_BLOCKS[min(7, 8 * value // (top + 1))] for value in found)


def _week(entry: Entry, days: list[Day], monday: date) -> Week:
    def within(start: date) -> list[Day]:
        names = {(start + timedelta(days=n)).isoformat() for n in range(7)}
        return [day for day in days if day.day in names]

    this, before = within(monday), within(monday - timedelta(days=7))
    return Week(
        entry,
        days,
        runs=sum(day.runs for day in this),
        bad=sum(day.bad for day in this),
        accepted=sum(day.accepted for day in this),
        before=sum(day.accepted for day in before),
        rejected=sum(day.rejected for day in this),
        unsent=sum(day.unsent for day in this),
    )


def _moved(entry: Entry, measured: list[Destination], monday: date) -> list[Moved]:
    found: dict[str, list[Destination]] = {}
    for each in measured:
        if monday <= each.measured_at.date() <= monday + timedelta(days=6):
            found.setdefault(each.name, []).append(each)
    return [Moved(entry, all_[0], all_[-1]) for all_ in found.values()]
