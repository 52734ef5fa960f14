"""An Airflow Dag for each file of dags/syncs."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.templates.loader import load_syncs

load_syncs(Path(__file__).parent / "syncs", globals())
