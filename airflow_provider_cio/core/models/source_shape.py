"""What the models demand of a table that they read: its columns, their types, and what it costs to lack them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_cio.core.columns import Family

Kind = Literal["key", "text", "number", "whole", "truth", "moment"]

SQL_TYPES: Mapping[Kind, str] = {
    "key": "VARCHAR(256)",
    "text": "VARCHAR(1024)",
    "number": "DECIMAL(18, 4)",
    "whole": "BIGINT",
    "truth": "BOOLEAN",
    "moment": "TIMESTAMP",
}
ACCEPTED: Mapping[Kind, frozenset[Family]] = {
    "key": frozenset({"text", "integer", "decimal"}),
    "text": frozenset({"text", "integer", "decimal"}),
    "number": frozenset({"integer", "decimal", "float"}),
    "whole": frozenset({"integer", "decimal"}),
    "truth": frozenset({"boolean"}),
    "moment": frozenset({"date", "timestamp", "timestamptz"}),
}
"""Which types of Redshift a column may have: another one stops the build."""


@dataclass(frozen=True)
class SourceColumn:
    """A column as the models read it; `lost` says what its absence costs, and is empty where it is needed."""

    kind: Kind
    meaning: str
    lost: str = ""


@dataclass(frozen=True)
class SourceTable:
    """A table as the models read it; rows whose `moment` is not before `as_of` are not there.

    :param ours: where this provider keeps it, in UTC and with these names of columns; a mapping goes before it.
    """

    meaning: str
    moment: str | None
    columns: Mapping[str, SourceColumn]
    lost: str = ""
    ours: str = ""


def key(meaning: str, lost: str = "") -> SourceColumn:
    """An identifier, or a word of a small vocabulary."""
    return SourceColumn("key", meaning, lost)


def moment(meaning: str, lost: str = "") -> SourceColumn:
    """A time."""
    return SourceColumn("moment", meaning, lost)


def number(meaning: str, lost: str = "") -> SourceColumn:
    """An amount, with four decimals at most."""
    return SourceColumn("number", meaning, lost)


def text(meaning: str, lost: str = "") -> SourceColumn:
    """Free text."""
    return SourceColumn("text", meaning, lost)


def whole(meaning: str, lost: str = "") -> SourceColumn:
    """A whole number."""
    return SourceColumn("whole", meaning, lost)


def truth(meaning: str, lost: str = "") -> SourceColumn:
    """Yes or no."""
    return SourceColumn("truth", meaning, lost)
