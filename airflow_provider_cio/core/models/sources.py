"""The tables that the models read, in the shape in which they read them, whatever a team's own are called.

What a team does not have is left out of `models.yaml`: the models see an empty table, or a column of nulls, and
the build says by name what that costs (a degradation). Tables of this provider (`ours`: what Customer.io did, holdouts,
audiences) need no mapping: they are read where they are, from the day on which they are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from airflow_provider_cio.core.models.our_sources import OURS
from airflow_provider_cio.core.models.shop_sources import SHOP
from airflow_provider_cio.core.models.source_shape import SourceTable

SOURCES: Mapping[str, SourceTable] = {**SHOP, **OURS}


def degradations(known: Collection[str]) -> dict[str, str]:
    """What is not there, by name (`tickets`, `orders.discount`), and what it costs.

    :param known: `source.column` of all columns that are there.
    """
    lost: dict[str, str] = {}
    for name, table in SOURCES.items():
        missing = {f"{name}.{column}": spec.lost for column, spec in table.columns.items()}
        missing = {key: cost for key, cost in missing.items() if key not in known}
        lost |= {name: table.lost} if len(missing) == len(table.columns) else missing
    return lost
