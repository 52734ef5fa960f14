"""The Dag that builds the marts of models.yaml."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.templates.enrichment import enrichment_dag

dag = enrichment_dag(Path(__file__).parent / "models.yaml")
