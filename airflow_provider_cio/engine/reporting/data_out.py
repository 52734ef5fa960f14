"""Customer.io's own Parquet files in S3: read by name, whatever their version, order and number of columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airflow_provider_cio.core.streams import Stream
from airflow_provider_cio.engine.reporting.canonical import Odd, fit, schema_of
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse.landing import Loaded, load_once
from airflow_provider_cio.warehouse.objects import Bucket, Stored
from airflow_provider_cio.warehouse.session import Session

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
    "attributes": {
        "internal_customer_id": "cio_id",
        "attribute_name": "name",
        "attribute_value": "value",
        "timestamp": "changed_at",
    },
    "subjects": {"internal_customer_id": "cio_id", "event_id": "trigger_event_id"},
    "outputs": {},
    "content": {"from": "from_address"},
}
"""Their names -> ours."""
_NOT_KEPT = frozenset({"workspace_id", "seq_num", "recipient", "bcc"})
FILES_AT_ONCE = 20
_TABLES = {"delivery_contents": "content", "delivery_content": "content"}
"""Names of files that are not the stream's."""


def listed(bucket: Bucket, stream: Stream) -> Iterator[Stored]:
    """The files of a stream, of every version."""
    for stored in bucket.listing(""):
        found = FILE.fullmatch(stored.key)
        if found is not None and _TABLES.get(found["table"], found["table"]) == stream.name:
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
    if stream.name == "deliveries":
        table = _with_broadcasts(table)
    return fit(table, stream, pa.scalar(sequence(stored), pa.int64()))


def _with_broadcasts(table: pa.Table) -> pa.Table:
    """A delivery with a trigger stands under its broadcast's id in `campaign_id`."""
    if not {"trigger_id", "campaign_id"} <= set(table.column_names) or "broadcast_id" in table.column_names:
        return table
    triggered, parent = pc.is_valid(table["trigger_id"]), table["campaign_id"]
    place = table.column_names.index("campaign_id")
    table = table.append_column("broadcast_id", pc.if_else(triggered, parent, None))
    return table.set_column(place, "campaign_id", pc.if_else(triggered, None, parent))


def load(ctx: Reporting, stream: Stream) -> StreamReport:
    """Files that were never loaded, some at a time, oldest first."""
    report = StreamReport(stream.name, ctx.source)
    found = sorted(listed(ctx.file_bucket, stream), key=sequence)
    for first in range(0, len(found), FILES_AT_ONCE):
        odd = Odd()

        def some_files(session: Session, fresh: list[Stored], odd: Odd = odd) -> Loaded:
            odd.clear()
            files = raw.Files(ctx.bucket, stream, schema_of(stream))
            for stored in fresh:
                rows, strange = read(ctx.file_bucket, stored, stream)
                files.add(rows)
                odd.add(strange)
            raw.stage(session, stream)
            raw.copy(session, ctx.bucket, files.manifest())
            merged = raw.merge(session, stream, ctx.source)
            return Loaded(len(fresh), merged.rows, merged.new)

        some = found[first : first + FILES_AT_ONCE]
        loaded = load_once(ctx.warehouse, f"data_out/{stream.name}", some, some_files)
        report.rows += loaded.rows
        report.new += loaded.new
        report.odd.add(odd)
    return report
