"""The rate: a sink with a hard limit, 50 ms to every answer, four tasks that always have something to send."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx
from clock import line
from stack import Stack

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.exceptions import RateLimitedError

LIMIT = 200
SECONDS = 20
TASKS, LANES = 4, 16
BODY = b'{"batch":[' + b" " * 2000 + b"]}"


def run(stack: Stack) -> None:
    """Known, unknown, and plain back-off."""
    line(f"\nA hard limit of {LIMIT} requests a second, 50 ms to every answer, {TASKS} tasks, {SECONDS} s")
    measure(stack, "known: rate_limit is the limit (aim 98 %, no 429)", LIMIT / TASKS, None)
    measure(stack, "unknown: adaptive, told half of it (aim 90 %, 5 %)", LIMIT / TASKS / 2, 1000 / TASKS)
    measure(stack, "unknown: adaptive, told twice of it", LIMIT / TASKS * 2, 1000 / TASKS)
    stack.sink.set(delay=50, limit=LIMIT)
    busy(lambda _number, until: back_off(stack.sink.url, until))
    told(stack, "plain back-off with jitter, no budget")


def measure(stack: Stack, name: str, rate: float, probe_to: float | None) -> None:
    """Four clients, each with its share."""
    stack.sink.set(delay=50, limit=LIMIT)
    with ExitStack() as closing:
        clients = [
            closing.enter_context(
                TrackClient(site_id="s", api_key="k", base_url=stack.sink.url, rate=rate, probe_to=probe_to)
            )
            for _ in range(TASKS)
        ]
        busy(lambda number, until: send(clients[number % TASKS], until))
    told(stack, name)


def send(client: TrackClient, until: float) -> None:
    while time.monotonic() < until:
        try:
            client.send_batch(BODY, 1)
        except RateLimitedError:  # five attempts: a task would try again
            continue


def back_off(url: str, until: float) -> None:
    """What most clients do: send at once, and after a 429 wait longer and longer, with jitter."""
    with httpx.Client() as client:
        while time.monotonic() < until:
            for attempt in range(6):
                answer = client.post(f"{url}/api/v2/batch", content=BODY)
                if answer.status_code != 429:
                    break
                time.sleep(random.uniform(0, min(5, 0.25 * 2**attempt)))


def busy(work: Callable[[int, float], None]) -> None:
    """Keep all threads at it for `SECONDS`."""
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=work, args=(number, until)) for number in range(TASKS * LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def told(stack: Stack, name: str) -> None:
    """Share of the limit that was used, and of requests that were refused."""
    seen = stack.sink.stats()
    accepted = seen["requests"] - seen["refused"]
    used = accepted / (LIMIT * max(SECONDS, seen["last"] - seen["first"]))
    line(
        f"{name:56}{100 * used:6.1f} % used, {100 * seen['refused'] / seen['requests']:5.1f} % refused (429)"
    )
