"""How wide rows are, how many values a field has, how many events one person: measured on what was read."""

from __future__ import annotations

from airflow_provider_cio.warehouse.source import Source
from airflow_provider_cio.warehouse.stage import STAGE

MEASURED_ROWS = 100_000
"""Rows that are looked at: enough for an average, and bounded for a source of any size."""
OTHER_BYTES = 8
"""Of a value that is no text, about."""


def texts(source: Source) -> list[int]:
    """Positions of the fields whose bytes are measured."""
    return [place for place, (_, column) in enumerate(source.fields) if column.family in {"text", "super"}]


def measured(source: Source) -> str:
    """``(rows, average bytes and different values of each of :func:`texts`)`` of up to `MEASURED_ROWS` rows."""
    names = [source.fields[place][1].name for place in texts(source)]
    columns = [f"AVG(CAST(bytes_{name} AS FLOAT)), COUNT(DISTINCT {name})" for name in names]
    rows = ", ".join(["row_key", *(f"bytes_{name}, {name}" for name in names)])
    return (
        f"SELECT {', '.join(['COUNT(*)', *columns])} FROM (SELECT {rows} FROM {STAGE} "
        f"WHERE withheld IS NULL LIMIT {MEASURED_ROWS}) AS measured"
    )


def busiest(most: int) -> str:
    """``(people, events of the busiest)`` of those with more than `most` events."""
    busy = f"SELECT COUNT(*) AS events FROM {STAGE} WHERE withheld IS NULL GROUP BY identifier HAVING COUNT(*) > {most}"
    return f"SELECT COUNT(*), MAX(events) FROM ({busy}) AS busy"
