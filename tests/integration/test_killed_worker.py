from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from airflow_provider_cio.engine.run import run_sync

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

WORKER = """
import json, sys
import boto3, redshift_connector
from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

given = json.loads(sys.argv[1])
run_sync(SyncContext(
    sync=Sync.model_validate_json(given["sync"]),
    contract=Contract.model_validate_json(given["contract"]),
    warehouse=Warehouse(lambda: redshift_connector.connect(**given["dsn"])),
    bucket=Bucket(boto3.client("s3", endpoint_url=given["s3"], region_name="us-east-1"), given["uri"], given["role"]),
    run_id="killed",
    track=TrackClient(site_id="sandbox-site", api_key="sandbox-track-key", base_url=given["customerio"]),
    lanes=1,
))
"""


def test_a_worker_killed_while_it_waits_for_an_answer_costs_nothing_but_a_repeat(lab: Lab) -> None:
    lab.orders(3000, people=3000)
    sync = lab.events(rows_per_shard=1000)
    context = lab.context(sync)
    given = {
        "sync": sync.model_dump_json(exclude_defaults=True, exclude={"lookback"})[:-1]
        + ',"lookback":"36500d"}',
        "contract": context.contract.model_dump_json(exclude_defaults=True),
        "dsn": lab.dsn,
        "s3": lab.s3_client.meta.endpoint_url,
        "uri": lab.bucket.uri(""),
        "role": lab.bucket.iam_role,
        "customerio": lab.customerio.url,
    }
    lab.faults({"status": "timeout_after", "times": 1, "after": 2})
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    worker = subprocess.Popen([sys.executable, "-c", WORKER, json.dumps(given)], env=environment)
    try:
        deadline = time.monotonic() + 60
        while lab.stats()["events"] < 3000 and time.monotonic() < deadline and worker.poll() is None:
            time.sleep(0.05)
        assert (lab.stats()["events"], worker.poll()) == (3000, None)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    lab.expire_lease()
    healed = run_sync(lab.context(sync, "healed"))
    [(status, accepted, unknown)] = lab.rows(
        "SELECT status, accepted, unknown FROM cio_sync.runs WHERE run_id = 'killed'"
    )
    assert (status, accepted + unknown) == ("partial", 3000)
    assert 0 < accepted < 3000
    assert lab.rows("SELECT reason, COUNT(*) FROM cio_sync.rejects GROUP BY reason") == [
        ("sender_died", unknown)
    ]
    assert (healed.counts.unchanged, healed.accepted) == (accepted, unknown)
    assert lab.stats()["events"] == 3000
    assert lab.received() == 3000 + unknown
    assert lab.rows("SELECT COUNT(*), COUNT(DISTINCT row_key) FROM cio_sync.state") == [(3000, 3000)]
