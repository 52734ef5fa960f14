"""The attempts at the shards of a plan: what they left in S3, and which of them may still be alive.

Everything of an attempt lies in one folder, ``<plan>/sent/<shard>/<attempt>/``: its state and traffic in
``attempt.json``, outcomes in ``outcomes-*.parquet``, and in ``in_flight-*.parquet`` what it was about to send.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Literal

from ulid import ULID

from airflow_provider_cio.exceptions import LeaseLostError
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Bucket, Stored

State = Literal["open", "overtaken", "ended"]


@dataclass
class Traffic:
    """What an attempt's requests came to."""

    requests: int = 0
    bytes: int = 0
    retries: int = 0
    rate_limited: int = 0

    def add(self, other: Traffic) -> None:
        """Sum up."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass
class Left:
    """Objects that attempts left; `attempts` are their folders."""

    outcomes: list[Stored] = field(default_factory=list)
    in_flight: list[Stored] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)


def left(bucket: Bucket, plan: Plan, shard: int | None = None) -> Left:
    """What is there of a plan, or of one shard."""
    found = Left()
    for stored in bucket.listing(f"{plan.prefix}sent/" + ("" if shard is None else f"{shard}/")):
        folder, _, name = stored.key.rpartition("/")
        if name.startswith("outcomes-"):
            found.outcomes.append(stored)
        elif name.startswith("in_flight-"):
            found.in_flight.append(stored)
        else:
            found.attempts.append(f"{folder}/")
    return found


class Claim:
    """An attempt's right to send its shard: a later attempt takes it away. Threads may share it.

    The lease belongs to a run; a claim keeps two living attempts of one task apart, such as a worker that Airflow
    believes to be dead and the one that it started instead.

    :param every: seconds between two looks.
    """

    def __init__(self, bucket: Bucket, plan: Plan, shard: int, attempt: str, every: float) -> None:
        self.folder = f"{plan.prefix}sent/{shard}/{attempt}-{str(ULID()).lower()}/"
        self._bucket = bucket
        self._plan = plan
        self._shard = shard
        self._every = every
        self._looked = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> Left:
        """From now on earlier attempts stop before their next request, once they look; what they left."""
        _write(self._bucket, self.folder, "open", Traffic())
        found = left(self._bucket, self._plan, self._shard)
        found.attempts.remove(self.folder)
        overtake(self._bucket, living(self._bucket, found))
        return found

    def hold(self) -> None:
        """Make sure that a request may start now.

        :raises LeaseLostError: another attempt at the shard has begun, or the plan was committed meanwhile.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._looked < self._every:
                return
            state, _ = _read(self._bucket, self.folder)
            self._looked = now
        if state != "open":
            raise LeaseLostError(
                f"Shard {self._shard} of plan {self._plan.plan_id} was taken over by a later attempt.",
                next_step="let that one finish: it accounts for what this one sent.",
            )

    def end(self, traffic: Traffic) -> None:
        """Nothing of this attempt is under way any more."""
        _write(self._bucket, self.folder, "ended", traffic)


def living(bucket: Bucket, found: Left) -> dict[str, Traffic]:
    """Attempts that never came to an end: dead, or cut off from Airflow and still sending."""
    states = {folder: _read(bucket, folder) for folder in found.attempts}
    return {folder: traffic for folder, (state, traffic) in states.items() if state != "ended"}


def overtake(bucket: Bucket, attempts: dict[str, Traffic]) -> None:
    """Let them stop before their next request."""
    for folder, traffic in attempts.items():
        _write(bucket, folder, "overtaken", traffic)


def traffic_of(bucket: Bucket, found: Left) -> Traffic:
    """The traffic of all attempts that ended in an orderly way."""
    total = Traffic()
    for folder in found.attempts:
        total.add(_read(bucket, folder)[1])
    return total


def _write(bucket: Bucket, folder: str, state: State, traffic: Traffic) -> None:
    bucket.put(f"{folder}attempt.json", json.dumps({"state": state, **asdict(traffic)}).encode())


def _read(bucket: Bucket, folder: str) -> tuple[State, Traffic]:
    told = json.loads(bucket.get(f"{folder}attempt.json"))
    return told.pop("state"), Traffic(**told)
