"""Customer.io's own Parquet files in S3: read by name, whatever their version, order and number of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_cio.core.streams import Stream
from airflow_provider_cio.engine.reporting.canonical import Odd, fit
from airflow_provider_cio.warehouse.objects import Bucket, Stored

FILE = re.compile(
    r"(?:.*/)?(?P<table>[a-z_]+)_v(?P<version>\d+)_(?P<workspace>\d+)_(?P<sequence>\d+)\.parquet"
)
NAMES = {
    "deliveries": {
        "internal_customer_id": "cio_id",
        "event_id": "trigger_event_id",
        "subject_id": "journey_id",
        "delivery_type": "type",
    },
    "metrics": {"created_at": "occurred_at"},
    "people": {"internal_customer_id": "cio_id", "email_addr": "email"},
}
"""Their names -> ours."""
_NOT_KEPT = frozenset({"workspace_id", "seq_num"})


def listed(bucket: Bucket, stream: Stream) -> Iterator[Stored]:
    """The files of a stream, of every version."""
    for stored in bucket.listing(""):
        found = FILE.fullmatch(stored.key)
        if found is not None and found["table"] == stream.name:
            yield stored


def sequence(stored: Stored) -> int:
    """Which of two files is newer."""
    found = FILE.fullmatch(stored.key)
    return int(found["sequence"]) if found is not None else 0


def read(bucket: Bucket, stored: Stored, stream: Stream) -> tuple[pa.Table, Odd]:
    """One file; its sequence tells which of two rows of a key is newer."""
    table = pq.ParquetFile(pa.BufferReader(bucket.get(stored.key)), pre_buffer=False).read()
    table = table.select([name for name in table.column_names if name not in _NOT_KEPT])
    names = NAMES[stream.name]
    table = table.rename_columns([names.get(name, name) for name in table.column_names])
    return fit(table, stream, pa.scalar(sequence(stored), pa.int64()))
