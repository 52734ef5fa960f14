"""The canonical form of an identifier: one person, one text.

White space (space, tab, line feed, carriage return) is trimmed at both ends; an email is lower-cased, because
Customer.io treats addresses as case-insensitive; an id keeps its case. Nothing left means no identifier.
In SQL this is ``NULLIF(TRIM(BOTH ' ' || CHR(9) || CHR(10) || CHR(13) FROM value), '')``, for an email inside
``LOWER``, on the value cast to VARCHAR.
"""

from __future__ import annotations

from airflow_provider_cio.core.contract import Identifier

WHITE_SPACE = " \t\n\r"
"""Characters trimmed from both ends."""

MAX_BYTES = 150
"""Customer.io's limit for an identifier, in UTF-8 bytes (Track API, limits)."""


def canonical(value: str | int | None, identifier: Identifier) -> str | None:
    """The identifier as it is hashed, stored and sent; None when there is none."""
    if value is None:
        return None
    text = str(value).strip(WHITE_SPACE)
    return (text.lower() if identifier == "email" else text) or None


def too_long(canonical_value: str) -> bool:
    """Whether Customer.io would refuse it for its length."""
    return len(canonical_value.encode()) > MAX_BYTES
