"""Warehouse columns by type OID, and which declared type each of them can become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from airflow_provider_cio.core.contract import FieldMapping, ValueType
from airflow_provider_cio.exceptions import SourceError

Family = Literal[
    "boolean", "integer", "float", "decimal", "text", "date", "timestamp", "timestamptz", "super"
]

FAMILIES: Mapping[int, Family] = {
    16: "boolean",
    20: "integer",
    21: "integer",
    23: "integer",
    700: "float",
    701: "float",
    1700: "decimal",
    25: "text",
    1042: "text",
    1043: "text",
    1082: "date",
    1114: "timestamp",
    1184: "timestamptz",
    4000: "super",
}
"""Type OIDs as Redshift's wire protocol reports them."""

COERCIONS: Mapping[ValueType, frozenset[Family]] = {
    "string": frozenset(FAMILIES.values()) - {"super"},
    "integer": frozenset({"integer", "decimal", "float"}),
    "number": frozenset({"integer", "decimal", "float"}),
    "boolean": frozenset({"boolean"}),
    "timestamp": frozenset({"date", "timestamp", "timestamptz", "integer"}),
    "json": frozenset({"super", "text"}),
}
"""What each declared type accepts; anything else wants a cast in the expression or the view."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the source or of a frozen plan, as the cursor's description gives it."""

    name: str
    oid: int

    @property
    def family(self) -> Family:
        """
        :raises SourceError: a type that has no place in JSON, such as GEOMETRY or TIME.
        """
        if self.oid not in FAMILIES:
            raise SourceError(
                f"column '{self.name}' has a type (oid {self.oid}) that cannot be sent.",
                next_step="cast it to VARCHAR, a number, a DATE or a TIMESTAMP in the view",
            )
        return FAMILIES[self.oid]


def check_field(key: str, field: FieldMapping, column: Column) -> None:
    """Refuse at plan time what the renderer could not do later.

    :raises SourceError: the declared type cannot come from this column, or a TIMESTAMP has no `time_zone`.
    """
    family = column.family
    if field.type is not None and family not in COERCIONS[field.type]:
        raise SourceError(
            f"{key}: column '{column.name}' is {family} and cannot become type: {field.type}.",
            next_step=f"declare another type, or cast it in the view ({field.type} comes from "
            f"{', '.join(sorted(COERCIONS[field.type]))})",
        )
    if family == "timestamp" and field.time_zone is None:
        raise SourceError(
            f"{key}: column '{column.name}' is a TIMESTAMP without a time zone.",
            next_step=f"name its zone: `{key.rsplit('.', 1)[-1]}: {{column: {column.name}, time_zone: UTC}}`",
        )
