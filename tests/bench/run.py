"""`make bench`: client CPU per row against peers, in one run, interleaved, medians of ratios.

Rows are profiles of an id and 12 attributes. CPU is user + system of this process (`time.process_time`); the
sink is another process. Ratios are what counts; seconds belong to the machine that ran it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import requests
import trustme
from customerio import CustomerIO

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.batching import bodies
from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.operations import render

ROUNDS = 3
OURS, LOOP, SINGLE = 200_000, 40_000, 1_500
SINK = Path(__file__).with_name("sink.py")
SYNC = Sync.model_validate(
    {
        "name": "bench",
        "kind": "people",
        "description": "bench",
        "owner": "bench",
        "source": "cio_marts.bench",
        "identity": {"id": "id"},
        "attributes": {f"attribute_{i}": f"a{i}" for i in range(12)},
    }
)


def rows(count: int) -> pa.Table:
    """A frozen plan of `count` people."""
    numbers = range(count)
    text = [f"value {i % 977} of a person" for i in numbers]
    columns = {
        "operation": ["upsert"] * count,
        "identifier": [f"customer-{i:09}" for i in numbers],
        **{f"f_{i}": text for i in range(4)},
        **{f"f_{i}": list(numbers) for i in range(4, 7)},
        "f_7": [i / 8 for i in numbers],
        "f_8": [Decimal(i).scaleb(-2) for i in numbers],
        "f_9": [i % 2 == 0 for i in numbers],
        "f_10": [datetime.fromtimestamp(1_700_000_000 + i, UTC) for i in numbers],
        "f_11": [None if i % 3 else "sometimes" for i in numbers],
    }
    return pa.table(columns)


@contextmanager
def sink(certificate: Path | None = None) -> Iterator[int]:
    """The port of a running sink."""
    argv = [sys.executable, str(SINK), *([str(certificate)] if certificate else [])]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def cpu(work: Callable[[], None], count: int) -> float:
    """CPU seconds of this process per million rows."""
    before = time.process_time()
    work()
    return (time.process_time() - before) / count * 1e6


def ours(table: pa.Table, port: int) -> None:
    client = TrackClient(site_id="s", api_key="k", base_url=f"http://127.0.0.1:{port}", rate=1e6)
    for part in table.to_batches(max_chunksize=50_000):
        for batch in bodies(render(part, SYNC).items):
            client.send_batch(batch.body, len(batch))
    client.close()


def encode(table: pa.Table) -> None:
    for part in table.to_batches(max_chunksize=50_000):
        for _ in bodies(render(part, SYNC).items):
            pass


def _attributes(row: dict) -> dict:
    values = {f"attribute_{i}": row[f"f_{i}"] for i in range(12) if row[f"f_{i}"] is not None}
    values["attribute_8"] = float(values["attribute_8"])
    values["attribute_10"] = int(values["attribute_10"].timestamp())
    return values


def requests_loop(table: pa.Table, port: int) -> None:
    """The strongest plain peer: a hand-written loop of 1,000-row JSON batches on one `requests` session."""
    with requests.Session() as session:
        session.auth = ("s", "k")
        for part in table.to_batches(max_chunksize=1000):
            items = [
                {
                    "type": "person",
                    "action": "identify",
                    "identifiers": {"id": row["identifier"]},
                    "attributes": _attributes(row),
                }
                for row in part.to_pylist()
            ]
            body = json.dumps({"batch": items}).encode()
            session.post(
                f"http://127.0.0.1:{port}/api/v2/batch",
                data=body,
                headers={"Content-Type": "application/json"},
            ).raise_for_status()


def official(table: pa.Table, port: int) -> None:
    """The official client: one call a person, over TLS as it insists."""
    client = CustomerIO("s", "k", host="localhost", port=port)
    for row in table.to_pylist():
        client.identify(id=row["identifier"], **_attributes(row))


def main() -> None:
    """Measure and print one line per peer."""
    with tempfile.TemporaryDirectory() as folder, sink() as plain:
        authority = trustme.CA()
        certificate = Path(folder, "server.pem")
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        authority.cert_pem.write_to_path(trusted := str(Path(folder, "ca.pem")))
        os.environ |= {"SSL_CERT_FILE": trusted, "REQUESTS_CA_BUNDLE": trusted}
        with sink(certificate) as secure:
            runs: list[tuple[str, int, Callable[[pa.Table], None]]] = [
                ("ours, rows to bodies", OURS, encode),
                ("ours, rows to answers", OURS, lambda table: ours(table, plain)),
                ("requests, json, batches of 1,000", LOOP, lambda table: requests_loop(table, plain)),
                ("customerio, one call a person", SINGLE, lambda table: official(table, secure)),
            ]
            tables = {count: rows(count) for count in {OURS, LOOP, SINGLE}}
            found: dict[str, list[float]] = {name: [] for name, _, _ in runs}
            for _ in range(ROUNDS):
                for name, count, work in runs:
                    found[name].append(cpu(lambda work=work, count=count: work(tables[count]), count))
    base = found["ours, rows to answers"]
    for name, figures in found.items():
        ratio = statistics.median(peer / our for peer, our in zip(figures, base, strict=True))
        print(f"{name:34} {statistics.median(figures):8.2f} CPU s per 1M rows   {ratio:7.1f} x ours")  # noqa: T201


if __name__ == "__main__":
    main()
