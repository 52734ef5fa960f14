"""Run the unit tests of models: in schemas of their own, by the same build that makes the marts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from airflow_provider_cio.core.models.render import text
from airflow_provider_cio.core.models.settings import Models, Schemas, SourceMapping
from airflow_provider_cio.core.models.source_shape import SQL_TYPES
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.core.models.testcases import Case, ModelTests, plain
from airflow_provider_cio.engine.enrichment.build import build_model, create_views, start
from airflow_provider_cio.engine.enrichment.context import EnrichmentContext
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.state import table

SCHEMA = "cio_model_tests"


@dataclass(frozen=True)
class Failure:
    """A case whose rows are not what was expected."""

    model: str
    case: str
    missing: list[str]
    unexpected: list[str]

    def __str__(self) -> str:
        return f"{self.model}: {self.case}: missing {self.missing}, unexpected {self.unexpected}"


def run_case(ctx: EnrichmentContext, tests: ModelTests, case: Case) -> Failure | None:
    """Build what the model needs over the given rows, and compare; nothing public is touched.

    :raises ContractError: there is no such model, or a setting of the case is wrong.
    """
    if tests.model not in ctx.folder.models:
        raise ContractError(
            f"there is no model '{tests.model}'.", next_step=f"use one of {', '.join(ctx.folder.models)}"
        )
    tested = EnrichmentContext(_settings(ctx.models, case), ctx.folder, ctx.warehouse)
    _given(tested, case)
    opened = start(tested, case.as_of, full=True)
    given = {
        key: family for key, family in opened.families.items() if key.split(".")[0] in tested.models.sources
    }
    build = replace(opened, public=(), families=given)
    needed = _needed(tested, tests.model)
    create_views(tested, build, needed)
    for name in tested.order:
        if name in needed and ctx.folder.models[name].kind == "table":
            build_model(tested, build, name)
    columns = list(dict.fromkeys(column for row in case.expect for column in row))
    columns = columns or list(ctx.folder.models[tests.model].key)
    selected = ", ".join(sql.identifier(column) for column in columns)
    found = ctx.warehouse.fetch(f"SELECT {selected} FROM {build.relation(tested, tests.model)}")
    ctx.warehouse.run(f"DROP SCHEMA {SCHEMA} CASCADE")
    ctx.warehouse.run(
        f"DELETE FROM {table(ctx.warehouse.schema, 'model_builds')} WHERE build_id = {sql.literal(build.build_id)}"
    )
    return _compare(tests.model, case, columns, found)


def _settings(models: Models, case: Case) -> Models:
    schemas = Schemas(staging=SCHEMA, marts=SCHEMA, build=SCHEMA)
    sources = {
        name: SourceMapping(
            table=f"{SCHEMA}.given_{name}", columns={column: column for column in SOURCES[name].columns}
        )
        for name in {"customers", "orders", *case.given}
    }
    changed = models.model_dump() | {"schemas": schemas, "sources": sources, "grants": ()} | case.settings
    return Models.model_validate(changed)


def _given(ctx: EnrichmentContext, case: Case) -> None:
    ctx.warehouse.run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    ctx.warehouse.run(f"CREATE SCHEMA {SCHEMA}")
    for name in ctx.models.sources:
        target, columns = f"{SCHEMA}.given_{name}", SOURCES[name].columns
        definitions = ", ".join(f"{column} {SQL_TYPES[spec.kind]}" for column, spec in columns.items())
        ctx.warehouse.run(f"DROP TABLE IF EXISTS {target}")
        ctx.warehouse.run(f"CREATE TABLE {target} ({definitions})")
        if rows := case.given.get(name):
            values = ", ".join(
                f"({', '.join(_value(row.get(column)) for column in columns)})" for row in rows
            )
            ctx.warehouse.run(f"INSERT INTO {target} VALUES {values}")


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value).upper() if isinstance(value, bool) else text(str(plain(value)))


def _needed(ctx: EnrichmentContext, model: str) -> set[str]:
    found, waiting = set[str](), {model}
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= ctx.lineage[name][0] - found
    return found


def _compare(model: str, case: Case, columns: list[str], found: Iterable[tuple[Any, ...]]) -> Failure | None:
    actual = sorted(str([plain(value) for value in row]) for row in found)
    wanted = sorted(str([plain(row.get(column)) for column in columns]) for row in case.expect)
    if actual == wanted:
        return None
    missing, unexpected = list(wanted), list(actual)
    for row in actual:
        if row in missing:
            missing.remove(row)
            unexpected.remove(row)
    return Failure(model, case.name, missing, unexpected)
