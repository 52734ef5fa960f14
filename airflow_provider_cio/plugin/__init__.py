"""The plugin: Airflow 3.3 loads it through the entry point `airflow.plugins`, not from the provider info."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_cio.deadlines.reference import RunDue


class CustomerIOPlugin(AirflowPlugin):
    """Registers the deadline reference, so that Airflow can read it back from a serialised DAG."""

    name = "customerio"
    deadline_references = [RunDue]  # noqa: RUF012 - Airflow's own declaration is a plain list
