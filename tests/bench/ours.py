"""Our send, with all its accounting: shards from S3, outcomes to S3, the lease in Redshift."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import redshift_connector
from rows import COLUMNS, SYNCS, parquet, rows
from stack import Stack
from ulid import ULID

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.report import PlanCounts
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.sandbox.s3 import BUCKET, client
from airflow_provider_cio.warehouse import ledger, state
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

ROLE = "arn:aws:iam::123456789012:role/redshift"
SHARD = 200_000


@dataclass(frozen=True)
class Sender:
    """One process with what a sending task has."""

    stack: Stack
    context: SyncContext

    def track(self, url: str, **options: float) -> TrackClient:
        """A client without a limit, unless one is given."""
        return TrackClient(
            site_id="sandbox-site", api_key="sandbox-track-key", base_url=url, **{"rate": 1e6} | options
        )

    def plan(self, kind: str, shards: int, size: int = SHARD) -> str:
        """A plan whose shards lie in S3: its id. All shards hold the same rows."""
        plan_id = str(ULID())
        prefix = f"{kind}/{plan_id}/"
        body = parquet(rows(kind, size))
        keys = [f"{prefix}unload/shard={shard}/000.parquet" for shard in range(shards)]
        bucket = self.context.bucket
        for key in keys:
            bucket.put(key, body)
        entries = [{"url": bucket.uri(key)} for key in keys]
        bucket.put(f"{prefix}manifest", json.dumps({"entries": entries}).encode())
        context = replace(self.context, sync=SYNCS[kind])
        state.ensure_tables(context.warehouse, kind)
        plan = Plan(
            plan_id=plan_id,
            sync=SYNCS[kind].name,
            kind=SYNCS[kind].kind,
            run_id=context.run_id,
            status="open",
            mapping=context.mapping,
            columns=COLUMNS[kind],
            counts=PlanCounts(source_rows=shards * size, added=shards * size),
            shards=shards,
            prefix=prefix,
            manifest=f"{prefix}manifest",
        )
        context.warehouse.transaction(lambda session: ledger.insert_plan(session, context.schema, plan))
        return plan_id

    def send(self, kind: str, plan_id: str, shards: int, track: TrackClient, lanes: int = 4) -> int:
        """Send shards one after another, as a new attempt would for which nothing is settled; rows accepted."""
        context = replace(self.context, sync=SYNCS[kind], track=track, lanes=lanes)
        accepted = 0
        for shard in range(shards):
            accepted += send_shard(context, plan_id, shard, "bench")["accepted"]
        return accepted

    def forget(self, kind: str, plan_id: str) -> None:
        """Remove the outcomes, so that the same plan can be sent again."""
        self.context.bucket.delete(f"{kind}/{plan_id}/sent/")


@contextmanager
def sender(stack: Stack) -> Iterator[Sender]:
    """Connected to Redshift and S3."""
    bucket = Bucket(client(stack.s3), f"s3://{BUCKET}/bench", ROLE)
    contract = Contract.model_validate(
        {"workspace": "bench", "staging": {"s3": bucket.uri(""), "iam_role": ROLE}}
    )
    warehouse = Warehouse(lambda: redshift_connector.connect(**stack.redshift))
    try:
        yield Sender(stack, SyncContext(SYNCS["people"], contract, warehouse, bucket, "bench"))
    finally:
        warehouse.close()
