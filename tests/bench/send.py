"""Rows in Parquet to answers: ours with all accounting, the peers, and the floor."""

from __future__ import annotations

import math
import statistics
from functools import partial

import floor
import httpx
from clock import Runner, interleave, line, ratios, table
from ours import SHARD, Sender
from peers import PEERS, requests_loop
from rows import SYNCS, parquet, rows
from stack import Stack

from airflow_provider_cio.core.batching import BODY_LIMIT

SHARDS = 3
AIMS = {"requests, json, batches of 1,000": 4, "customerio 3.2, one call a row": 300}
"""How many times the CPU of ours a peer is meant to need, at least."""


def run(stack: Stack, sender: Sender, rounds: int) -> None:
    """Against the sink without delay: CPU is what counts."""
    for kind in SYNCS:
        plan, track = sender.plan(kind, SHARDS), sender.track(stack.sink.url)

        def ours(kind: str = kind, plan: str = plan, track: object = track) -> None:
            assert sender.send(kind, plan, SHARDS, track) == SHARDS * SHARD

        whole = parquet(rows(kind, SHARD))
        bodies = floor.prebuilt(kind, SHARD, SHARDS)
        runners = [
            Runner("ours, all accounting on", SHARDS * SHARD, ours, partial(sender.forget, kind, plan)),
            Runner(
                "floor: scan, copy, raw send",
                SHARDS * SHARD,
                lambda whole=whole, bodies=bodies: floor.send([whole] * SHARDS, bodies, stack.sink.port),
            ),
        ]
        for name, (peer, count) in PEERS.items():
            body = parquet(rows(kind, count))
            runners.append(
                Runner(name, count, lambda peer=peer, kind=kind, body=body: peer(kind, body, stack.sink.url))
            )
        stack.sink.set()
        for runner in runners:  # imports, connections
            if runner is not runners[1]:
                runner.work()
                runner.after()
            if runner is runners[0]:
                filled(stack)
        interleave(runners, rounds)
        table(f"Parquet to answers, {kind}, sink without delay", runners, runners[0])
        aims(runners)
        track.close()


def aims(runners: list[Runner]) -> None:
    """What is aimed at, beside what was measured."""
    ours, least = runners[0], runners[1]
    line(f"CPU, ours against the floor: {ratios(ours.cpu, least.cpu)} x (aim: within 4 x)")
    for runner in runners[2:]:
        if runner.name in AIMS:
            line(
                f"CPU, {runner.name} against ours: {ratios(runner.cpu, ours.cpu)} x (aim {AIMS[runner.name]} x)"
            )


def filled(stack: Stack) -> None:
    """How well the bodies were filled."""
    told = stack.sink.stats()
    fewest = math.ceil(told["bytes"] / BODY_LIMIT)
    line(
        f"requests {told['requests']}, fewest possible {fewest}: {told['requests'] / fewest:.3f} x (aim 1.02 x)"
    )


def latency(stack: Stack, sender: Sender, rounds: int) -> None:
    """50 ms to every answer, 16 connections: rows a second are what counts."""
    size = 400_000
    for kind in SYNCS:
        plan, track = sender.plan(kind, 1, size), sender.track(stack.sink.url)

        def ours(kind: str = kind, plan: str = plan, track: object = track) -> None:
            assert sender.send(kind, plan, 1, track, lanes=16) == size

        runners = [Runner("ours, one task, 16 connections", size, ours, partial(sender.forget, kind, plan))]
        for name in ("async-customerio, batches of 1,000, 8 in flight", "requests, json, batches of 1,000"):
            peer, count = PEERS[name]
            body = parquet(rows(kind, count))
            runners.append(
                Runner(name, count, lambda peer=peer, kind=kind, body=body: peer(kind, body, stack.sink.url))
            )
        stack.sink.set(delay=50)
        interleave(runners, rounds)
        stack.sink.set()
        table(f"Parquet to answers, {kind}, 50 ms to every answer", runners, runners[0])
        track.close()


def sandbox(stack: Stack, sender: Sender, rounds: int) -> None:
    """Against the Customer.io sandbox, which stores every row and is the slow part."""
    size = 10_000
    for kind in SYNCS:
        plan, track = sender.plan(kind, 1, size), sender.track(stack.customerio)

        def ours(kind: str = kind, plan: str = plan, track: object = track) -> None:
            httpx.post(f"{stack.customerio}/_sandbox/reset").raise_for_status()
            assert sender.send(kind, plan, 1, track) == size

        body = parquet(rows(kind, size))

        def loop(kind: str = kind, body: bytes = body) -> None:
            httpx.post(f"{stack.customerio}/_sandbox/reset").raise_for_status()
            requests_loop(kind, body, stack.customerio)

        runners = [
            Runner("ours, all accounting on", size, ours, partial(sender.forget, kind, plan)),
            Runner("requests, json, batches of 1,000", size, loop),
        ]
        interleave(runners, max(1, rounds - 1))
        table(f"Parquet to answers, {kind}, the sandbox", runners, runners[0])
        track.close()


def unchanged(sender: Sender, rounds: int) -> None:
    """A run in which nothing changed, against a full send: the diff is Redshift's work, whatever the rows."""
    from unchanged import no_change

    plan, track = sender.plan("people", 1_000_000 // SHARD), sender.track(sender.stack.sink.url)

    def full() -> None:
        assert sender.send("people", plan, 1_000_000 // SHARD, track) == 1_000_000

    sender.stack.sink.set()
    runners = [
        Runner("full send of 1,000,000", 1_000_000, full, partial(sender.forget, "people", plan)),
        Runner("nothing changed", 1_000_000, no_change(sender)),
    ]
    interleave(runners, rounds)
    full_cpu, idle_cpu = (statistics.median(runner.cpu) for runner in runners)
    line("\nA run of 1,000,000 people in which nothing changed, CPU s of this process")
    line(
        f"full send {full_cpu:.2f}, nothing changed {idle_cpu:.3f}: {full_cpu / idle_cpu:.0f} x cheaper (aim 20 x)"
    )
    track.close()
