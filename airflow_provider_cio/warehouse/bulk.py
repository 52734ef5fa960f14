"""Rows in bulk, moved by Redshift and S3: UNLOAD of a plan into Parquet shards, COPY of outcomes back."""

from __future__ import annotations

import io
from enum import IntEnum

import pyarrow as pa
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


def read_shard(bucket: Bucket, manifest: str, shard: int) -> pa.Table:
    """All rows of one shard, in no order. Empty, without columns, when it has no files."""
    tables = [
        # pre_buffer would keep a second copy of the file in memory.
        pq.ParquetFile(pa.BufferReader(bucket.get(key)), pre_buffer=False).read()
        for key in shard_files(bucket, manifest, shard)
    ]
    return pa.concat_tables(tables) if tables else pa.table({})


def write_outcomes(bucket: Bucket, key: str, outcomes: pa.Table) -> None:
    """One new outcome object."""
    sink = io.BytesIO()
    pq.write_table(outcomes.cast(OUTCOMES), sink, compression="snappy")
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
        f"CREATE TABLE {table} (shard INTEGER, ordinal BIGINT, outcome INTEGER, reason VARCHAR(256), "
        "field VARCHAR(256), class VARCHAR(32), sent_at TIMESTAMP) BACKUP NO DISTSTYLE AUTO"
    )


def copy_outcomes(table: str, bucket: Bucket, manifest_uri: str) -> str:
    """COPY the outcome objects that a manifest names."""
    return f"COPY {table} FROM {sql.literal(manifest_uri)} IAM_ROLE {role(bucket)} FORMAT AS PARQUET MANIFEST"


def role(bucket: Bucket) -> str:
    """What a COPY or UNLOAD says after IAM_ROLE."""
    return "default" if bucket.iam_role == "default" else sql.literal(bucket.iam_role)
