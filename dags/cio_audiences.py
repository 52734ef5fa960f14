"""An Airflow Dag for each file of dags/audiences."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.templates.loader import load_audiences

load_audiences(Path(__file__).parent / "audiences", globals())
