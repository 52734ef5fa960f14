"""`make bench-scale`: a day of a large shop, on paper, from what one process here was measured to need.

Measured: CPU, bytes, requests and objects of a send, and the CPU that a task's process needs before its first line.
Everything else is an option with a default that the report repeats, so that a team can put its own figures in. Each
stage is told as a share of the day it has; the largest is the bottleneck.
"""

from __future__ import annotations

import argparse
import math
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

from clock import line
from ours import SHARD, Sender, sender
from stack import Stack, running

DAY = 86_400
SHARDS = 4
STARTS = 3
IMPORTS = (
    "import airflow.sdk.execution_time.task_runner, redshift_connector, airflow_provider_cio.engine.send, "
    "airflow_provider_cio.hooks.customerio"
)
SIZES = ((1_000_000, 10_000_000), (10_000_000, 100_000_000), (100_000_000, 1_000_000_000))


@dataclass(frozen=True)
class Cost:
    """Of a million rows sent."""

    cpu: float
    bytes: float
    requests: float
    objects: float


@dataclass(frozen=True)
class Day:
    """What a day brings, and what there is to handle it."""

    people: int
    events: int
    changed: float
    runs: int
    cores: int
    rows_per_shard: int
    rate: float
    uplink: float
    scan: float
    latency: float
    lanes: int

    @property
    def rows(self) -> dict[str, float]:
        """Rows sent in a day."""
        return {"people": self.people * self.changed, "events": float(self.events)}

    @property
    def tasks(self) -> float:
        """Of all runs: seven around the shards, and one for each shard."""
        return sum(
            self.runs * (7 + math.ceil(rows / self.runs / self.rows_per_shard)) for rows in self.rows.values()
        )


def stages(day: Day, costs: dict[str, Cost], start: float, row_bytes: float) -> dict[str, float]:
    """Share of the day that each stage is busy, 1.0 being all of it."""

    def total(field: str) -> float:
        return sum(rows / 1e6 * getattr(costs[kind], field) for kind, rows in day.rows.items())

    requests = total("requests")
    return {
        "sending, CPU of the workers": total("cpu") / day.cores / DAY,
        "starting tasks, CPU of the workers": day.tasks * start / day.cores / DAY,
        "waiting for answers": requests * day.latency / (day.cores * day.lanes) / DAY,
        "rate limit, requests": requests / day.rate / DAY,
        "uplink": total("bytes") * 8 / (day.uplink * 1e6) / DAY,
        "Redshift, both sides of the people diff": day.runs
        * day.people
        * 2
        * row_bytes
        / (day.scan * 1e9)
        / DAY,
        "S3, outcome objects at 3,500 writes/s": total("objects") / 3_500 / DAY,
    }


def measure(stack: Stack, sending: Sender, kind: str) -> Cost:
    """Send, against a sink without delay."""
    plan, track = sending.plan(kind, SHARDS), sending.track(stack.sink.url)
    sending.send(kind, plan, 1, track)
    sending.forget(kind, plan)
    stack.sink.set()
    used = time.process_time()
    assert sending.send(kind, plan, SHARDS, track) == SHARDS * SHARD
    used = time.process_time() - used
    told, millions = stack.sink.stats(), SHARDS * SHARD / 1e6
    objects = sum("/outcomes-" in each.key for each in sending.context.bucket.listing(f"{kind}/{plan}/sent/"))
    track.close()
    return Cost(used / millions, told["bytes"] / millions, told["requests"] / millions, objects / millions)


def start_cpu() -> float:
    """CPU seconds of a process that imports what a sending task imports."""

    def children() -> float:
        told = resource.getrusage(resource.RUSAGE_CHILDREN)
        return told.ru_utime + told.ru_stime

    before = children()
    for _ in range(STARTS):
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return (children() - before) / STARTS


def main() -> None:
    """Measure, then reckon."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changed", type=float, default=0.025, help="share of people that change in a day")
    parser.add_argument("--runs", type=int, default=48, help="runs of each sync in a day")
    parser.add_argument("--cores", type=int, default=8, help="cores of all workers together")
    parser.add_argument("--rows-per-shard", type=int, default=SHARD)
    parser.add_argument("--rate", type=float, default=100, help="requests/s that the workspace allows")
    parser.add_argument("--uplink", type=float, default=1_000, help="Mbit/s of all workers together")
    parser.add_argument(
        "--scan", type=float, default=1.0, help="GB/s that Redshift scans and joins; yours differs"
    )
    parser.add_argument("--latency", type=float, default=0.05, help="seconds to an answer")
    parser.add_argument("--lanes", type=int, default=4, help="connections of a core")
    parser.add_argument("--row-bytes", type=float, default=300, help="of a person in Redshift, uncompressed")
    asked = vars(parser.parse_args())
    row_bytes = asked.pop("row_bytes")
    with running() as stack, sender(stack) as sending:
        costs = {kind: measure(stack, sending, kind) for kind in ("people", "events")}
    start = start_cpu()
    line("measured, for 1M rows:")
    for kind, cost in costs.items():
        line(
            f"  {kind}: {cost.cpu:.1f} CPU s, {cost.bytes / 1e6:.0f} MB, {cost.requests:.0f} requests, "
            f"{cost.objects:.0f} outcome objects"
        )
    line(f"  the start of a task: {start:.1f} CPU s")
    line(
        "assumed:",
        ", ".join(f"{name} {value:g}" for name, value in (asked | {"row_bytes": row_bytes}).items()),
    )
    for people, events in SIZES:
        shares = stages(Day(people, events, **asked), costs, start, row_bytes)
        line(f"\n{people:,} people, {events:,} events a day ({events / DAY:,.0f}/s)")
        for name, share in sorted(shares.items(), key=lambda item: -item[1]):
            line(f"  {name:42}{share:9.2%} of the day")
        name, share = max(shares.items(), key=lambda item: item[1])
        line(f"  bottleneck: {name}" + ("" if share < 1 else ": this does not fit into a day"))


if __name__ == "__main__":
    main()
