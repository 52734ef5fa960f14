"""CPU, wall time and medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass
class Runner:
    """Something that sends `rows` rows each time it is called."""

    name: str
    rows: int
    work: Callable[[], object]
    after: Callable[[], object] = lambda: None
    """Cleans up, unmeasured."""
    cpu: list[float] = field(default_factory=list)
    """CPU seconds of this process for a million rows, user and system, all threads."""
    speed: list[float] = field(default_factory=list)
    """Rows a second."""

    def run(self) -> None:
        wall, used = time.perf_counter(), time.process_time()
        self.work()
        used, wall = time.process_time() - used, time.perf_counter() - wall
        self.after()
        self.cpu.append(used / self.rows * 1e6)
        self.speed.append(self.rows / wall)


def interleave(runners: Iterable[Runner], rounds: int) -> None:
    """Each once, then each again: what disturbs the machine disturbs all of them."""
    everyone = list(runners)
    for _ in range(rounds):
        for runner in everyone:
            runner.run()


def ratios(theirs: list[float], ours: list[float]) -> str:
    """Median and range of the ratios of one round."""
    found = [their / our for their, our in zip(theirs, ours, strict=True)]
    return f"{statistics.median(found):7.2f} ({min(found):.2f}-{max(found):.2f})"


def line(*cells: object) -> None:
    """One line of the report."""
    print(" ".join(str(cell) for cell in cells), flush=True)  # noqa: T201


def table(title: str, runners: list[Runner], base: Runner) -> None:
    """CPU and speed of each, and how many times ours it is (CPU) or ours is (rows/s)."""
    line(f"\n{title}")
    line(f"{'':44}{'CPU s/1M':>10}{'rows/s':>12}  {'CPU, x ours':24}{'rows/s, ours is x':24}")
    for runner in runners:
        cpu, speed = statistics.median(runner.cpu), statistics.median(runner.speed)
        line(
            f"{runner.name:44}{cpu:10.2f}{speed:12,.0f} ",
            f"{ratios(runner.cpu, base.cpu):24}{ratios(base.speed, runner.speed):24}",
        )
