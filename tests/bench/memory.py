"""Peak memory of a sender, for 1,000,000 and for 5,000,000 rows: each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from clock import line
from ours import SHARD, Sender, sender
from stack import Sink, Stack


def run(stack: Stack, sending: Sender) -> None:
    """Both sizes."""
    peaks = {}
    for millions in (1, 5):
        shards = millions * 1_000_000 // SHARD
        plan = sending.plan("people", shards)
        argv = [sys.executable, str(Path(__file__)), json.dumps(asdict(stack)), plan, str(shards)]
        done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
        peaks[millions] = int(done.stdout) / 1024
    line(f"\nPeak memory of a process that sends people in shards of {SHARD:,}, one after another")
    line(
        f"1,000,000 rows {peaks[1]:.0f} MB, 5,000,000 rows {peaks[5]:.0f} MB: {peaks[5] / peaks[1]:.2f} x (aim 1.15 x)"
    )


def peak() -> int:
    """KB. (`ru_maxrss` would be the parent's: it survives an exec.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main(told: str, plan: str, shards: int) -> None:
    """Send, and print the peak."""
    found = json.loads(told)
    stack = Stack(Sink(found["sink"]["port"]), found["redshift"], found["s3"], found["customerio"])
    with sender(stack) as sending, sending.track(stack.sink.url) as track:
        sending.send("people", plan, shards, track)
    print(peak())  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
