"""The Dag that watches the others, by monitoring.yaml."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.templates.monitoring import monitoring_dag

dag = monitoring_dag(Path(__file__).parent / "monitoring.yaml")
