"""A local Customer.io: Track v1 and v2, App API, a page, and a control API for tests."""

from __future__ import annotations

from airflow_provider_cio.sandbox.customerio.server import CustomerIOSandbox

__all__ = ["CustomerIOSandbox"]
