from __future__ import annotations

import pytest

from airflow_provider_cio.core.identity import canonical, too_long


@pytest.mark.parametrize(
    ("value", "identifier", "expected"),
    [
        ("  A-1\t", "id", "A-1"),
        ("\r\nAda@Example.COM ", "email", "ada@example.com"),
        (42, "id", "42"),
        ("", "id", None),
        (" \n", "email", None),
        (None, "id", None),
        ("\u00a0x", "id", "\u00a0x"),
    ],
)
def test_canonical(value: str | int | None, identifier: str, expected: str | None) -> None:
    assert canonical(value, identifier) == expected  # type: ignore[arg-type]


def test_the_limit_counts_bytes_not_characters() -> None:
    assert not too_long("x" * 150)
    assert too_long("x" * 151)
    assert too_long("é" * 76)
