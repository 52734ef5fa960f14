"""Data-out files of several versions: other orders, missing and additional columns, changed types. No row is lost."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def ctx(s3: Any, redshift_dsn: dict[str, Any]) -> Any:
    warehouse = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    yield Reporting(
        source="data_out",
        warehouse=warehouse,
        bucket=Bucket(s3.client, f"s3://{s3.bucket}/staging", s3.role),
        files=Bucket(s3.client, f"s3://{s3.bucket}/out", s3.role),
        run_id="r",
        first=date(2026, 1, 1),
    )
    warehouse.close()


def put(ctx: Reporting, name: str, **columns: list[Any] | pa.Array) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    ctx.file_bucket.put(name, sink.getvalue())


def load(ctx: Reporting, stream: str) -> StreamReport:
    [report] = reporting.run(ctx, reporting.chosen([stream], "data_out"))
    return report


def test_versions_beside_each_other_meet_in_one_table(ctx: Reporting) -> None:
    put(ctx, "deep/er/metrics_v3_7_241600000000311123.parquet",
        delivery_id=["a"], metric=["sent"], created_at=[AT], event_id=["e1"])  # fmt: skip
    put(ctx, "metrics_v4_7_241600000000311124.parquet",
        event_id=["e1"], workspace_id=[7], delivery_id=["a"], metric=["sent"], created_at=[AT], reason=[None],
        link_id=pa.array([None], pa.int64()), link_url=[None], seq_num=[1])  # fmt: skip
    put(ctx, "metrics_v5_7_241600000000311125.parquet",
        event_id=["e2"], metric=["opened"], prefetched=[True], created_at=[AT], delivery_id=["a"],
        mail_client=["someone's"], seq_num=[2])  # fmt: skip
    put(ctx, "metrics_notes.txt.parquet", a=[1])
    report = load(ctx, "metrics")
    assert (report.rows, report.new, report.odd.to_dict()) == (3, 2, {"unknown": {"mail_client": 1}})
    rows = ctx.warehouse.fetch(
        "SELECT metric, event_id, prefetched, recency, JSON_SERIALIZE(_extra) FROM cio_raw.metrics ORDER BY metric"
    )
    assert rows == [
        ("opened", "e2", True, 241600000000311125, '{"mail_client":"someone\'s"}'),
        ("sent", "e1", None, 241600000000311124, None),
    ]


def test_a_type_that_changed_is_a_finding_and_loses_nothing(ctx: Reporting) -> None:
    put(ctx, "deliveries_v4_7_1.parquet",
        delivery_id=["a", "b", "c"], campaign_id=["12", "spring-sale", None],
        newsletter_id=pa.array([1.0, 2.5, None]), created_at=["2026-03-01T12:00:05Z", "yesterday", None],
        transactional_message_id=pa.array([[1], None, None]), delivery_type=[b"email", b"push", None])  # fmt: skip
    report = load(ctx, "deliveries")
    assert (report.rows, report.new) == (3, 3)
    assert report.odd.to_dict() == {
        "mistyped": {"campaign_id": 1, "newsletter_id": 1, "created_at": 1, "transactional_message_id": 1}
    }
    rows = ctx.warehouse.fetch(
        "SELECT delivery_id, campaign_id, newsletter_id, created_at, _extra.campaign_id::VARCHAR, "
        "_extra.created_at::VARCHAR FROM cio_raw.deliveries ORDER BY 1"
    )
    assert rows == [
        ("a", 12, 1, AT.replace(tzinfo=None), None, None),
        ("b", None, None, None, "spring-sale", "yesterday"),
        ("c", None, None, None, None, None),
    ]
    [(odd,)] = ctx.warehouse.fetch("SELECT odd_fields FROM cio_sync.reporting_runs")
    assert '"campaign_id": 1' in odd


def test_the_newest_file_wins_whatever_comes_first(ctx: Reporting) -> None:
    put(ctx, "people_v4_7_20.parquet", internal_customer_id=["c1"], email_addr=["new@x.io"], deleted=[False])
    assert load(ctx, "people").new == 1
    put(ctx, "people_v4_7_10.parquet", internal_customer_id=["c1", "c2"], email_addr=["old@x.io", "b@x.io"],
        created_at=pa.array([0, 0], pa.timestamp("us", "UTC")))  # fmt: skip
    assert load(ctx, "people").new == 1
    rows = ctx.warehouse.fetch("SELECT cio_id, email, created_at FROM cio_raw.people ORDER BY 1")
    assert rows == [("c1", "new@x.io", None), ("c2", "b@x.io", None)]


def test_a_value_that_is_too_long_is_cut_and_told(ctx: Reporting) -> None:
    put(ctx, "deliveries_v4_7_1.parquet", delivery_id=["a"], subject_id=["é" * 5000], note=["x" * 70_000])
    report = load(ctx, "deliveries")
    assert (report.new, report.odd.to_dict()["too_long"]) == (1, {"journey_id": 1})
