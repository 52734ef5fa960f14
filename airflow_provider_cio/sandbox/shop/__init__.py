"""A shop for the sandbox: a generated one of any size, or a real one's orders."""

from __future__ import annotations

from airflow_provider_cio.sandbox.shop.errors import ShopError
from airflow_provider_cio.sandbox.shop.live import go_on
from airflow_provider_cio.sandbox.shop.load import change_customers, ensure_loaded, load

__all__ = ["ShopError", "change_customers", "ensure_loaded", "go_on", "load"]
