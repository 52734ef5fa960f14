"""What the demo prints: live progress on a terminal, plain lines elsewhere, one line of JSON at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from airflow_provider_cio.sandbox.demo.story import Outcome

COLUMNS = ("rows", "added", "changed", "unchanged", "unidentified", "sent", "accepted", "rejected")


class Steps:
    """Progress of a few named steps, each with a total that may change."""

    def __init__(self, screen: Screen, progress: Progress | None) -> None:
        self._screen = screen
        self._progress = progress
        self._tasks: dict[str, Any] = {}
        self._told: dict[str, str] = {}

    def show(self, step: str, done: int, total: int, note: str = "") -> None:
        """Set a step's state."""
        if self._progress is None:
            if self._told.get(step) != note:
                self._screen.say(f"{step}: {note}")
        elif step in self._tasks:
            self._progress.update(self._tasks[step], completed=done, total=total, note=note)
        else:
            self._tasks[step] = self._progress.add_task(step, completed=done, total=total, note=note)
        self._told[step] = note


class Screen:
    """Standard output, with seconds since the start before each line."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else 120
        self._console = Console(highlight=False, soft_wrap=True, width=width)
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return round(time.monotonic() - self._started, 1)

    def say(self, line: str) -> None:
        self._console.print(f"[dim]{self.seconds:6.1f} s[/dim]  {line}")

    def error(self, message: str) -> None:
        self._console.print(f"The demo stopped: {message}", style="red", markup=False)

    @contextmanager
    def steps(self) -> Iterator[Steps]:
        """Bars while the block runs on a terminal; a line per change elsewhere."""
        if not self._console.is_terminal:
            yield Steps(self, None)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:18}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console) as progress:
            yield Steps(self, progress)

    def summary(self, outcome: Outcome) -> None:
        """Rows by what became of them, and what the Customer.io sandbox holds."""
        table = Table(title=f"From Redshift to Customer.io: {outcome.shop}", title_justify="left")
        table.add_column("sync")
        for column in COLUMNS:
            table.add_column(column, justify="right")
        for name, run in outcome.runs.items():
            table.add_row(name, *(f"{run[column]:,}" for column in COLUMNS))
        self._console.print(table)
        held = outcome.customerio
        named = ", ".join(f"{count:,} {event}" for event, count in sorted(held["by_event"].items()))
        self._console.print(
            f"Customer.io holds {held['people']:,} people and {held['events']:,} events ({named})."
        )
        told = outcome.came_back
        self._console.print(
            f"Back in Redshift: {told['messages']:,} messages to {told['customers']:,} customers, "
            f"{told['sent']:,} sent, {told['opened']:,} opened by people, {told['clicked']:,} clicked, "
            f"{told['converted']:,} converted."
        )
        self._audiences(outcome.audiences)
        for finding, count in outcome.findings.items():
            self._console.print(f"Finding: {finding}: {count:,}")
        for difference in outcome.differences:
            self._console.print(f"Does not reconcile: {difference}", style="red", markup=False)
        if not outcome.differences:
            self._console.print("Every row is accounted for.", style="green")

    def _audiences(self, audiences: Mapping[str, list[dict[str, Any]]]) -> None:
        """Members, and what each destination holds and says of itself."""
        if not audiences:
            return
        columns = ("members", "held_out", "uploaded", "unsettled", "size")
        table = Table(title="Audiences at their destinations", title_justify="left")
        for column in ("audience", "destination", *columns):
            table.add_column(column, justify="right" if column in columns else "left")
        for name, destinations in audiences.items():
            for found in destinations:
                numbers = ("?" if found[column] is None else f"{found[column]:,}" for column in columns)
                table.add_row(name, found["destination"], *numbers)
        self._console.print(table)

    def addresses(self, outcome: Outcome) -> None:
        """Where to look while the demo stays up."""
        for name, address in outcome.addresses.items():
            self._console.print(f"{name:22} {address}", markup=False)
        self._console.print("Ctrl-C stops everything; the data stays for the next run.")

    def json_line(self, content: Mapping[str, Any]) -> None:
        """One line of JSON, the last that is printed."""
        sys.stdout.write(json.dumps(content) + "\n")
        sys.stdout.flush()
