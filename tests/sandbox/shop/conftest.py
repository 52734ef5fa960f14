from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def shop_endpoints(redshift_dsn, s3) -> dict[str, Any]:
    """What a running sandbox writes into endpoints.json, for this test's database and bucket."""
    redshift = {name: value for name, value in redshift_dsn.items() if name != "ssl"}
    return {"redshift": redshift, "s3": {"endpoint_url": s3.endpoint, "bucket": s3.bucket}}
