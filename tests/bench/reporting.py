"""What comes back: the receiver's rate and p99, data-out to merged rows, the App API against its own limit."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import redshift_connector
from clock import line
from stack import Stack

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting
from airflow_provider_cio.engine.reporting.context import seconds as seconds_of
from airflow_provider_cio.engine.reporting.messages import PAGE, from_api
from airflow_provider_cio.receiver.signature import sign
from airflow_provider_cio.sandbox.s3 import BUCKET, client
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

EVENTS, LANES = 10_000, 32
SUSTAINED, SHARE = 20, 0.5
"""Seconds at a share of the greatest rate."""
ROWS = 1_000_000
PEOPLE, NEWSLETTERS, APP_RATE = 4_000, 118, 10
"""A newsletter each twelve hours of the sixty days that are read."""
ROLE = "arn:aws:iam::123456789012:role/redshift"
PORT = 8127


def run(stack: Stack) -> None:
    """All three."""
    receiver(stack)
    warehouse = Warehouse(lambda: redshift_connector.connect(**stack.redshift))
    data_out(stack, warehouse)
    app_api(stack, warehouse)
    warehouse.close()


def receiver(stack: Stack) -> None:
    """Events a second with 32 in flight, and how long an answer takes, fsync included."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "receiver.json")
        settings = {
            "folder": f"{folder}/journal",
            "s3": f"s3://{BUCKET}/bench-hooks",
            "reporting": {"signing_key": "K"},
        }
        file.write_text(json.dumps(settings))
        keys = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        argv = [sys.executable, "-m", "airflow_provider_cio.receiver", str(file), "--port", str(PORT)]
        with subprocess.Popen(
            argv, env={**os.environ, **keys, "AWS_ENDPOINT_URL": stack.s3, "K": "key"}
        ) as process:
            try:
                times, seconds = asyncio.run(_post())
                sustained = asyncio.run(_sustain(EVENTS / seconds * SHARE))
            finally:
                process.terminate()
    line(f"receiver: {EVENTS / seconds:,.0f} events a second, {_told(times)}")
    line(f"receiver at {EVENTS / seconds * SHARE:,.0f} events a second for {SUSTAINED} s: {_told(sustained)}")


def _told(times: list[float]) -> str:
    times.sort()
    half, most = (1000 * times[len(times) * share // 100] for share in (50, 99))
    return f"p50 {half:.1f} ms, p99 {most:.1f} ms, slowest {1000 * times[-1]:.1f} ms"


async def _sustain(rate: float) -> list[float]:
    """Events at a rate, whether or not the ones before were answered; how long each answer took."""
    times: list[float] = []

    async def one(http: httpx.AsyncClient, n: int) -> None:
        body = json.dumps({"event_id": f"s{n}", "metric": "sent", "data": {"delivery_id": f"d{n}"}}).encode()
        at = str(int(time.time())).encode()
        headers = {"X-CIO-Timestamp": at.decode(), "X-CIO-Signature": sign(b"key", at, body).decode()}
        began = time.perf_counter()
        (await http.post("/reporting", content=body, headers=headers)).raise_for_status()
        times.append(time.perf_counter() - began)

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=30, limits=limits) as http:
        began, sent = time.perf_counter(), list[asyncio.Task[None]]()
        for n in range(int(rate * SUSTAINED)):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            sent.append(asyncio.create_task(one(http, n)))
        await asyncio.gather(*sent)
    return times


async def _post() -> tuple[list[float], float]:
    numbers, times = iter(range(EVENTS)), list[float]()

    async def lane(http: httpx.AsyncClient) -> None:
        for n in numbers:
            body = json.dumps(
                {"event_id": f"e{n}", "metric": "sent", "data": {"delivery_id": f"d{n}"}}
            ).encode()
            at = str(int(time.time())).encode()
            headers = {"X-CIO-Timestamp": at.decode(), "X-CIO-Signature": sign(b"key", at, body).decode()}
            began = time.perf_counter()
            (await http.post("/reporting", content=body, headers=headers)).raise_for_status()
            times.append(time.perf_counter() - began)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=30) as http:
        for _ in range(200):
            try:
                await http.get("/health")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        started = time.perf_counter()
        await asyncio.gather(*(lane(http) for _ in range(LANES)))
        return times, time.perf_counter() - started


def data_out(stack: Stack, warehouse: Warehouse) -> None:
    """A million metrics in one file, to rows in `cio_raw.metrics`."""
    s3 = client(stack.s3)
    numbers = pa.array(range(ROWS))
    table = pa.table(
        {
            "event_id": numbers.cast(pa.string()),
            "delivery_id": numbers.cast(pa.string()),
            "metric": pa.array(["sent"] * ROWS),
            "created_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * ROWS),
            "seq_num": numbers,
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    s3.put_object(Bucket=BUCKET, Key="bench-out/metrics_v4_1_1.parquet", Body=sink.getvalue())
    ctx = _context(stack, warehouse, "data_out", files=Bucket(s3, f"s3://{BUCKET}/bench-out", ROLE))
    started = time.perf_counter()
    [report] = reporting.run(ctx, reporting.chosen(["metrics"], "data_out"))
    seconds = time.perf_counter() - started
    line(
        f"data-out: {report.new:,} rows merged in {seconds:.1f} s, {report.new / seconds:,.0f} rows a second"
    )


def app_api(stack: Stack, warehouse: Warehouse) -> None:
    """Messages of two months at 10 requests a second: wall time against what their rows / 1,000 need at that rate."""
    with httpx.Client(
        base_url=stack.customerio, auth=("sandbox-site", "sandbox-track-key"), timeout=600
    ) as http:
        http.post("/_sandbox/reset")
        people = [
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": f"p{n}"},
                "attributes": {"email": f"{n}@x.io"},
            }
            for n in range(PEOPLE)
        ]
        for first in range(0, PEOPLE, 2000):
            http.post("/api/v2/batch", json={"batch": people[first : first + 2000]}).raise_for_status()
        for n in range(NEWSLETTERS):
            http.put("/_sandbox/settings", json={"clock_offset": -86_400 - n * 43_200})
            http.post("/_sandbox/newsletters", json={"name": f"News {n}"}).raise_for_status()
        http.put("/_sandbox/settings", json={"clock_offset": 0})
        http.post("/_sandbox/deliveries").raise_for_status()
    with AppClient(api_key="sandbox-app-key", base_url=stack.customerio, rate=APP_RATE) as app:
        first = datetime.now(UTC).date() - timedelta(days=60)
        started = time.perf_counter()
        span = seconds_of(first), int(datetime.now(UTC).timestamp())
        rows = sum(len(part["deliveries"][0]) for part in from_api(app, *span, 0))
        reading, requests = time.perf_counter() - started, app.requests
        ctx = _context(stack, warehouse, "app_api", app=app)
        started = time.perf_counter()
        reports = reporting.run(ctx, reporting.chosen(["deliveries", "metrics"], "app_api"))
        loading, least = time.perf_counter() - started, reports[0].new / PAGE / APP_RATE
    line(
        f"App API: {reports[0].new:,} messages, {least:.1f} s at {APP_RATE} full pages a second; read alone: "
        f"{requests} requests, {rows:,} rows, {reading:.1f} s, {reading / least:.2f} x; read and loaded "
        f"({reports[1].new:,} metrics): {app.requests - requests} requests, {loading:.1f} s, {loading / least:.2f} x"
    )


def _context(stack: Stack, warehouse: Warehouse, source: str, **more: object) -> Reporting:
    first = datetime.now(UTC).date() - timedelta(days=60)
    bucket = Bucket(client(stack.s3), f"s3://{BUCKET}/bench-staging", ROLE)
    return Reporting(source=source, warehouse=warehouse, bucket=bucket, run_id="bench", first=first, **more)
