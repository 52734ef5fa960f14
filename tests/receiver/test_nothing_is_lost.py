"""Every webhook that was answered with 2xx is in Redshift exactly once: S3 fails, the process is killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest
import redshift_connector
from signed_webhooks import signed, wait_until

from airflow_provider_cio.warehouse.landing import Loaded, load_webhooks
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

if TYPE_CHECKING:
    from receiver_lab import ReceiverProcess

pytest_plugins = ("receiver_lab",)
LONG_AGO = date(2000, 1, 1)
PATIENCE = 4.0
"""Seconds after which Customer.io gives up on an answer, and repeats."""


class Sender:
    """Sends numbered events as Customer.io does: repeats what was not answered with 2xx, now and then more often."""

    def __init__(self, receiver: ReceiverProcess, count: int) -> None:
        self._receiver = receiver
        self._numbers = iter(range(count))
        self._random = random.Random(5)
        self.answered: set[str] = set()
        self.count = count
        self.seconds: list[float] = []
        self.timeouts = 0
        self.began = time.monotonic()

    async def run(self, lanes: int = 32) -> None:
        limits = httpx.Limits(max_connections=lanes)
        async with httpx.AsyncClient(base_url=self._receiver.url, limits=limits, timeout=PATIENCE) as client:
            await asyncio.gather(*(self._lane(client) for _ in range(lanes)))

    def told(self) -> str:
        """Answers a second over everything, outages included, and how long an answer took."""
        rate = self.count / (time.monotonic() - self.began)
        half, most = (1000 * sorted(self.seconds)[len(self.seconds) * share // 100] for share in (50, 99))
        return (
            f"{self.count:,} webhooks, {rate:,.0f} a second; p50 {half:.0f} ms, p99 {most:.0f} ms, "
            f"slowest {1000 * max(self.seconds):.0f} ms; {self.timeouts} without an answer within {PATIENCE} s"
        )

    async def _lane(self, client: httpx.AsyncClient) -> None:
        for n in self._numbers:
            event_id = f"event-{n:09}"
            body = json.dumps({"event_id": event_id, "metric": "sent", "data": {"n": n}}).encode()
            times = 2 if self._random.random() < 0.05 else 1
            while times:
                began = time.monotonic()
                try:
                    answer = await client.post("/reporting", content=body, headers=signed(body))
                except httpx.TransportError as error:
                    self.timeouts += isinstance(error, httpx.ReadTimeout)
                    await asyncio.sleep(0.05)
                    continue
                self.seconds.append(time.monotonic() - began)
                if answer.is_success:
                    self.answered.add(event_id)
                    times -= 1


async def campaign(receiver: ReceiverProcess, sender: Sender, kills: int) -> None:
    """S3 is down in the middle third; kills are spread over the whole."""
    up, down = receiver.s3_endpoint, "http://127.0.0.1:9"
    sending = asyncio.ensure_future(sender.run())
    for n in range(1, kills + 1):
        goal = sender.count * n // (kills + 1)
        await asyncio.to_thread(wait_until, lambda goal=goal: len(sender.answered) >= goal, 3600)
        receiver.kill()
        receiver.s3_endpoint = down if 1 / 3 <= n / (kills + 1) < 2 / 3 else up
        await asyncio.to_thread(receiver.start)
    await sending


def run_campaign(receiver: ReceiverProcess, s3: Any, dsn: dict[str, Any], count: int, kills: int) -> Sender:
    receiver.start()
    sender = Sender(receiver, count)
    asyncio.run(campaign(receiver, sender, kills))
    assert len(sender.answered) == count
    receiver.stop()
    if receiver.waiting():  # the last process was one without S3
        receiver.s3_endpoint = s3.endpoint
        receiver.start()
        receiver.stop()
    assert receiver.waiting() == []
    warehouse = Warehouse(lambda: redshift_connector.connect(**dsn))
    bucket = Bucket(s3.client, receiver.settings["s3"], s3.role)
    loaded = load_webhooks(warehouse, bucket, "reporting", LONG_AGO)
    assert loaded.new == count
    assert loaded.objects > kills / 2
    assert load_webhooks(warehouse, bucket, "reporting", LONG_AGO) == Loaded()
    figures = "SELECT COUNT(*), COUNT(DISTINCT event_id), SUM(payload.data.n::BIGINT) FROM cio_raw.webhooks"
    assert warehouse.fetch(figures) == [(count, count, count * (count - 1) // 2)]
    warehouse.close()
    return sender


def test_kills_and_an_outage_of_s3_lose_nothing(
    receiver: ReceiverProcess, s3: Any, redshift_dsn: dict[str, Any]
) -> None:
    run_campaign(receiver, s3, redshift_dsn, count=1500, kills=2)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_million_webhooks_and_twenty_kills(
    receiver: ReceiverProcess, s3: Any, redshift_dsn: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """`CIO_SOAK_WEBHOOKS=100000` for less of it."""
    receiver.settings["roll_after"] = "20s"
    sender = run_campaign(
        receiver, s3, redshift_dsn, count=int(os.environ.get("CIO_SOAK_WEBHOOKS", "1000000")), kills=20
    )
    with capsys.disabled():
        print(sender.told())  # noqa: T201


def test_it_answers_while_s3_is_down_and_ships_when_it_is_back(receiver: ReceiverProcess, s3: Any) -> None:
    receiver.s3_endpoint = "http://127.0.0.1:9"
    receiver.start()
    body = json.dumps({"event_id": "one"}).encode()
    assert receiver.http.post("/reporting", content=body, headers=signed(body), timeout=4).is_success
    failed = 'cio_receiver_files_total{outcome="failed",stream="reporting"}'
    wait_until(lambda: failed in receiver.http.get("/metrics").text)
    assert receiver.http.get("/health").json()["status"] == "ok"
    assert s3.keys("hooks/reporting/") == []
    receiver.kill()
    receiver.s3_endpoint = s3.endpoint
    receiver.start()
    wait_until(lambda: s3.keys("hooks/reporting/"))
    wait_until(lambda: not receiver.waiting())


def test_a_disk_that_is_too_full_is_told_before_it_is_full(receiver: ReceiverProcess) -> None:
    receiver.settings |= {"backlog_megabytes": 1, "roll_after": "1h"}
    receiver.start()

    def post(n: int) -> int:
        body = json.dumps({"event_id": f"e{n}", "data": "x" * 600_000}).encode()
        return receiver.http.post("/reporting", content=body, headers=signed(body)).status_code

    assert [post(1), post(2)] == [200, 200]
    wait_until(lambda: receiver.http.get("/health").json()["backlog_bytes"] > 1_000_000)
    assert post(3) == 503


def test_a_second_receiver_does_not_take_over_a_folder(receiver: ReceiverProcess) -> None:
    receiver.start()
    second = subprocess.run(
        receiver.command(), env=receiver.environment(), capture_output=True, text=True, check=False
    )
    assert second.returncode == 1
    assert "belongs to a receiver that runs. Next step: give each its own folder." in second.stderr


class Taker(BaseHTTPRequestHandler):
    """Takes what is forwarded to it, but for its first request."""

    bodies: ClassVar[list[Any]] = []
    asked = 0

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Taker.asked += 1
        if Taker.asked > 1:
            self.bodies.append(body)
        self.send_response(200 if Taker.asked > 1 else 500)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


def test_bodies_are_forwarded_after_they_are_stored(receiver: ReceiverProcess, s3: Any) -> None:
    with HTTPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/take"
        receiver.settings["workflows"]["relay"] = {"secret": "REVIEW_TOKEN", "forward": url}
        receiver.settings["reporting"]["rudderstack"] = {"data_plane": url, "write_key": "REVIEW_TOKEN"}
        receiver.start()
        headers = {"Authorization": "Bearer workflow-token"}
        assert receiver.http.post("/workflow/relay", json={"a": 1}, headers=headers).is_success
        wait_until(lambda: Taker.bodies and not receiver.waiting())
        assert (Taker.bodies, Taker.asked) == ([{"a": 1}], 2)
        body = json.dumps(
            {"event_id": "E", "object_type": "email", "metric": "sent", "timestamp": 1}
        ).encode()
        assert receiver.http.post("/reporting", content=body, headers=signed(body)).is_success
        wait_until(lambda: len(Taker.bodies) == 2 and not receiver.waiting())
        server.shutdown()
    assert (Taker.bodies[1]["event"], Taker.bodies[1]["messageId"]) == ("Email Sent", "E")
    assert len(s3.keys("hooks/workflow/relay/")) == 1
