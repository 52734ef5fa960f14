"""Build the retention models: start, build, check, publish; or all of it with :func:`run`."""

from __future__ import annotations

from airflow_provider_cio.engine.enrichment.build import (
    build_model,
    create_views,
    publish,
    run,
    start,
)
from airflow_provider_cio.engine.enrichment.checks import check
from airflow_provider_cio.engine.enrichment.context import Build, EnrichmentContext

__all__ = [
    "Build",
    "EnrichmentContext",
    "build_model",
    "check",
    "create_views",
    "publish",
    "run",
    "start",
]
