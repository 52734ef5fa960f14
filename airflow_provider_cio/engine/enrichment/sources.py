"""Are the team's tables still what `models.yaml` says, and which of ours are there? Asked before anything is built."""

from __future__ import annotations

import logging
from difflib import get_close_matches

from airflow_provider_cio.core.columns import FAMILIES, Family
from airflow_provider_cio.core.models.settings import Models
from airflow_provider_cio.core.models.source_shape import ACCEPTED
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Warehouse

log = logging.getLogger(__name__)
_STAYS = "What is public stays as it was."


def check_sources(warehouse: Warehouse, models: Models) -> dict[str, Family]:
    """The type family of each column that is there, by `source.column`; no row is read.

    A table of this provider that is not there, not readable or of an older shape is left out.

    :raises SourceError: tables or columns are gone, renamed or of another type; names all of them.
    """
    families: dict[str, Family] = {}
    wrong: list[str] = []
    for name, mapping in models.sources.items():
        try:
            columns = _columns(warehouse, mapping.table)
        except SourceError as error:
            wrong.append(f"sources.{name}: {error.message}")
            continue
        for column, theirs in mapping.columns.items():
            found = columns.get(theirs.lower())
            where = f"sources.{name}.columns.{column}: {mapping.table}"
            if found is None:
                near = get_close_matches(theirs.lower(), columns, n=1)
                hint = f": was it renamed to {near[0]}?" if near else f"; it has {', '.join(columns)}"
                wrong.append(f"{where} has no column {theirs}{hint}")
                continue
            family, kind = FAMILIES.get(found), SOURCES[name].columns[column].kind
            if family not in ACCEPTED[kind]:
                accepted = ", ".join(sorted(ACCEPTED[kind]))
                wrong.append(f"{where}: {theirs} is {family or f'of type {found}'}, not {accepted}")
            else:
                families[f"{name}.{column}"] = family
    if wrong:
        raise SourceError(
            "The sources are not what models.yaml says. " + ". ".join(wrong) + f". {_STAYS}",
            next_step="correct `sources` in dags/models.yaml, or the tables.",
        )
    return families | _ours(warehouse, models)


def _ours(warehouse: Warehouse, models: Models) -> dict[str, Family]:
    """Families of the columns of this provider's own tables, as far as they are there."""
    families: dict[str, Family] = {}
    for name, table in SOURCES.items():
        if name in models.sources or not table.ours:
            continue
        try:
            columns = _columns(warehouse, table.ours)
        except SourceError as error:
            log.info("%s is left out: %s", name, error.message)
            continue
        found = {
            column: family
            for column, spec in table.columns.items()
            if (family := FAMILIES.get(columns.get(column, 0))) in ACCEPTED[spec.kind]
        }
        needed = {column for column, spec in table.columns.items() if not spec.lost}
        if needed <= found.keys():
            families |= {f"{name}.{column}": family for column, family in found.items()}
        else:
            log.info(
                "%s is left out: %s lacks %s", name, table.ours, ", ".join(sorted(needed - found.keys()))
            )
    return families


def _columns(warehouse: Warehouse, table: str) -> dict[str, int]:
    """Type OIDs by column."""
    described = warehouse.transaction(
        lambda session: session.describe(f"SELECT * FROM {sql.relation(table)} LIMIT 0")
    )
    return {name.lower(): oid for name, oid in described}


def tables_of(warehouse: Warehouse, schema: str) -> dict[str, dict[str, Family | None]]:
    """Type families by column, by table or view of a schema.

    :raises SourceError: the schema has none that this user may see.
    """
    names = warehouse.fetch(
        "SELECT DISTINCT table_name FROM svv_columns "
        f"WHERE table_schema = {sql.literal(schema.lower())} ORDER BY table_name"
    )
    if not names:
        raise SourceError(
            f"There is no table in schema {schema}.",
            next_step="correct the name, or GRANT USAGE on the schema and SELECT on its tables.",
        )
    return {
        str(name): {
            column: FAMILIES.get(oid) for column, oid in _columns(warehouse, f"{schema}.{name}").items()
        }
        for (name,) in names
    }
