"""An Airflow Dag for each file of dags/reporting."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.templates.loader import load_reports

load_reports(Path(__file__).parent / "reporting", globals())
