"""The Dag that builds the marts, in one process: it publishes, and a failure leaves what was public."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dag_lab import Dags, Run

pytest_plugins = ("dag_lab",)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(lab: Any) -> Any:
    """A small shop in the lab's Redshift."""
    from airflow_provider_cio.sandbox.shop.tables import SCHEMA, TABLES, create_table

    lab.run(f"CREATE SCHEMA {SCHEMA}")
    for name in TABLES:
        lab.run(create_table(name))
    lab.run("INSERT INTO shop.customers (customer_id, email) VALUES ('C1', 'a@example.com'), ('C2', NULL)")
    lab.run(
        "INSERT INTO shop.orders (order_id, customer_id, ordered_at, total) VALUES ('O1', 'C1', '2026-03-01', 20)"
    )
    return lab


@pytest.fixture
def build(dags: Dags, shop: Any) -> Any:
    """Run the shipped Dag with these parameters."""
    for name in ("models.yaml", "cio_enrichment.py"):
        shutil.copy(ROOT / "dags" / name, dags.folder)

    def run(**params: Any) -> Run:
        from airflow_provider_cio.templates.enrichment import enrichment_dag

        dag = enrichment_dag(dags.folder / "models.yaml", sql_folder=ROOT / "sql")
        for task in dag.tasks:
            task.retries = 0
        from dag_lab import Run

        return Run(dag.test(run_conf=params))

    return run


def state(lab: Any) -> list[tuple[Any, ...]]:
    return lab.rows(
        "SELECT customer_id, lifetime_orders, lifetime_value FROM cio_marts.retention_customer_state ORDER BY 1"
    )


def test_a_build_then_a_renamed_column_then_a_duplicate_then_a_good_one(
    shop: Any, build: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    run = build(as_of="2026-03-02T00:00:00+00:00")
    assert (run.state, set(run.tasks.values())) == ("success", {"success"})
    assert run.xcom("publish")["retention_customer_state"] == 2
    yesterday = [("C1", 1, 20), ("C2", 0, 0)]
    assert state(shop) == yesterday
    assert "degraded, discounts is not there" in capfd.readouterr().out

    shop.run("ALTER TABLE shop.orders RENAME COLUMN total TO totals")
    failed = build(as_of="2026-03-03T00:00:00+00:00")
    assert (failed.state, failed.tasks["sources"], failed.tasks["publish"]) == (
        "failed",
        "failed",
        "upstream_failed",
    )
    told = capfd.readouterr().out
    assert "sources.orders.columns.total: shop.orders has no column total: was it renamed to totals?" in told
    assert state(shop) == yesterday
    shop.run("ALTER TABLE shop.orders RENAME COLUMN totals TO total")

    shop.run(
        "INSERT INTO shop.orders (order_id, customer_id, ordered_at, total) VALUES ('O1', 'C2', '2026-03-02', 5)"
    )
    failed = build(as_of="2026-03-03T00:00:00+00:00")
    assert (failed.state, failed.tasks["check_staging"], failed.tasks["publish"]) == (
        "failed",
        "failed",
        "upstream_failed",
    )
    assert "stg_orders: 1 keys (order_id) stand in several rows" in capfd.readouterr().out
    assert state(shop) == yesterday

    shop.run("DELETE FROM shop.orders WHERE customer_id = 'C2'")
    shop.run(
        "INSERT INTO shop.refunds (refund_id, order_id, refunded_at, amount) VALUES ('R1', 'O1', '2026-03-02', 5)"
    )
    assert build(as_of="2026-03-03T00:00:00+00:00").state == "success"
    assert state(shop) == [("C1", 1, 15), ("C2", 0, 0)]
    kept = shop.rows("SELECT DISTINCT status FROM cio_sync.model_builds ORDER BY 1")
    assert kept == [("dropped",), ("public",)]
    tables = shop.rows("SELECT COUNT(*) FROM svv_tables WHERE table_schema = 'cio_build'")
    assert tables == shop.rows("SELECT COUNT(*) FROM cio_sync.model_builds WHERE status = 'public'")

    older = build(as_of="2026-03-01T12:00:00+00:00")
    assert (older.state, older.tasks["publish"]) == ("success", "skipped")
    assert state(shop) == [("C1", 1, 15), ("C2", 0, 0)]


def test_tasks_follow_the_sql() -> None:
    from airflow_provider_cio.templates.enrichment import enrichment_dag

    dag = enrichment_dag(ROOT / "dags/models.yaml")
    upstream = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert upstream["staging.paid_lines"] == {"sources", "staging.paid_orders"}
    assert upstream["marts.retention_customer_state"] == {
        "sources",
        "check_staging",
        "marts.replenishment_due",
    }
    assert upstream["publish"] == {"sources", "check_marts"}
    announced = {asset.uri for asset in dag.get_task("publish").outlets}
    assert {f"customerio://mart/{file.stem}" for file in (ROOT / "sql/marts").glob("*.sql")} == announced


def test_a_sync_waits_for_its_mart_and_for_the_clock() -> None:
    from airflow_provider_cio.templates.export import sync_dag

    timetable = sync_dag(ROOT / "dags/syncs/customers.yaml").timetable
    assert [asset.uri for asset in timetable.asset_condition.objects] == [
        "customerio://mart/retention_customer_state"
    ]
    assert timetable.timetable.expression == "0 * * * *"


def test_a_sync_waits_for_a_mart_that_dbt_builds(tmp_path: Path) -> None:
    """As docs/how-to/use-dbt-models.md says: `schemas.marts` is dbt's schema."""
    from airflow_provider_cio.core.contract_files import load_sync
    from airflow_provider_cio.templates.freshness import schedule_of

    models = (ROOT / "dags/models.yaml").read_text() + "\nschemas: {marts: analytics}\n"
    (tmp_path / "models.yaml").write_text(models)
    sync = load_sync(ROOT / "dags/syncs/customers.yaml")
    waiting = schedule_of(sync.model_copy(update={"source": "analytics.customer_state"}), tmp_path)
    assert [asset.uri for asset in waiting.asset_condition.objects] == ["customerio://mart/customer_state"]
    assert schedule_of(sync, tmp_path) == sync.cadence
