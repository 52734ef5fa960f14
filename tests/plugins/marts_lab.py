"""Fixture `enrichment`: the shipped models over the shop of this test's database; `messages` for messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.core.models.files import ModelFolder, load_folder
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.engine.enrichment import EnrichmentContext, run
from airflow_provider_cio.engine.reporting.context import Reporting
from airflow_provider_cio.engine.reporting.run import prepare
from airflow_provider_cio.warehouse.audience.tables import ensure_tables
from airflow_provider_cio.warehouse.session import Warehouse

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "dags/models.yaml"
FOLDER = load_folder(ROOT / "sql")


def only(ctx: EnrichmentContext, *models: str) -> EnrichmentContext:
    """The same with these models and what they read, and no others."""
    needed, waiting = set[str](), set(models)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= ctx.lineage[name][0] - needed
    chosen = {name: model for name, model in ctx.folder.models.items() if name in needed}
    checks = tuple(
        c for c in ctx.folder.checks if {c.model, *re.findall(r"ref\('(\w+)'\)", c.text)} <= needed
    )
    return EnrichmentContext(ctx.models, ModelFolder(ctx.folder.path, chosen, checks), ctx.warehouse)


@pytest.fixture
def only_models() -> Callable[..., EnrichmentContext]:
    """:func:`only`, for test modules."""
    return only


@pytest.fixture
def enrichment(redshift_dsn: dict[str, Any]) -> Iterator[EnrichmentContext]:
    warehouse = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    yield EnrichmentContext(load_models(MODELS), FOLDER, warehouse)
    warehouse.close()


def messenger(warehouse: Warehouse) -> Callable[..., None]:
    """Customer.io's reporting and the audiences' ledger, empty, as their engines make them; tells of a message.

    ``tell("M1", "Ann", sent, clicked=moment)``: of campaign 1, as webhooks tell it; moments in UTC.
    """
    prepare(Reporting("webhooks", warehouse, None, "run", date(2026, 1, 1)))  # type: ignore[arg-type]
    ensure_tables(warehouse)

    def tell(
        delivery: str, customer: str, sent: datetime, channel: str = "email", **metrics: datetime
    ) -> None:
        warehouse.run(
            "INSERT INTO cio_raw.deliveries (source, delivery_id, customer_id, campaign_id, action_id, type, recency) "
            f"VALUES ('webhooks', '{delivery}', '{customer}', 1, 11, '{channel}', 1)"
        )
        for metric, moment in {"sent": sent, **metrics}.items():
            warehouse.run(
                "INSERT INTO cio_raw.metrics (source, delivery_id, metric, occurred_at, recency) "
                f"VALUES ('webhooks', '{delivery}', '{metric}', '{moment:%Y-%m-%d %H:%M:%S}', 1)"
            )

    return tell


@pytest.fixture
def messages(enrichment: EnrichmentContext) -> Callable[..., None]:
    """:func:`messenger` of this test's database."""
    return messenger(enrichment.warehouse)


@pytest.fixture
def build_marts(enrichment: EnrichmentContext) -> Callable[..., dict[str, int]]:
    """Build and publish all models; rows by model."""

    def build(as_of: datetime | None = None, **options: Any) -> dict[str, int]:
        return run(enrichment, as_of or datetime.now(UTC), **options)

    return build
