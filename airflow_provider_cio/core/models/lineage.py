"""Which model reads which, read from the SQL itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from graphlib import CycleError, TopologicalSorter

import sqlglot
from sqlglot import exp

from airflow_provider_cio.core.models.files import ModelFile, ModelFolder
from airflow_provider_cio.core.models.render import Rendering
from airflow_provider_cio.core.models.settings import Models
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.exceptions import ContractError

Lineage = Mapping[str, tuple[frozenset[str], frozenset[str]]]
"""By model: the models and the source tables that it reads."""


def lineage(folder: ModelFolder, models: Models) -> Lineage:
    """Parse every model as Redshift's SQL and see what stands behind FROM.

    :raises ContractError: a model is no SQL, reads a table that is neither a model nor a source, or itself.
    """
    first = Rendering(models, datetime(2026, 1, 1, tzinfo=UTC), lambda name: _known(folder, name))
    later = replace(first, incremental=_earlier)
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for name, model in folder.models.items():
        parents, sources = _reads(model, first)
        if "incremental" in model.text:
            more_parents, more_sources = _reads(model, later)
            parents, sources = parents | more_parents, sources | more_sources
        found[name] = (parents, sources)
    return found


def _earlier(name: str) -> str:
    return f"earlier.{name}"


def in_order(found: Lineage) -> list[str]:
    """The models, each after those that it reads.

    :raises ContractError: models read each other in a circle.
    """
    try:
        return list(
            TopologicalSorter({name: sorted(reads) for name, (reads, _) in found.items()}).static_order()
        )
    except CycleError as error:
        raise ContractError(
            f"models read each other in a circle: {' -> '.join(error.args[1])}.", next_step="break the circle"
        ) from None


def table_parents(folder: ModelFolder, found: Lineage) -> dict[str, set[str]]:
    """For each model that is a table, the tables that must be built before it; views are looked through."""

    def behind(name: str) -> set[str]:
        reads = found[name][0]
        tables = {parent for parent in reads if folder.models[parent].kind == "table"}
        return tables.union(*(behind(parent) for parent in reads - tables))

    return {name: behind(name) for name, model in folder.models.items() if model.kind == "table"}


def _known(folder: ModelFolder, name: str) -> str:
    if name not in folder.models:
        raise ContractError(
            f"there is no model '{name}'.", next_step=f"use one of {', '.join(folder.models)}"
        )
    return f"model.{name}"


def _reads(model: ModelFile, rendering: Rendering) -> tuple[frozenset[str], frozenset[str]]:
    try:
        parsed = sqlglot.parse_one(rendering.render(model.name, model.text), dialect="redshift")
    except (sqlglot.ParseError, sqlglot.TokenError) as error:
        raise ContractError(
            f"{model.path}: not SQL that Redshift reads: {str(error).splitlines()[0]}.",
            next_step="correct the query",
        ) from error
    except ContractError as error:
        raise ContractError(f"{model.path}: {error.message}", next_step=error.next_step) from None
    if not isinstance(parsed, exp.Query):
        raise ContractError(
            f"{model.path}: not one SELECT.", next_step="leave CREATE and the like to the build"
        )
    ctes = {cte.alias_or_name for cte in parsed.find_all(exp.CTE)}
    mapped = {
        mapping.table.lower(): name for name in SOURCES if (mapping := rendering.mapping(name)) is not None
    }
    parents, sources = set(), set()
    for table in parsed.find_all(exp.Table):
        name = f"{table.db}.{table.name}".lower()
        if table.db == "model":
            parents.add(table.name)
        elif name in mapped:
            sources.add(mapped[name])
        elif table.db != "earlier" and (table.db or table.name not in ctes):
            raise ContractError(
                f"{model.path}: it reads {name.lstrip('.')}, which is neither a model nor a source.",
                next_step="write ref('<model>') or source('<source>') in double braces",
            )
    return frozenset(parents), frozenset(sources)
