"""Fixtures: a fresh Customer.io sandbox for a test, on a free port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox


@pytest.fixture
def customerio(tmp_path: Path) -> Iterator[CustomerIOSandbox]:
    with CustomerIOSandbox(tmp_path / "customerio", port=None) as sandbox:
        yield sandbox
