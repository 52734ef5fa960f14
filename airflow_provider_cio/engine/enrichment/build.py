"""The verbs of a build. Everything is made beside what is public, and changes places with it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from ulid import ULID

from airflow_provider_cio.core.models.render import Rendering
from airflow_provider_cio.engine.enrichment.checks import check
from airflow_provider_cio.engine.enrichment.context import Build, EnrichmentContext, utc
from airflow_provider_cio.engine.enrichment.sources import check_sources
from airflow_provider_cio.exceptions import FatalError, SourceError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.state import ensure_tables, table

Progress = Callable[[str], None]


def start(
    ctx: EnrichmentContext, as_of: datetime, *, since: datetime | None = None, full: bool = False
) -> Build:
    """Check the sources and open a build.

    Events of an earlier build are kept, except those of customers who were touched since its `as_of` minus
    the look-back; not with `full`, nor after a change of models or settings, nor for an earlier `as_of`.

    :param since: read events again from this moment on instead.
    :raises SourceError: a source is not what `models.yaml` says.
    """
    ensure_tables(ctx.warehouse)
    schemas = ctx.models.schemas
    for schema in (schemas.staging, schemas.marts, schemas.build):
        ctx.warehouse.run(f"CREATE SCHEMA IF NOT EXISTS {sql.identifier(schema)}")
    families = check_sources(ctx.warehouse, ctx.models)
    public = ctx.warehouse.fetch(
        f"SELECT model, as_of, fingerprint FROM {_ledger(ctx)} WHERE status = 'public' ORDER BY model"
    )
    moment, again = utc(as_of), None
    same = public and all(row[2] == ctx.fingerprint and utc(row[1]) <= moment for row in public)
    if same and not full:
        looked_back = utc(public[0][1]) - timedelta(days=ctx.models.lookback_days)
        again = looked_back if since is None else utc(since)
    return Build(str(ULID()), moment, again, families, tuple(str(row[0]) for row in public))


def create_views(ctx: EnrichmentContext, build: Build, names: Collection[str] | None = None) -> None:
    """Make the views of this build, or those of these; a late-binding view may be there before what it reads."""
    views = [name for name in ctx.order if ctx.folder.models[name].kind == "view"]
    _make(ctx, build, [name for name in views if names is None or name in names])


def build_model(ctx: EnrichmentContext, build: Build, name: str) -> int:
    """Make the table of one model; its rows.

    :raises SourceError: Redshift refuses the query.
    :raises FatalError: the build is public already, so that this would take away what is read.
    """
    return sum(_make(ctx, build, [name]))


def publish(ctx: EnrichmentContext, build: Build) -> bool:
    """Put this build in the place of what is public, in one transaction, with the grants; drop what was public.

    False, and nothing changes, for a build whose `as_of` is earlier than the public one's.
    """
    published = ctx.warehouse.transaction(lambda session: _exchange(ctx, build, session))
    if published:
        _drop_earlier(ctx)
    return published


def run(
    ctx: EnrichmentContext,
    as_of: datetime,
    *,
    since: datetime | None = None,
    full: bool = False,
    progress: Progress = lambda _: None,
) -> dict[str, int]:
    """All verbs, one after another; rows by model.

    :raises SourceError: a source changed, a model fails, or a check finds bad rows.
    """
    build = start(ctx, as_of, since=since, full=full)
    create_views(ctx, build)
    for name in ctx.order:
        if ctx.folder.models[name].kind == "table":
            progress(name)
            build_model(ctx, build, name)
    progress("checks")
    rows = check(ctx, build, ctx.order)
    publish(ctx, build)
    return rows


def _make(ctx: EnrichmentContext, build: Build, names: list[str]) -> list[int]:
    """Make these models in one transaction; the rows of the tables among them.

    The ledger is written before and after, in transactions of their own: Redshift locks whole tables, and the
    models of a build are made at the same time.
    """
    if not names:
        return []
    rendering = build.rendering(ctx)
    ctx.warehouse.transaction(lambda session: _announce(ctx, build, names, session))

    def make(session: Session) -> dict[str, int]:
        counts = {name: _create(ctx, build, rendering, session, name) for name in names}
        return {name: count for name, count in counts.items() if count is not None}

    rows = ctx.warehouse.transaction(make)
    for name, count in rows.items():
        ctx.warehouse.run(f"UPDATE {_ledger(ctx)} SET model_rows = {count} WHERE {_of(build, [name])}")
    return list(rows.values())


def _announce(ctx: EnrichmentContext, build: Build, names: list[str], session: Session) -> None:
    """Write down what will be made, so that it is dropped one day even if its making is cut short."""
    if session.fetch(f"SELECT 1 FROM {_ledger(ctx)} WHERE {_of(build, names)} AND status = 'public' LIMIT 1"):
        raise FatalError(
            f"Build {build.build_id} is public: nothing is made again under its readers.",
            next_step="start a new run.",
        )
    session.run(f"DELETE FROM {_ledger(ctx)} WHERE {_of(build, names)}")
    values = ", ".join(
        f"({sql.literal(build.build_id)}, {sql.literal(name)}, {sql.literal(build.relation(ctx, name))}, "
        f"{sql.literal(ctx.folder.models[name].kind)}, {_moment(build.as_of)}, "
        f"{sql.literal(ctx.fingerprint)}, NULL, 'built', GETDATE())"
        for name in names
    )
    session.run(f"INSERT INTO {_ledger(ctx)} VALUES {values}")


def _of(build: Build, names: list[str]) -> str:
    models = ", ".join(sql.literal(name) for name in names)
    return f"build_id = {sql.literal(build.build_id)} AND model IN ({models})"


def _create(
    ctx: EnrichmentContext, build: Build, rendering: Rendering, session: Session, name: str
) -> int | None:
    """The rows of a table; None for a view."""
    model, relation = ctx.folder.models[name], build.relation(ctx, name)
    query = rendering.render(name, model.text)
    try:
        session.run(f"DROP {model.kind.upper()} IF EXISTS {relation}")
        if model.kind == "view":
            session.run(f"CREATE VIEW {relation} AS\n{query}\nWITH NO SCHEMA BINDING")
            return None
        session.run(f"CREATE TABLE {relation} {model.physical} AS\n{query}")
        return int(session.fetch(f"SELECT COUNT(*) FROM {relation}")[0][0])
    except SourceError as error:
        raise SourceError(
            f"model {name} ({model.path.name}): {error.message} What is public stays as it was.",
            next_step=error.next_step,
        ) from error


def _exchange(ctx: EnrichmentContext, build: Build, session: Session) -> bool:
    ledger, models = _ledger(ctx), ctx.models
    newer = f"SELECT 1 FROM {ledger} WHERE status = 'public' AND as_of > {_moment(build.as_of)} LIMIT 1"
    if session.fetch(newer):
        return False
    for name, model in ctx.folder.models.items():
        public = ctx.public(model)
        # A view whose columns change cannot be replaced, and one that is dropped loses its grants.
        session.run(f"DROP VIEW IF EXISTS {public}")
        session.run(
            f"CREATE VIEW {public} AS SELECT * FROM {build.relation(ctx, name)} WITH NO SCHEMA BINDING"
        )
        for grantee in models.grants:
            session.run(f"GRANT SELECT ON {public}, {build.relation(ctx, name)} TO {grantee}")
    for grantee in models.grants:
        session.run(
            f"GRANT USAGE ON SCHEMA {models.schemas.staging}, {models.schemas.marts}, {models.schemas.build} "
            f"TO {grantee}"
        )
    session.run(f"UPDATE {ledger} SET status = 'built' WHERE status = 'public'")
    session.run(f"UPDATE {ledger} SET status = 'public' WHERE build_id = {sql.literal(build.build_id)}")
    return True


def _drop_earlier(ctx: EnrichmentContext) -> None:
    """Drop what was public before, and builds that were never published."""
    ledger = _ledger(ctx)
    found = ctx.warehouse.fetch(
        f"SELECT DISTINCT kind, relation FROM {ledger} WHERE status = 'built' ORDER BY kind DESC, relation"
    )
    for kind, relation in found:
        ctx.warehouse.run(f"DROP {kind.upper()} IF EXISTS {relation}")
    ctx.warehouse.run(f"UPDATE {ledger} SET status = 'dropped' WHERE status = 'built'")


def _ledger(ctx: EnrichmentContext) -> str:
    return table(ctx.warehouse.schema, "model_builds")


def _moment(moment: datetime) -> str:
    return f"CAST({sql.literal(utc(moment).replace(tzinfo=None).isoformat(sep=' '))} AS TIMESTAMP)"
