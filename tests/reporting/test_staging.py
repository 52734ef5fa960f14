"""The staging views: their columns are documented, and they mean what is documented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

REFERENCE = Path(__file__).parents[2] / "docs/reference/customerio-staging.md"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def warehouse(s3: Any, redshift_dsn: dict[str, Any]) -> Iterator[Warehouse]:
    """Everything that a first load makes, without rows."""
    made = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    bucket = Bucket(s3.client, f"s3://{s3.bucket}/staging", s3.role)
    reporting.prepare(Reporting("webhooks", made, bucket, "r", date(2026, 1, 1)))
    yield made
    made.close()


def documented() -> dict[str, list[str]]:
    """Columns by view, as the reference lists them."""
    sections = re.split(r"^## (stg_customerio__\w+)$", REFERENCE.read_text(), flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def test_every_column_is_documented_in_its_order(warehouse: Warehouse) -> None:
    found = {
        view: [
            name
            for name, _ in warehouse.transaction(
                lambda session, view=view: session.describe(f"SELECT * FROM cio_staging.{view} LIMIT 0")
            )
        ]
        for view in reporting.VIEWS
    }
    assert found == documented()


def test_machines_are_no_witness_of_people(warehouse: Warehouse) -> None:
    warehouse.run(
        "INSERT INTO cio_raw.metrics (source, recency, delivery_id, metric, occurred_at, prefetched, machine) VALUES "
        "('webhooks', 1, 'a', 'opened', '2026-03-01 10:00:00', TRUE, NULL), "
        "('data_out', 1, 'a', 'opened', '2026-03-01 11:00:00', NULL, NULL), "
        "('webhooks', 1, 'a', 'opened', '2026-03-01 12:00:00', NULL, NULL), "
        "('data_out', 1, 'a', 'clicked', '2026-03-01 11:30:00', FALSE, TRUE), "
        "('data_out', 1, 'a', 'clicked', '2026-03-01 12:00:00', FALSE, FALSE), "
        "('app_api', 1, 'b', 'human_clicked', '2026-03-01 12:00:00', NULL, NULL)"
    )
    rows = warehouse.fetch(
        "SELECT delivery_id, first_opened_at, first_human_opened_at, first_clicked_at, first_human_clicked_at "
        "FROM cio_staging.stg_customerio__delivery_metrics ORDER BY 1"
    )
    assert rows == [
        ("a", AT.replace(hour=10), AT, AT.replace(hour=11, minute=30), AT),
        ("b", None, None, None, AT),
    ]


def test_holdouts_are_joined_by_the_customer(warehouse: Warehouse) -> None:
    warehouse.run(
        "INSERT INTO cio_sync.holdout_assignments VALUES "
        "('winback', 'c-1', TRUE, 'gold', 1, 'x', 2000, 'winback', '2026-03-01 12:00:00'), "
        "('winback', 'c-2', FALSE, '', 1, 'y', 2000, 'winback', '2026-03-01 12:00:00')"
    )
    rows = warehouse.fetch("SELECT * FROM cio_staging.stg_customerio__holdout_assignments ORDER BY 2")
    assert rows == [
        ("winback", "c-1", True, "gold", 2000, "winback", AT),
        ("winback", "c-2", False, "", 2000, "winback", AT),
    ]
