"""A worker's process: one try at one sync, killed with SIGKILL at a chosen point. Imported by the fork server."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
import redshift_connector
from botocore.config import Config

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.engine import run
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.warehouse import session
from airflow_provider_cio.warehouse.objects import Bucket

PHASES = {"make_plan": 40, "unload": 14, "send_shard": 30, "commit": 44}
"""Verbs of a run, and about how many points at which it can be killed each has."""


_SESSION = boto3.session.Session("testing", "testing", region_name="us-east-1")


def s3_client(endpoint: str) -> Any:
    return _SESSION.client("s3", endpoint_url=endpoint, config=Config(retries={"max_attempts": 1}))


s3_client("http://127.0.0.1:1")  # the session keeps what it has read: the fork server pays for it once


@dataclass
class Killer:
    """Ends this process before or after the n-th call of Redshift, S3 or Customer.io within a phase."""

    phase: str
    point: int
    inside: bool = False

    def passed(self) -> None:
        if self.inside:
            self.point -= 1
            if self.point < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.passed()
            answer = call(*arguments, **named)
            self.passed()
            return answer

        return watched

    def within(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            self.inside = True
            try:
                return verb(*arguments, **named)
            finally:
                self.inside = False

        return watched

    def watch(self) -> None:
        setattr(run, self.phase, self.within(getattr(run, self.phase)))
        session.Session._execute = self.around(session.Session._execute)
        session._end = self.around(session._end)
        Bucket._call = self.around(Bucket._call)
        httpx.HTTPTransport.handle_request = self.around(httpx.HTTPTransport.handle_request)


def work(given: dict[str, Any], killer: Killer | None) -> None:
    """Exit code 0: the run is done; 1: an error of ours, so that another try makes sense; 2: any other error."""
    if killer is not None:
        killer.watch()
    s3 = s3_client(given["s3"])
    warehouse = session.Warehouse(lambda: redshift_connector.connect(**given["dsn"]))
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
        warehouse=warehouse,
        bucket=Bucket(s3, given["uri"], given["role"]),
        run_id=given["run_id"],
        track=track,
        lease_seconds=0,
        grace_seconds=0,
        lanes=2,
    )
    try:
        run.run_sync(context)
    except CustomerIOProviderError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
