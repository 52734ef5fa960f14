"""Streams in `cio_raw`: canonical Parquet goes through COPY into a stage, and the newest row of each key wins.

Each route keeps its own row of a key, so that what one route knows is not overwritten by another that knows less;
the staging models bring them together.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_cio.core.streams import SQL_TYPES, Source, Stream
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.bulk import role
from airflow_provider_cio.warehouse.landing import RAW
from airflow_provider_cio.warehouse.objects import Bucket, Stored
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import table

STAGE, NEWEST = "landed", "newest"
ROWS_A_FILE = 100_000


@dataclass(frozen=True)
class Merged:
    """Rows that came, keys among them, and keys that the table did not have from this route."""

    rows: int = 0
    keys: int = 0
    new: int = 0

    def __add__(self, more: Merged) -> Merged:
        return Merged(self.rows + more.rows, self.keys + more.keys, self.new + more.new)


def raw_table(stream: Stream) -> str:
    """Quoted."""
    return table(RAW, stream.name)


def create(stream: Stream) -> str:
    """DDL of a stream's table."""
    own = [f"{sql.identifier(field.name)} {SQL_TYPES[field.type]}" for field in stream.fields]
    columns = [
        "source VARCHAR(16) NOT NULL",
        *own,
        "recency BIGINT NOT NULL",
        "_extra SUPER",
        "loaded_at TIMESTAMP",
    ]
    return (
        f"CREATE TABLE IF NOT EXISTS {raw_table(stream)} ({', '.join(columns)}) "
        f"DISTSTYLE KEY DISTKEY ({sql.identifier(stream.key[0])}) SORTKEY ({sql.identifier(stream.key[0])})"
    )


def ensure(session: Session, streams: Iterable[Stream]) -> None:
    """Create the tables that are missing, and columns that an older version did not have."""
    rows = session.fetch(
        f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = {sql.literal(RAW)}"
    )
    known = {(str(row[0]), str(row[1])) for row in rows}
    for stream in streams:
        missing = [field for field in stream.fields if (stream.name, field.name) not in known]
        if len(missing) == len(stream.fields):
            session.run(create(stream))
        else:
            for field in missing:
                column = f"{sql.identifier(field.name)} {SQL_TYPES[field.type]}"
                session.run(f"ALTER TABLE {raw_table(stream)} ADD COLUMN {column}")
        for comment in describe(stream) if missing else ():
            session.run(comment)


def describe(stream: Stream) -> list[str]:
    """COMMENT statements: the table's and its columns' descriptions."""
    name = raw_table(stream)
    columns = (
        f"COMMENT ON COLUMN {name}.{sql.identifier(field.name)} IS {sql.literal(field.description)}"
        for field in stream.fields
    )
    return [f"COMMENT ON TABLE {name} IS {sql.literal(stream.description)}", *columns]


class Files:
    """Canonical Parquet of one load, written as its rows come, some pages to a file."""

    def __init__(self, bucket: Bucket, stream: Stream, schema: pa.Schema) -> None:
        self._bucket, self._schema = bucket, schema
        self._folder = f"reporting/{stream.name}/{uuid4()}"
        self._written: list[Stored] = []
        self._held: list[pa.Table] = []
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """More rows."""
        self.rows += len(rows)
        self._held.append(rows)
        if sum(len(each) for each in self._held) >= ROWS_A_FILE:
            self._flush()

    def manifest(self) -> str:
        """The address of the manifest of everything that was added."""
        self._flush()
        if not self._written:  # COPY refuses a manifest without files
            self._write(self._schema.empty_table())
        return self._bucket.write_manifest(f"{self._folder}/manifest", self._written)

    def _flush(self) -> None:
        held, self._held = self._held, []
        if any(len(each) for each in held):
            self._write(pa.concat_tables(held))

    def _write(self, rows: pa.Table) -> None:
        sink = io.BytesIO()
        pq.write_table(rows, sink, compression="snappy")
        key = f"{self._folder}/{len(self._written):06}.parquet"
        self._bucket.put(key, sink.getvalue())
        self._written.append(Stored(key, sink.getbuffer().nbytes))


def stage(session: Session, stream: Stream) -> None:
    """An empty stage, for this transaction."""
    own = [f"{sql.identifier(field.name)} {SQL_TYPES[field.type]}" for field in stream.fields]
    session.run(f"CREATE TEMP TABLE {STAGE} ({', '.join([*own, 'recency BIGINT', '_extra VARCHAR(65535)'])})")


def copy(session: Session, bucket: Bucket, manifest: str) -> None:
    """COPY canonical Parquet into the stage."""
    session.run(
        f"COPY {STAGE} FROM {sql.literal(manifest)} IAM_ROLE {role(bucket)} FORMAT AS PARQUET MANIFEST"
    )


def merge(session: Session, stream: Stream, source: Source) -> Merged:
    """Stage -> table, and drop the stage. Rows that are not newer than what is there change nothing.

    A snapshot also loses the rows that the stage does not show.
    """
    target, keys = raw_table(stream), [sql.identifier(name) for name in stream.key]
    names = ", ".join(["source", *(sql.identifier(name) for name in stream.names), "recency"])
    own = names.removeprefix("source, ")
    known = " AND ".join(f"{target}.{name} = {NEWEST}.{name}" for name in ("source", *keys))
    with_key = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    order = "recency DESC"
    if stream.newest is not None:
        order += f", {sql.identifier(stream.newest)} DESC NULLS LAST"
    session.run(f"LOCK TABLE {target}")
    [(rows,)] = session.fetch(f"SELECT COUNT(*) FROM {STAGE}")
    session.run(
        f"CREATE TEMP TABLE {NEWEST} AS SELECT CAST({sql.literal(source)} AS VARCHAR(16)) AS source, {own}, _extra "
        f"FROM (SELECT {own}, _extra, ROW_NUMBER() OVER (PARTITION BY {', '.join(keys)} ORDER BY {order}) AS nth "
        f"FROM {STAGE} WHERE {with_key}) AS numbered WHERE nth = 1"
    )
    [(found,)] = session.fetch(f"SELECT COUNT(*) FROM {NEWEST}")
    [(before,)] = session.fetch(f"SELECT COUNT(*) FROM {target}")
    session.run(f"DELETE FROM {target} USING {NEWEST} WHERE {known} AND {target}.recency <= {NEWEST}.recency")
    session.run(
        f"INSERT INTO {target} ({names}, _extra, loaded_at) SELECT {names}, JSON_PARSE(_extra), GETDATE() "
        f"FROM {NEWEST} WHERE NOT EXISTS (SELECT 1 FROM {target} WHERE {known})"
    )
    [(after,)] = session.fetch(f"SELECT COUNT(*) FROM {target}")
    if stream.snapshot:
        session.run(
            f"DELETE FROM {target} WHERE source = {sql.literal(source)} "
            f"AND NOT EXISTS (SELECT 1 FROM {NEWEST} WHERE {known})"
        )
    for name in (NEWEST, STAGE):
        session.run(f"DROP TABLE {name}")
    return Merged(int(rows), int(found), int(after) - int(before))
