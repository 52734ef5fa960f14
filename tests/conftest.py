"""What holds for every test: plugins, no timing, and an environment without anybody's credentials or proxies."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("no timing", deadline=None)
settings.load_profile("no timing")

pytest_plugins = ["airflow_home", "customerio_sandbox", "local_redshift"]

SCRUBBED = ("AWS_", "AIRFLOW__", "CIO_SANDBOX_")
PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(SCRUBBED) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
