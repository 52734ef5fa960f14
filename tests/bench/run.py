"""`make bench`: what a send costs, against peers and against the floor, in one run on this machine.

`make bench ARGS="send rate"` runs some parts. CPU is user and system time of this process; everything it talks to
is in other processes. Ratios are what counts: each round runs everybody once, and medians of rounds are shown.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import logging
import time
from collections.abc import Callable

import delta
import encoders
import memory
import pacing
import reporting
import send
from clock import line
from ours import Sender, sender
from stack import Stack, running

Part = Callable[[Stack, Sender, argparse.Namespace], None]
PARTS: dict[str, Part] = {
    "encoders": lambda _stack, _sender, asked: encoders.run(asked.rounds),
    "send": lambda stack, sender, asked: send.run(stack, sender, asked.rounds),
    "latency": lambda stack, sender, asked: send.latency(stack, sender, asked.rounds),
    "sandbox": lambda stack, sender, asked: send.sandbox(stack, sender, asked.rounds),
    "unchanged": lambda _stack, sender, asked: send.unchanged(sender, asked.rounds),
    "diff": lambda _stack, sender, asked: delta.diff(sender, asked.scale),
    "delta": lambda stack, sender, asked: delta.delta(stack, sender, asked.scale),
    "memory": lambda stack, sender, _asked: memory.run(stack, sender),
    "rate": lambda stack, _sender, _asked: pacing.run(stack),
    "reporting": lambda stack, _sender, _asked: reporting.run(stack),
}
VERSIONS = (
    "pyarrow",
    "httpx",
    "customerio",
    "async-customerio",
    "dlt",
    "requests",
    "polars",
    "duckdb",
    "arro3-io",
    "orjson",
)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of: {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the rows of diff (5,000,000) and delta (1,000,000)"
    )
    asked = parser.parse_args()
    unknown = set(asked.parts) - PARTS.keys()
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    logging.getLogger("airflow_provider_cio").setLevel(logging.WARNING)
    line(", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS))
    started = time.monotonic()
    with running() as stack, sender(stack) as sending:
        for name in asked.parts or PARTS:
            PARTS[name](stack, sending, asked)
            line(f"({name}: done after {time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
