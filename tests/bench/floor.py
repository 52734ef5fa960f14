"""The floor: read the same Parquet, copy the same bytes once, write them to a socket, wait for the answer."""

from __future__ import annotations

import io
import socket

import pyarrow.parquet as pq
from rows import COLUMNS, SYNCS, rows

from airflow_provider_cio.core.batching import bodies
from airflow_provider_cio.core.operations import render

HEAD = b"POST /api/v2/batch HTTP/1.1\r\nHost: sink\r\nContent-Length: %d\r\n\r\n"


def prebuilt(kind: str, count: int, shards: int) -> list[bytes]:
    """The bodies that the rows come to: made beforehand, not measured; in memory of their own, as in any sender."""
    made = [batch.body for batch in bodies(render(rows(kind, count), SYNCS[kind], COLUMNS[kind]).items)]
    return [bytes(bytearray(body)) for _ in range(shards) for body in made]


def send(parquets: list[bytes], sent: list[bytes], port: int) -> None:
    """Scan, copy, send: what no sender can do without."""
    for body in parquets:
        for _ in pq.ParquetFile(io.BytesIO(body), pre_buffer=False).iter_batches(batch_size=50_000):
            pass
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for body in sent:
            connection.sendall(HEAD % len(body) + body)
            connection.recv(4096)
