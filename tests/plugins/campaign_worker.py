"""The tasks of a run, each in a process of its own as Airflow runs them. Imported by the fork server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import boto3
import redshift_connector
from botocore.config import Config

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

_SESSION = boto3.session.Session("testing", "testing", region_name="us-east-1")


def s3_client(endpoint: str) -> Any:
    return _SESSION.client("s3", endpoint_url=endpoint, config=Config(retries={"max_attempts": 1}))


s3_client("http://127.0.0.1:1")  # the session keeps what it has read: the fork server pays for it once

TASKS: dict[str, Callable[..., Any]] = {
    "plan": lambda ctx: make_plan(ctx).plan_id,
    "unload": lambda ctx, plan: [shard["shard"] for shard in unload(ctx, plan)],
    "send": lambda ctx, plan, shard: send_shard(ctx, plan, shard, "1")["accepted"],
    "commit": lambda ctx, plan: commit(ctx, plan).accepted,
}
"""What each task is given besides its context, and what it hands on."""


def work(given: dict[str, Any], task: str, arguments: tuple[Any, ...], tell: Connection) -> None:
    """Tell that the work begins, and what came of it. Exit code 0: done; 1: an error of ours."""
    track = TrackClient(
        site_id="sandbox-site",
        api_key="sandbox-track-key",
        base_url=given["customerio"],
        attempts=2,
        timeout=1.0,
        rate=10_000,
        sleep=lambda _: None,
    )
    context = SyncContext(
        sync=Sync.model_validate(given["sync"]),
        contract=Contract.model_validate(given["contract"]),
        warehouse=Warehouse(lambda: redshift_connector.connect(**given["dsn"])),
        bucket=Bucket(s3_client(given["s3"]), given["uri"], given["role"]),
        run_id=given["run_id"],
        track=track,
        lease_seconds=0,
        grace_seconds=0,
        lanes=2,
    )
    tell.send("begins")
    try:
        tell.send(TASKS[task](context, *arguments))
    except CustomerIOProviderError as error:
        sys.stderr.write(f"{task}: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
