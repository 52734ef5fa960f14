"""Redshift's functions and system views as SQL, in the schema ``rs`` that stands before ``pg_catalog``."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.core.sqllint.tokens import split, text, tokens


def statements() -> list[str]:
    """The library, in order; running it twice changes nothing."""
    found: list[str] = []
    for file in sorted(Path(__file__).parent.glob("*.sql")):
        parts = split(tokens(file.read_text()), ";")
        found += [text(part).strip() for part in parts if any(piece.kind != "space" for piece in part)]
    return found
