"""Objects of others in S3 that are loaded once each: the ledger of what was loaded, and the receiver's lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.bulk import role
from airflow_provider_cio.warehouse.objects import Bucket, Stored
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.shipped import render_sql
from airflow_provider_cio.warehouse.state import ensure_schema, table

RAW, STAGING = "cio_raw", "cio_staging"


@dataclass(frozen=True)
class Loaded:
    """What one load did: objects read, rows in them, and how many of those were new."""

    objects: int = 0
    rows: int = 0
    new: int = 0


def ensure_ledger(warehouse: Warehouse) -> None:
    """The ledger `loaded_objects` and the schema for raw tables."""
    schema = sql.identifier(warehouse.schema)

    def make(session: Session) -> None:
        for name in (warehouse.schema, RAW):
            ensure_schema(session, name)
        session.run(render_sql("ddl/loaded_objects.sql", schema=schema))

    warehouse.transaction(make)


def load_once(
    warehouse: Warehouse,
    source: str,
    objects: Iterable[Stored],
    load: Callable[[Session, list[Stored]], Loaded],
) -> Loaded:
    """Call `load` with the objects that were never loaded, in the transaction that notes them as loaded.

    So a crash leaves either both or nothing, and another load of the same objects waits and finds nothing left.
    """
    listed = list(objects)
    ledger = table(warehouse.schema, "loaded_objects")

    def work(session: Session) -> Loaded:
        session.run(f"LOCK TABLE {ledger}")
        known = {
            row[0]
            for row in session.fetch(f"SELECT object_key FROM {ledger} WHERE source = {sql.literal(source)}")
        }
        fresh = [each for each in listed if each.key not in known]
        if not fresh:
            return Loaded()
        loaded = load(session, fresh)
        rows = ", ".join(
            f"({sql.literal(source)}, {sql.literal(each.key)}, {each.size}, GETDATE())" for each in fresh
        )
        session.run(f"INSERT INTO {ledger} VALUES {rows}")
        return loaded

    return warehouse.transaction(work)


def load_webhooks(warehouse: Warehouse, bucket: Bucket, stream: str, since: date) -> Loaded:
    """Load what receivers stored of a stream since a day into `cio_raw.webhooks`, once for each `event_id`.

    :param bucket: the receiver's `s3`.
    :param stream: `reporting` or `workflow/NAME`.
    """
    ensure_ledger(warehouse)
    raw = table(RAW, "webhooks")
    warehouse.run(render_sql("raw/webhooks.sql", schema=sql.identifier(RAW)))
    objects = [each for each in bucket.listing(f"{stream}/") if each.key.split("/")[-2] >= f"{since}"]

    def load(session: Session, fresh: list[Stored]) -> Loaded:
        manifest = bucket.write_manifest(f"manifests/{uuid4()}", fresh)
        session.run("CREATE TEMP TABLE landed (event_id VARCHAR(100), received_at TIMESTAMP, payload SUPER)")
        session.run(
            f"COPY landed FROM {sql.literal(manifest)} IAM_ROLE {role(bucket)} "
            "FORMAT AS JSON 'auto' TIMEFORMAT 'auto' GZIP MANIFEST"
        )
        [(rows,)] = session.fetch("SELECT COUNT(*) FROM landed")
        [(before,)] = session.fetch(f"SELECT COUNT(*) FROM {raw}")
        session.run(
            f"INSERT INTO {raw} SELECT stream, event_id, received_at, payload FROM ("
            f"SELECT CAST({sql.literal(stream)} AS VARCHAR(80)) AS stream, event_id, received_at, payload, "
            "ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at) AS nth FROM landed) AS numbered "
            f"WHERE nth = 1 AND NOT EXISTS (SELECT 1 FROM {raw} AS old "
            f"WHERE old.event_id = numbered.event_id AND old.stream = numbered.stream)"
        )
        [(after,)] = session.fetch(f"SELECT COUNT(*) FROM {raw}")
        session.run("DROP TABLE landed")
        return Loaded(len(fresh), int(rows), int(after) - int(before))

    return load_once(warehouse, stream, objects, load)
