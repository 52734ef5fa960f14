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

import encoders
import memory
import pacing
import reporting
import send
from clock import line
from ours import Sender, sender
from stack import Stack, running

Part = Callable[[Stack, Sender, int], None]
PARTS: dict[str, Part] = {
    "encoders": lambda _stack, _sender, rounds: encoders.run(rounds),
    "send": send.run,
    "latency": send.latency,
    "sandbox": send.sandbox,
    "unchanged": lambda _stack, sender, rounds: send.unchanged(sender, rounds),
    "memory": lambda stack, sender, _rounds: memory.run(stack, sender),
    "rate": lambda stack, _sender, _rounds: pacing.run(stack),
    "reporting": lambda stack, _sender, _rounds: reporting.run(stack),
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
    asked = parser.parse_args()
    unknown = set(asked.parts) - PARTS.keys()
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    logging.getLogger("airflow_provider_cio").setLevel(logging.WARNING)
    line(", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS))
    started = time.monotonic()
    with running() as stack, sender(stack) as sending:
        for name in asked.parts or PARTS:
            PARTS[name](stack, sending, asked.rounds)
            line(f"({name}: done after {time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
