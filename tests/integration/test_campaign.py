"""Workers are killed at seeded points while everything around them fails; then the books must be right.

Each try is a process of its own, killed with SIGKILL before or after a call of Redshift, S3 or Customer.io while it
plans, unloads, sends or commits. The next try is the same run again (a retry, a cleared task) or another run.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
from contextlib import contextmanager
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING, Any

import campaign_worker
import httpx
import pytest
from campaign_worker import PHASES, Killer, work

from airflow_provider_cio.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext

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


@cache
def workers() -> ForkServerContext:
    """Processes are forked from one that has imported everything; an older Python tells it no sys.path."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "campaign_worker"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(campaign_worker.__file__).parent))
        forkserver.ensure_running()
    return context


class Campaign:
    """A source that changes, syncs over it, and workers that die."""

    def __init__(
        self, lab: Lab, redshift: LocalRedshift, s3: S3Server, seed: int, *, horizon: str = "24h"
    ) -> None:
        self.lab, self.redshift, self.s3 = lab, redshift, s3
        self.chance = random.Random(seed)
        self.horizon = horizon
        self.orders, self.kills, self.tries, self.run = 0, 0, 0, 0
        self.died_in: dict[str, int] = dict.fromkeys(PHASES, 0)
        self._workers = workers()
        lab.customers(40)
        self.change()

    def change(self) -> None:
        """Moments and states go on while workers die."""
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

    def attempt(self, kind: str, *, killed: bool) -> int:
        """One worker's exit code; negative: the signal that ended it."""
        phase = self.chance.choice(list(PHASES))
        killer = Killer(phase, self.chance.randrange(PHASES[phase])) if killed else None
        staging = {"s3": self.lab.bucket.uri(""), "iam_role": self.lab.bucket.iam_role}
        given = {
            "sync": self.sync(kind),
            "contract": {"workspace": "shop", "staging": staging, "dedupe_horizon": self.horizon},
            "dsn": self.lab.dsn,
            "s3": self.lab.s3_client.meta.endpoint_url,
            "uri": self.lab.bucket.uri(""),
            "role": self.lab.bucket.iam_role,
            "customerio": self.lab.customerio.url,
            "run_id": f"run-{self.run}",
        }
        worker = self._workers.Process(target=work, args=(given, killer))
        worker.start()
        worker.join(120)
        assert worker.exitcode is not None, "a worker hangs"
        self.tries += 1
        if worker.exitcode == -signal.SIGKILL:
            self.kills += 1
            self.died_in[phase] += 1
        assert worker.exitcode in {0, 1, -signal.SIGKILL}
        return worker.exitcode

    def until_killed(self, kills: int, *, outage: bool = False) -> None:
        """Let workers die; who comes next is the same run or another one, at once or after an outage."""
        offset = 0
        while self.kills < kills:
            assert self.tries < 8 * kills + 40, self.died_in
            with storm(self):
                ended = self.attempt(self.chance.choice(["people", "orders", "orders"]), killed=True)
            if ended == 0 or self.chance.random() < 0.4:
                self.run += 1
            if ended == 0 or self.chance.random() < 0.3:
                self.change()
            if outage:  # the workspace forgets the ids that it has seen
                offset += 2 * HOUR
                self.lab._sandbox("PUT", "settings", json={"clock_offset": offset})

    def finish(self) -> None:
        """Fair weather: the last runs."""
        for kind in ("people", "orders"):
            self.run += 1
            ended = [self.attempt(kind, killed=False) for _ in range(2)]
            assert ended[-1] == 0, ended


@contextmanager
def storm(campaign: Campaign) -> Iterator[None]:
    """All faults on, and now and then somebody holds a lock on a table of the sync."""
    seed = campaign.chance.randrange(1 << 30)
    faults = [{"route": BATCH, **each} for each in CUSTOMERIO_WEATHER]
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
    with campaign.redshift.held("cio_sync.runs", campaign.lab.dsn["database"]):
        over.wait(0.5)


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
        assert campaign.attempt(kind, killed=False) == 0
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
    assert all(campaign.died_in.values()), campaign.died_in


def nothing_is_doubled(lab: Lab, seed: int, kills: int, redshift: LocalRedshift, s3: S3Server) -> None:
    """The workspace forgets ids while the workers are away, and the contract knows it."""
    lab._sandbox("PUT", "settings", json={"dedupe_seconds": HOUR})
    campaign = Campaign(lab, redshift, s3, seed, horizon="0s")
    for kind in ("people", "orders"):
        assert campaign.attempt(kind, killed=False) == 0
    campaign.until_killed(kills, outage=True)
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
    assert undecided, "the storm left nothing undecided: this campaign proves nothing"
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
