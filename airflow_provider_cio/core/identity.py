"""The canonical form of an identifier: one person, one text.

White space (space, tab, line feed, carriage return) is trimmed at both ends; an email is lower-cased, because
Customer.io treats addresses as case-insensitive; a phone loses its spaces, dots, dashes and brackets; an id keeps
its case. Nothing left means no identifier. :func:`warehouse.statements.canonical_identity` says the same in SQL.
"""

from __future__ import annotations

from airflow_provider_cio.core.contract import Identifier

WHITE_SPACE = " \t\n\r"
"""Characters trimmed from both ends."""

_PHONE_MARKS = str.maketrans("", "", " .-()")
PHONE = "^[+][1-9][0-9]{6,14}$"
"""E.164, which Customer.io wants of a phone that identifies (Track API, identifiers)."""

MAX_BYTES = 150
"""Customer.io's limit for an identifier, in UTF-8 bytes (Track API, limits)."""


def canonical(value: str | int | None, identifier: Identifier) -> str | None:
    """The identifier as it is hashed, stored and sent; None when there is none."""
    if value is None:
        return None
    text = str(value).strip(WHITE_SPACE)
    if identifier == "email":
        text = text.lower()
    elif identifier == "phone":
        text = text.translate(_PHONE_MARKS)
    return text or None


def too_long(canonical_value: str) -> bool:
    """Whether Customer.io would refuse it for its length."""
    return len(canonical_value.encode()) > MAX_BYTES
