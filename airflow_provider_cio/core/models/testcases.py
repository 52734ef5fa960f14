"""Unit tests of models in YAML: rows of the sources in, rows of one model out.

::

    model: recent_purchasers
    cases:
      - name: a refund brings the person back
        as_of: 2026-03-10 12:00:00
        given:
          customers: [{customer_id: C1}]
          orders: [{order_id: O1, customer_id: C1, ordered_at: 2026-03-09 10:00:00, total: 20}]
        expect:
          - {customer_id: C1}
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from airflow_provider_cio.core.contract import Model
from airflow_provider_cio.core.contract_files import parse
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.core.yaml_lines import read

Row = dict[str, Any]


class Case(Model):
    """Given rows of the sources, by the models' names of columns; expected rows, by any of the model's columns.

    Moments of the sources are on the business's clock, `as_of` and what is expected are UTC. `settings` are keys of
    models.yaml that this case needs otherwise.
    """

    name: str = Field(min_length=1)
    as_of: datetime
    given: dict[str, list[Row]]
    expect: list[Row]
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("as_of")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value

    @field_validator("given")
    @classmethod
    def _known(cls, value: dict[str, list[Row]]) -> dict[str, list[Row]]:
        for source, rows in value.items():
            if source not in SOURCES:
                raise ValueError(f"there is no source '{source}': use one of {', '.join(SOURCES)}")
            unknown = {column for row in rows for column in row} - SOURCES[source].columns.keys()
            if unknown:
                raise ValueError(f"{source} has no column {', '.join(sorted(unknown))}")
        return value


class ModelTests(Model):
    """A file of `sql/tests`."""

    model: str
    cases: list[Case] = Field(min_length=1)


def load_tests(path: Path) -> ModelTests:
    """
    :raises ContractError: one line for each mistake: 'sql/tests/x.yaml:12: cases[0].given: ...'.
    """
    return parse(read(path), ModelTests)


def plain(value: Any) -> str | None:
    """A value as text that is equal for equal values, whether YAML or Redshift gave it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value
    number = f"{value:f}" if not isinstance(value, int) else str(value)
    return number.rstrip("0").rstrip(".") if "." in number else number
