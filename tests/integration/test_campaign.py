"""Processes are killed at random moments while everything around them fails; then the books must be right.

Each task of a run (plan, unload, one send a shard, commit) is a process of its own, as it is under Airflow, and is
killed from outside with SIGKILL, wherever it happens to be. Afterwards the task is tried again, or the run is
cleared, or another run begins.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

import campaign_worker
import httpx
import pytest
from campaign_worker import TASKS, work
from psycopg.errors import UndefinedTable

from airflow_provider_cio.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext
    from multiprocessing.process import BaseProcess

    from sync_lab import Lab

    from airflow_provider_cio.sandbox.redshift import LocalRedshift
    from airflow_provider_cio.sandbox.s3 import S3Server

pytest_plugins = ("sync_lab",)

BATCH = "/api/v2/batch"
SUPPRESSED = "c3"
HOUR = 3600
CUSTOMERIO_WEATHER: list[dict[str, Any]] = [
    {"share": 0.03, "status": 429},
    {"share": 0.03, "status": 429, "retry_after": 1},
    {"share": 0.03, "status": 500},
    {"share": 0.03, "status": 503},
    {"share": 0.02, "status": 502},
    {"share": 0.04, "status": "reset_before"},
    {"share": 0.05, "status": "reset_after"},
    {"share": 0.04, "status": "truncated_body"},
    {"share": 0.01, "status": "timeout_after"},
    {"share": 0.02, "status": "late", "delay": 0.02},
    {"share": 0.02, "status": "slow_body", "delay": 0.02},
    {"share": 0.04, "status": 207, "match": '"id":"c', "reason": "temporarily unavailable"},
    {"share": 0.03, "status": "errors_on_200", "match": '"id":"c1', "reason": "internal error"},
    {"share": 0.02, "status": 301},
    {"share": 0.02, "status": 403},
    {"share": 0.03, "status": 400, "match": '"id":"c7"'},
]
REDSHIFT_WEATHER = (
    (0.01, Fault("^(insert|delete|update|create table)", "conflict")),
    (0.1, Fault("^(copy|unload)", "lost_midway")),
    (0.05, Fault("^(copy|unload)", "lost_after")),
    (0.004, Fault("^(commit|lock)", "lost_before")),
    (0.01, Fault("^commit", "lost_after")),
)
S3_WEATHER = (
    (0.01, Fault("^(PUT|GET)", "unavailable")),
    (0.01, Fault("^(PUT|GET|DELETE)", "reset_before")),
    (0.01, Fault("^(PUT|DELETE)", "reset_after")),
)


TURNS = [
    (kind, task) for kind in ("orders", "people", "orders") for task in ("plan", "unload", "send", "commit")
]
OUTAGE_TURNS = [("orders", task) for task in ("send", "unload", "send", "commit", "send", "plan")]
"""Which process dies next."""
SLOW = {"share": 0.5, "status": "late", "delay": 0.3}
"""Senders wait for answers most of their time, and die while they do."""


@cache
def workers() -> ForkServerContext:
    """Processes are forked from one that has imported everything; an older Python tells it no sys.path."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "campaign_worker"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(campaign_worker.__file__).parent))
        forkserver.ensure_running()
    return context


@dataclass
class Run:
    """How far a run of a sync came, as Airflow would know it."""

    kind: str
    run_id: str
    task: str = "plan"
    plan: str | None = None
    shards: list[int] = field(default_factory=list)

    def calls(self) -> list[tuple[Any, ...]]:
        """What the processes of its next task are given."""
        match self.task:
            case "plan":
                return [()]
            case "send":
                return [(self.plan, shard) for shard in self.shards]
            case _:
                return [(self.plan,)]

    def went_on(self, results: list[Any]) -> None:
        """Its task is done."""
        match self.task:
            case "plan":
                self.plan = results[0]
            case "unload":
                self.shards = results[0]
        following = {"plan": "unload", "unload": "send" if self.shards else "commit", "send": "commit"}
        self.task = following.get(self.task, "done")


class Task:
    """A process at work."""

    def __init__(
        self, workers: ForkServerContext, given: dict[str, Any], name: str, call: tuple[Any, ...]
    ) -> None:
        self._receiver, sender = workers.Pipe(duplex=False)
        self.process: BaseProcess = workers.Process(target=work, args=(given, name, call, sender))
        self.process.start()
        sender.close()

    def begun(self) -> None:
        assert self._receiver.poll(60), "a worker does not begin"
        assert self._receiver.recv() == "begins"

    def ended(self) -> tuple[int, Any]:
        """Exit code, and what it handed on."""
        self.process.join(120)
        assert self.process.exitcode in {0, 1, -signal.SIGKILL}, self.process.exitcode
        return self.process.exitcode, _last(self._receiver) if self.process.exitcode == 0 else None


def _last(receiver: Connection) -> Any:
    with receiver:
        return receiver.recv()


class Campaign:
    """A source that changes, syncs over it, and processes that die."""

    def __init__(
        self, lab: Lab, redshift: LocalRedshift, s3: S3Server, seed: int, *, horizon: str = "24h"
    ) -> None:
        self.lab, self.redshift, self.s3 = lab, redshift, s3
        self.chance = random.Random(seed)
        self.horizon = horizon
        self.orders, self.tries, self._offset = 0, 0, 0
        self.died_in: dict[str, int] = dict.fromkeys(TASKS, 0)
        self._numbers = itertools.count()
        self._usual: dict[str, float] = {}
        self._workers = workers()
        lab.customers(40)
        self.change()
        self.runs = {kind: self.new_run(kind) for kind in ("people", "orders")}

    @property
    def kills(self) -> int:
        return sum(self.died_in.values())

    def new_run(self, kind: str) -> Run:
        return Run(kind, f"run-{next(self._numbers)}")

    def change(self) -> None:
        """Moments and states go on while processes die."""
        self.lab.orders(20, start=self.orders, people=40)
        self.orders += 20
        self.lab.run(
            "UPDATE cio_marts.customers SET orders = orders + 1 "
            f"WHERE orders % 5 = {self.chance.randrange(5)}"
        )

    def sync(self, kind: str) -> dict[str, Any]:
        name, sync = ("people", self.lab.people()) if kind == "people" else ("orders", self.lab.events())
        said = sync.model_dump(mode="json", exclude_defaults=True, exclude={"lookback"})
        said |= {"name": name, "rows_per_shard": 10, "max_rejected_pct": 100}
        return said | ({} if kind == "people" else {"lookback": "36500d"})

    def given(self, run: Run) -> dict[str, Any]:
        staging = {"s3": self.lab.bucket.uri(""), "iam_role": self.lab.bucket.iam_role}
        return {
            "sync": self.sync(run.kind),
            "contract": {"workspace": "shop", "staging": staging, "dedupe_horizon": self.horizon},
            "dsn": self.lab.dsn,
            "s3": self.lab.s3_client.meta.endpoint_url,
            "uri": self.lab.bucket.uri(""),
            "role": self.lab.bucket.iam_role,
            "customerio": self.lab.customerio.url,
            "run_id": run.run_id,
        }

    def step(self, run: Run, *, killed: bool) -> list[int]:
        """The run's next task, mapped senders side by side; exit codes. One of the processes is killed, if any is."""
        self.tries += 1
        given, name = self.given(run), run.task
        tasks = [Task(self._workers, given, name, call) for call in run.calls()]
        victim = self.chance.choice(tasks)
        moment = self.chance.random() * self._usual.get(name, 0.1)
        for task in tasks:
            task.begun()
        began = time.monotonic()
        if killed:
            victim.process.join(moment)
            victim.process.kill()
        ended = [task.ended() for task in tasks]
        codes = [code for code, _ in ended]
        if not any(codes):
            self._usual[name] = time.monotonic() - began
            run.went_on([result for _, result in ended])
        self.died_in[name] += codes.count(-signal.SIGKILL)
        return codes

    def until_killed(self, kills: int, *, outage: bool = False) -> None:
        """Let processes die, one task after another; then it is tried again, cleared, or left to another run."""
        turns = OUTAGE_TURNS if outage else TURNS
        for kind, phase in itertools.islice(itertools.cycle(turns), kills):
            self.kill(kind, phase)
            if outage:
                self.forget()

    def kill(self, kind: str, phase: str) -> None:
        before = self.kills
        while self.kills == before:
            assert self.tries < 40 * (before + 1), self.died_in
            self.one_more(kind, phase)

    def forget(self) -> None:
        """The workspace forgets the ids that it has seen."""
        self._offset += 2 * HOUR
        self.lab._sandbox("PUT", "settings", json={"clock_offset": self._offset})

    def one_more(self, kind: str, phase: str) -> None:
        run = self.runs[kind]
        with storm(self):
            codes = self.step(run, killed=run.task == phase)
        if run.task == "done":
            self.change()
            self.runs[kind] = self.new_run(kind)
        elif any(codes):
            self.failed(run)

    def failed(self, run: Run) -> None:
        """What Airflow or somebody does about a task that failed."""
        what = self.chance.choice(["again", "again", "give_up", "cleared", "another_run"])
        if what == "give_up" and run.task == "send":
            run.task = "commit"
        elif what == "cleared":
            run.task = "plan"
        elif what != "again":
            self.runs[run.kind] = self.new_run(run.kind)

    def whole_run(self, kind: str) -> None:
        """In fair weather."""
        run = self.new_run(kind)
        while run.task != "done":
            assert not any(self.step(run, killed=False)), run

    def finish(self) -> None:
        """The last runs; the second finds what the first had left undecided."""
        for kind in ("people", "orders"):
            self.whole_run(kind)
            self.whole_run(kind)
            self.runs[kind] = self.new_run(kind)


@contextmanager
def storm(campaign: Campaign) -> Iterator[None]:
    """All faults on, and now and then somebody holds a lock on a table of the sync."""
    seed = campaign.chance.randrange(1 << 30)
    slow = [SLOW] if campaign.horizon == "0s" else []
    faults = [{"route": BATCH, **each} for each in CUSTOMERIO_WEATHER + slow]
    campaign.lab._sandbox("PUT", "weather", json={"seed": seed, "faults": faults})
    campaign.redshift.faults.weather(seed, *REDSHIFT_WEATHER)
    campaign.s3.faults.weather(seed, *S3_WEATHER)
    over = threading.Event()
    locker = threading.Thread(target=hold_a_lock, args=(campaign, over)) if seed % 5 == 0 else None
    if locker is not None:
        locker.start()
    try:
        yield
    finally:
        over.set()
        if locker is not None:
            locker.join()
        campaign.lab._sandbox("DELETE", "weather")
        campaign.redshift.faults.clear()
        campaign.s3.faults.clear()


def hold_a_lock(campaign: Campaign, over: threading.Event) -> None:
    try:
        with campaign.redshift.held("cio_sync.runs", campaign.lab.dsn["database"]):
            over.wait(0.5)
    except UndefinedTable:  # the first worker died before it made it
        return


def source(lab: Lab, query: str) -> set[tuple[Any, ...]]:
    return set(lab.rows(query))


def destination(lab: Lab) -> tuple[set[tuple[str, Any, Any]], list[str]]:
    """People with their attributes, and the ids of all events, from Customer.io itself."""
    people = lab._sandbox("GET", "people")["people"]
    events: list[str] = []
    start = "0"
    while start:
        page = lab._sandbox("GET", "events", params={"start": start})
        events += [event["id"] for event in page["events"]]
        start = page["next"]
    return {
        (who["id"], who["attributes"].get("name"), who["attributes"].get("order_count"))
        for who in people
        if who["id"] != SUPPRESSED
    }, events


EVENT_IDS = "SELECT event_id FROM cio_sync.state WHERE sync = 'orders'"
NO_LEASE = "SELECT COUNT(*) FROM cio_sync.leases WHERE expires_at > GETDATE()"
STUCK = "SELECT COUNT(*) FROM cio_sync.plans WHERE status = 'open'"


def suppress(lab: Lab) -> None:
    """A documented silent drop: everything about a suppressed person is answered with 200, and not done."""
    item = {"type": "person", "action": "suppress", "identifiers": {"id": SUPPRESSED}}
    lab._sandbox("POST", "reset")
    answer = httpx.post(
        f"{lab.customerio.url}{BATCH}",
        json={"batch": [item]},
        auth=("sandbox-site", "sandbox-track-key"),
    )
    assert answer.status_code == 200


def everything_arrives_once(lab: Lab, seed: int, kills: int, redshift: LocalRedshift, s3: S3Server) -> None:
    suppress(lab)
    campaign = Campaign(lab, redshift, s3, seed)
    for kind in ("people", "orders"):
        campaign.whole_run(kind)
    campaign.until_killed(kills)
    campaign.finish()
    people, events = destination(lab)
    wanted = source(lab, "SELECT customer_id, name, orders FROM cio_marts.customers")
    assert people == {row for row in wanted if row[0] != SUPPRESSED}
    accepted = [event for (event,) in lab.rows(EVENT_IDS)]
    assert len(accepted) == len(set(accepted)) == campaign.orders
    assert len(events) == len(set(events))
    dropped = {event for event, who in lab.rows(
        "SELECT s.event_id, o.customer_id FROM cio_sync.state s JOIN cio_marts.orders o ON o.order_id = s.row_key "
        "WHERE s.sync = 'orders'"
    ) if who == SUPPRESSED}  # fmt: skip
    assert set(accepted) - set(events) == dropped
    assert set(events) <= set(accepted)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.undecided") == [(0,)]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.rejects WHERE plan_id = (SELECT MAX(plan_id) FROM cio_sync.plans)") == [(0,)]  # fmt: skip # noqa: E501
    assert (lab.rows(NO_LEASE), lab.rows(STUCK)) == ([(0,)], [(0,)])
    assert min(campaign.died_in.values()) >= kills // len(TASKS), campaign.died_in


def nothing_is_doubled(lab: Lab, seed: int, kills: int, redshift: LocalRedshift, s3: S3Server) -> None:
    """The workspace forgets ids while the workers are away, and the contract knows it."""
    lab._sandbox("PUT", "settings", json={"dedupe_seconds": HOUR})
    campaign = Campaign(lab, redshift, s3, seed, horizon="0s")
    for kind in ("people", "orders"):
        campaign.whole_run(kind)
    campaign.until_killed(kills, outage=True)
    campaign.finish()
    while not lab.rows(
        "SELECT 1 FROM cio_sync.undecided"
    ):  # every sender died before its first request, or after all
        campaign.change()
        campaign.kill("orders", "send")
        campaign.forget()
        campaign.finish()
    people, events = destination(lab)
    wanted = source(
        lab, "SELECT customer_id, name, orders FROM cio_marts.customers WHERE customer_id <> 'c3'"
    )
    assert people == wanted
    accepted = {event for (event,) in lab.rows(EVENT_IDS)}
    undecided = {event for (event,) in lab.rows("SELECT event_id FROM cio_sync.undecided")}
    assert len(events) == len(set(events))
    assert accepted <= set(events) <= accepted | undecided
    assert (len(accepted | undecided), accepted & undecided) == (campaign.orders, set())
    last = "SELECT quarantined, unknown, unsent FROM cio_sync.runs WHERE sync = 'orders' ORDER BY plan_id DESC LIMIT 1"
    assert lab.rows(last) == [(len(undecided), 0, 0)]
    assert lab.rows(NO_LEASE) == [(0,)]


def test_twelve_kills_in_a_storm(lab: Lab, local_redshift: LocalRedshift, s3_service: S3Server) -> None:
    everything_arrives_once(lab, 11, 12, local_redshift, s3_service)


def test_eight_kills_while_ids_are_forgotten(
    lab: Lab, local_redshift: LocalRedshift, s3_service: S3Server
) -> None:
    nothing_is_doubled(lab, 5, 8, local_redshift, s3_service)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_forty_kills_in_a_storm(
    lab: Lab, local_redshift: LocalRedshift, s3_service: S3Server, seed: int
) -> None:
    everything_arrives_once(lab, seed, 40, local_redshift, s3_service)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_forty_kills_while_ids_are_forgotten(
    lab: Lab, local_redshift: LocalRedshift, s3_service: S3Server
) -> None:
    nothing_is_doubled(lab, 77, 40, local_redshift, s3_service)
