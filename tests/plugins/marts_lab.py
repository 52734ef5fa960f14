"""Fixture `enrichment`: the shipped models over the shop of this test's database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.core.models.files import ModelFolder, load_folder
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.engine.enrichment import EnrichmentContext, run
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
    checks = tuple(check for check in ctx.folder.checks if check.model in needed)
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


@pytest.fixture
def build_marts(enrichment: EnrichmentContext) -> Callable[..., dict[str, int]]:
    """Build and publish all models; rows by model."""

    def build(as_of: datetime | None = None, **options: Any) -> dict[str, int]:
        return run(enrichment, as_of or datetime.now(UTC), **options)

    return build
