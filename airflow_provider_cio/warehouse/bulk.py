"""Rows in bulk, moved by Redshift and S3: UNLOAD of a plan into Parquet shards, COPY of outcomes back."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from enum import IntEnum

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.objects import Bucket, Stored


class Outcome(IntEnum):
    """What became of a row; of several outcomes of one row the smallest counts."""

    ACCEPTED = 1
    REJECTED = 2
    """By Customer.io, for good."""
    REFUSED = 3
    """Before sending."""
    QUARANTINED = 4
    """Undecided for so long that Customer.io may have forgotten its id: it is not sent again."""
    UNKNOWN = 5
    """It was in a request that got no answer."""
    IN_FLIGHT = 6
    """It was about to be in a request when its sender died."""
    TRANSIENT = 7
    """Customer.io refused it for a reason that may pass."""


FINAL = (Outcome.ACCEPTED, Outcome.REJECTED, Outcome.REFUSED, Outcome.QUARANTINED)
"""A row with one of these is not sent again by the same plan."""

UNDECIDED = (Outcome.QUARANTINED, Outcome.UNKNOWN, Outcome.IN_FLIGHT)
"""A row with one of these, and no better, may be there or not."""

OUTCOMES = pa.schema(
    [
        ("shard", pa.int32()),
        ("ordinal", pa.int64()),
        ("outcome", pa.int32()),
        ("reason", pa.string()),
        ("field", pa.string()),
        ("class", pa.string()),
        ("sent_at", pa.timestamp("us")),
    ]
)
"""Columns of an outcome object, in the order of :func:`create_outcomes`: a columnar COPY goes by position."""
_REPEATED = ["shard", "outcome", "reason", "field", "class", "sent_at"]


def unload(changes: str, payload_names: list[str], bucket: Bucket, folder: str) -> str:
    """UNLOAD a frozen plan into `folder`, one subfolder a shard; the manifest is `<folder>manifest`.

    Neither row keys nor hashes leave the warehouse.
    """
    columns = [
        "shard",
        "ordinal",
        "lane_hash",
        "operation",
        "identifier",
        "identified_by",
        "partner",
        "event_id",
        "occurred_at",
        "undecided_since",
        *payload_names,
    ]
    query = f"SELECT {', '.join(columns)} FROM {changes}"
    return (
        f"UNLOAD ({sql.literal(query)}) TO {sql.literal(bucket.uri(folder))} IAM_ROLE {role(bucket)} "
        "FORMAT AS PARQUET PARTITION BY (shard) MANIFEST"
    )


def shard_files(bucket: Bucket, manifest: str, shard: int) -> list[str]:
    """Keys of one shard's files."""
    return [key for key in bucket.read_manifest(manifest) if f"/shard={shard}/" in key]


class Shard:
    """The files of one shard, in memory as they are: compressed. Rows are read a part at a time, in no order."""

    def __init__(self, bucket: Bucket, manifest: str, shard: int) -> None:
        self._files = [
            # pre_buffer would keep a second copy of the file in memory.
            pq.ParquetFile(pa.BufferReader(bucket.get(key)), pre_buffer=False)
            for key in shard_files(bucket, manifest, shard)
        ]
        self.num_rows = sum(file.metadata.num_rows for file in self._files)

    def parts(self, most: int) -> Iterator[pa.Table]:
        """All rows, in tables of about `most` rows at most; a person is in one of them only.

        What is read is a row group at a time, so that memory does not grow with the shard.
        """
        count = max(1, math.ceil(self.num_rows / most))
        for number in range(count):
            kept = [
                _of_part(file.read_row_group(group), number, count)
                for file in self._files
                for group in range(file.num_row_groups)
            ]
            if kept:
                yield pa.concat_tables(kept)


def _of_part(rows: pa.Table, number: int, count: int) -> pa.Table:
    """By other bits of the hash than those that choose a lane."""
    if count == 1:
        return rows
    spread = pc.shift_right(rows["lane_hash"], pa.scalar(16, rows["lane_hash"].type))
    remainder = pc.subtract(spread, pc.multiply(pc.divide(spread, count), count))
    return rows.filter(pc.equal(remainder, number))


def write_outcomes(bucket: Bucket, key: str, outcomes: pa.Table) -> None:
    """One new outcome object."""
    sink = io.BytesIO()
    pq.write_table(
        outcomes.cast(OUTCOMES), sink, compression="snappy", use_dictionary=_REPEATED, write_statistics=False
    )
    bucket.put(key, sink.getvalue())


def read_outcomes(bucket: Bucket, objects: list[Stored]) -> pa.Table:
    """All outcomes of some objects: ordinals, outcomes, and when the request was first sent."""
    return pa.concat_tables(
        pq.ParquetFile(pa.BufferReader(bucket.get(stored.key)), pre_buffer=False).read(
            columns=["ordinal", "outcome", "sent_at"]
        )
        for stored in objects
    )


def create_outcomes(table: str) -> str:
    """The stage of :func:`copy_outcomes`."""
    return (
        f"CREATE TEMP TABLE {table} (shard INTEGER, ordinal BIGINT, outcome INTEGER, reason VARCHAR(256), "
        "field VARCHAR(256), class VARCHAR(32), sent_at TIMESTAMP)"
    )


def copy_outcomes(table: str, bucket: Bucket, manifest_uri: str) -> str:
    """COPY the outcome objects that a manifest names."""
    return f"COPY {table} FROM {sql.literal(manifest_uri)} IAM_ROLE {role(bucket)} FORMAT AS PARQUET MANIFEST"


def role(bucket: Bucket) -> str:
    """What a COPY or UNLOAD says after IAM_ROLE."""
    return "default" if bucket.iam_role == "default" else sql.literal(bucket.iam_role)
