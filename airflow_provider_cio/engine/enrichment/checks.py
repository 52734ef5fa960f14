"""Is what was built fit to be read? Keys by the head of each model, and the queries of `sql/checks`."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_cio.core.models.files import ModelFile
from airflow_provider_cio.engine.enrichment.context import Build, EnrichmentContext
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import statements as sql


def check(ctx: EnrichmentContext, build: Build, names: Iterable[str]) -> dict[str, int]:
    """Check these models of a build; their rows, by model.

    :raises SourceError: names every key that is null or stands twice, and every check with bad rows.
    """
    wrong: list[str] = []
    rows: dict[str, int] = {}
    chosen = list(names)
    for name in chosen:
        count, repeated, empty = _keys(ctx, build, ctx.folder.models[name])
        rows[name] = count
        key = ", ".join(ctx.folder.models[name].key)
        wrong += [f"{name}: {repeated:,} keys ({key}) stand in several rows"] if repeated else []
        wrong += [f"{name}: {empty:,} rows lack their key ({key})"] if empty else []
    rendering = build.rendering(ctx)
    for query in ctx.folder.checks:
        if query.model not in rows:
            continue
        text = rendering.render(query.name, query.text)
        ((bad,),) = ctx.warehouse.fetch(f"SELECT COUNT(*) FROM (\n{text}\n) AS bad")
        wrong += [f"sql/checks/{query.name}.sql returns {bad:,} bad rows"] if bad else []
    if wrong:
        raise SourceError(
            f"Build {build.build_id} is not fit to be read. {'. '.join(wrong)}. What is public stays as it was.",
            next_step=f"look into the tables of schema {ctx.models.schemas.build} that end in "
            f"__{build.build_id.lower()}, and correct the source or the model.",
        )
    return rows


def _keys(ctx: EnrichmentContext, build: Build, model: ModelFile) -> tuple[int, int, int]:
    """Rows, keys that stand in several rows, rows whose key is null."""
    columns = ", ".join(sql.identifier(column) for column in model.key)
    empty = " OR ".join(f"{sql.identifier(column)} IS NULL" for column in model.key)
    ((count, repeated, nulls),) = ctx.warehouse.fetch(
        "SELECT COALESCE(SUM(copies), 0), COALESCE(SUM(CASE WHEN copies > 1 THEN 1 ELSE 0 END), 0), "
        f"COALESCE(SUM(CASE WHEN {empty} THEN copies ELSE 0 END), 0) "
        f"FROM (SELECT {columns}, COUNT(*) AS copies FROM {build.relation(ctx, model.name)} GROUP BY {columns}) AS keys"
    )
    return int(count), int(repeated), int(nulls)
