"""What else sends rows to Customer.io: each reads the same Parquet and sends the same operations."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow.parquet as pq
import requests
from customerio import CustomerIO
from rows import as_item

BATCH = 1000
KEYS = ("sandbox-site", "sandbox-track-key")


def read(body: bytes) -> Iterator[list[dict[str, Any]]]:
    """Rows as dicts, a thousand at a time."""
    for batch in pq.ParquetFile(io.BytesIO(body)).iter_batches(batch_size=BATCH):
        yield batch.to_pylist()


def requests_loop(kind: str, body: bytes, url: str) -> None:
    """The strongest plain peer: JSON batches of 1,000 on one session."""
    with requests.Session() as session:
        session.auth = KEYS
        for part in read(body):
            data = json.dumps({"batch": [as_item(kind, row) for row in part]}).encode()
            headers = {"Content-Type": "application/json"}
            session.post(f"{url}/api/v2/batch", data=data, headers=headers).raise_for_status()


def official(kind: str, body: bytes, url: str) -> None:
    """The official client: one call a row. It insists on https; here it speaks http as the others do."""
    client = CustomerIO(*KEYS)
    client.base_url = f"{url}/api/v1"
    for part in read(body):
        for row in part:
            item = as_item(kind, row)
            if kind == "people":
                client.identify(row["identifier"], **item["attributes"])
            else:
                client.track(
                    row["identifier"],
                    item["name"],
                    item["attributes"],
                    id=item["id"],
                    timestamp=item["timestamp"],
                )


def async_batches(kind: str, body: bytes, url: str, *, in_flight: int = 8) -> None:
    """async-customerio: v2 batches of 1,000, eight at a time."""
    from async_customerio import AsyncCustomerIO  # the extra `bench`

    async def send() -> None:
        async with AsyncCustomerIO(*KEYS) as client:
            client.setup_base_url = lambda **_: f"{url}/api/v2"
            waiting: set[asyncio.Task[Any]] = set()
            for part in read(body):
                waiting.add(asyncio.create_task(client.v2.send_batch([as_item(kind, row) for row in part])))
                if len(waiting) == in_flight:
                    done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                    [task.result() for task in done]
            await asyncio.gather(*waiting)

    asyncio.run(send())


def dlt_destination(kind: str, body: bytes, url: str) -> None:
    """dlt: a custom destination with batches of 1,000, from Parquet load files."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt  # the extra `bench`

    session = requests.Session()
    session.auth = KEYS

    @dlt.destination(
        batch_size=BATCH, loader_file_format="parquet", name="customerio", skip_dlt_columns_and_tables=True
    )
    def destination(items: Any, table: dict[str, Any]) -> None:
        part = items.to_pylist() if hasattr(items, "to_pylist") else items
        data = json.dumps({"batch": [as_item(kind, row) for row in part]}).encode()
        headers = {"Content-Type": "application/json"}
        session.post(f"{url}/api/v2/batch", data=data, headers=headers).raise_for_status()

    source = pq.ParquetFile(io.BytesIO(body)).read()
    with tempfile.TemporaryDirectory() as folder, session:
        pipeline = dlt.pipeline("bench", destination=destination, pipelines_dir=folder)
        pipeline.run(source, table_name="rows")


PEERS: dict[str, tuple[Callable[[str, bytes, str], None], int]] = {
    "requests, json, batches of 1,000": (requests_loop, 50_000),
    "customerio 3.2, one call a row": (official, 1_000),
    "async-customerio, batches of 1,000, 8 in flight": (async_batches, 50_000),
    "dlt, custom destination, batches of 1,000": (dlt_destination, 20_000),
}
"""How, and how many rows: slow ones send fewer."""
