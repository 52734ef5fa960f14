"""Attributes and properties: from a column or an expression to a value."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from airflow_provider_cio.core.contract.words import ColumnName, Model, Nulls, TimeZone, ValueType


class FieldMapping(Model):
    """One attribute or property: a source column, or a SQL expression over source columns."""

    column: ColumnName | None = Field(None, description="A column of the source")
    expression: str | None = Field(None, description="SQL over columns of the source")
    type: ValueType | None = Field(None, description="Declared type; without it the warehouse's type decides")
    nulls: Nulls | None = Field(None, description="What a null does; without it the sync's `nulls` decides")
    time_zone: TimeZone | None = Field(None, description="Zone of a timestamp without one")

    @model_validator(mode="after")
    def _one_source(self) -> FieldMapping:
        if (self.column is None) == (self.expression is None):
            raise ValueError("give either `column` or `expression`")
        return self


def _field(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Mapped = Annotated[FieldMapping, BeforeValidator(_field, json_schema_input_type=ColumnName | FieldMapping)]
