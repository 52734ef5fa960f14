"""Fields of webhooks that no column takes: in `_extra`, and told; what cannot be kept there stays in the raw event."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

NOW = datetime.now(UTC)


@pytest.fixture
def ctx(s3: Any, redshift_dsn: dict[str, Any]) -> Any:
    warehouse = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    bucket, files = (Bucket(s3.client, f"s3://{s3.bucket}/{name}", s3.role) for name in ("staging", "hooks"))
    yield Reporting("webhooks", warehouse, bucket, "r", NOW.date(), files=files)
    warehouse.close()


def receive(ctx: Reporting, **events: dict[str, Any]) -> None:
    lines = [
        {
            "event_id": event_id,
            "received_at": f"{NOW:%Y-%m-%d %H:%M:%S.%f}",
            "payload": {
                "event_id": event_id,
                "object_type": "email",
                "metric": "opened",
                "timestamp": int(NOW.timestamp()),
                "data": {
                    "delivery_id": event_id,
                    "identifiers": {"cio_id": "c"},
                    "recipient": "a@x.io",
                    **data,
                },
            },
        }
        for event_id, data in events.items()
    ]
    body = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    ctx.file_bucket.put(f"reporting/{NOW:%Y-%m-%d}/one.ndjson.gz", body)


def test_unknown_fields_are_kept_and_told(ctx: Reporting) -> None:
    receive(
        ctx,
        plain={"prefetched": True},
        new={"synthetic": True, "weather": {"in": ["Ulm", 'a "quote"']}, "user_agent": "x"},
        again={"user_agent": "y"},
        strange={'bad" name': 1, "much": "x" * 5000},
    )
    deliveries, metrics = reporting.run(ctx, reporting.chosen(["deliveries", "metrics"], "webhooks"))
    assert deliveries.odd.to_dict() == {}
    assert metrics.odd.to_dict() == {"unknown": {"user_agent": 2, "synthetic": 1, "weather": 1}}
    rows = ctx.warehouse.fetch("SELECT delivery_id, JSON_SERIALIZE(_extra) FROM cio_raw.metrics ORDER BY 1")
    assert {key: None if text is None else json.loads(text) for key, text in rows} == {
        "plain": None,
        "new": {"synthetic": True, "weather": {"in": ["Ulm", 'a "quote"']}, "user_agent": "x"},
        "again": {"user_agent": "y"},
        "strange": None,
    }
    [(prefetched, much)] = ctx.warehouse.fetch(
        "SELECT m.prefetched, (SELECT LEN(w.payload.data.much::VARCHAR) FROM cio_raw.webhooks AS w "
        "WHERE w.event_id = 'strange') FROM cio_raw.metrics AS m WHERE m.delivery_id = 'plain'"
    )
    assert (prefetched, much) == (True, 5000)
    assert [report.new for report in reporting.run(ctx, reporting.chosen(["metrics"], "webhooks"))] == [0]
