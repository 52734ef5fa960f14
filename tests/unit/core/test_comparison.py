"""What was sent against what the App API shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_cio.core.comparison import difference


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("text", "text"),
        ("", None),
        (None, ""),
        (2, "2"),
        (2, "2.0"),
        (31.5, "31.50"),
        (Decimal("0.10"), "0.1"),
        (True, "true"),
        (False, "False"),
        ({"a": [1]}, '{"a":[1]}'),
        ([1, "b"], [1, "b"]),
    ],
)
def test_the_same(sent, shown):
    assert difference(sent, shown) is None


@pytest.mark.parametrize(
    ("sent", "shown", "kind"),
    [
        ("text", "Text", "value"),
        ("text", None, "value"),
        ("", "something", "value"),
        (2, "3", "value"),
        (2, "two", "type"),
        (2, "true", "type"),
        (2, None, "value"),
        (True, "false", "value"),
        (True, "1", "type"),
        ({"a": 1}, '{"a":2}', "value"),
        ({"a": 1}, "a", "type"),
    ],
)
def test_different(sent, shown, kind):
    assert difference(sent, shown) == kind
