"""Four syncs of one workspace at once, each in a task of its own with its share of the rate."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_cio.clients.track import BatchResult, TrackClient
from airflow_provider_cio.core.batching import Packer
from airflow_provider_cio.engine import lanes, send
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.unload import unload

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

WORKSPACE = 20
SLOTS = {"one": 1, "two": 1, "three": 1, "four": 2}
SHARE = {name: WORKSPACE * slots / sum(SLOTS.values()) for name, slots in SLOTS.items()}


class Clocked(TrackClient):
    """Remembers when its batches were answered."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answered: list[float] = []

    def send_batch(self, body: bytes, count: int) -> BatchResult:
        result = super().send_batch(body, count)
        self.answered.append(time.monotonic())
        return result


def send_all(lab: Lab, rates: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> dict[str, Clocked]:
    """Send 90 rows of each sync, side by side, in small requests; who sent when."""
    monkeypatch.setattr(lanes, "Packer", partial(Packer, 700))
    monkeypatch.setattr(send, "ROWS_PER_LANE", 20)
    lab.customers(90)
    clients = {}
    for name, rate in rates.items():
        clients[name] = Clocked(
            site_id="sandbox-site",
            api_key="sandbox-track-key",
            base_url=lab.customerio.url,
            rate=rate,
            sleep=lambda seconds: threading.Event().wait(seconds),
        )
        lab.closing.append(clients[name])
    contexts = {
        name: lab.context(
            lab.people(name=name), f"run-{name}", warehouse=lab.new_warehouse(), track=clients[name]
        )
        for name in rates
    }
    plans = {name: make_plan(context).plan_id for name, context in contexts.items()}
    for name, context in contexts.items():
        unload(context, plans[name])
    # A little room above the sum: on a busy machine requests of one second arrive in the next.
    httpx.put(
        f"{lab.customerio.url}/_sandbox/settings", json={"track_requests_per_second": int(WORKSPACE * 1.15)}
    ).raise_for_status()
    with ThreadPoolExecutor(len(rates)) as pool:
        list(pool.map(lambda name: send.send_shard(contexts[name], plans[name], 0, "1"), rates))
    return clients


def limited(lab: Lab) -> int:
    return sum(count for call, count in lab.stats()["requests"].items() if call.endswith(" 429"))


def test_the_sum_stays_under_the_limit_and_the_shares_are_fair(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = send_all(lab, SHARE, monkeypatch)
    assert limited(lab) == 0
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.rejects") == [(0,)]
    assert lab.stats()["items"]["received"] == 90 * len(SLOTS)
    together = min(client.answered[-1] for client in clients.values())
    begin = max(client.answered[0] for client in clients.values())
    sent = {
        name: sum(begin <= moment <= together for moment in client.answered) / SLOTS[name]
        for name, client in clients.items()
    }
    assert min(sent.values()) > 8
    assert max(sent.values()) <= 1.4 * min(sent.values())
