"""``python -m airflow_provider_cio.sandbox.demo``: the main job, end to end, on this machine alone."""
