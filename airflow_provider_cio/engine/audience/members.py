"""From the source to the identifiers that each destination should hold."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from ulid import ULID

from airflow_provider_cio.core.audience.capabilities import IdentifierKind
from airflow_provider_cio.core.audience.definition import Audience, DestinationSettings
from airflow_provider_cio.core.normalise import Field, declared_hash, field_of, hash_identifier
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.exceptions import ContractError, SourceError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience import holdouts, members
from airflow_provider_cio.warehouse.audience.changes import DESIRED, create_desired
from airflow_provider_cio.warehouse.audience.tables import Books
from airflow_provider_cio.warehouse.objects import Stored
from airflow_provider_cio.warehouse.session import Session

SEGMENT = "cio_audience_segment"
_CONTEXT_CHARACTERS = 3_500


@dataclass
class Selected:
    """How many members the source gave, and where their raw identifiers lie until they are hashed."""

    members: int
    held_out: int
    folder: str
    unidentified: dict[str, int] = field(default_factory=dict)


def collect(ctx: AudienceContext, books: Books, plan_id: str) -> Selected:
    """Fill the plan's table of desired identifiers.

    Raw identifiers lie in S3 only while this runs.

    :raises SourceError: the source cannot be read, or has a member twice. Nothing was changed.
    """
    prefix = f"audiences/{ctx.audience.name}/{plan_id.lower()}/"
    try:
        if ctx.audience.segment is not None:
            _write_segment(ctx, prefix)
        selected = ctx.warehouse.transaction(lambda session: _select(ctx, session, books, prefix))
        _hash(ctx, books, selected, prefix)
    finally:
        ctx.bucket.delete(prefix)
    return selected


def _select(ctx: AudienceContext, session: Session, books: Books, prefix: str) -> Selected:
    audience = ctx.audience
    relation = _relation(ctx, session, prefix)
    suppressions = {name: (other, _named(other)) for name, other in ctx.suppressions.items()}
    session.run(members.stage(audience, relation, suppressions, ctx.moment))
    ((twice,),) = session.fetch(members.duplicates())
    if twice:
        raise SourceError(
            f"Audience '{audience.name}': {twice:,} members occur more than once in the source.",
            next_step=f"make `{audience.member}` unique in it: one row a member.",
        )
    experiment = None
    if audience.holdout is not None:
        experiment = audience.holdout.experiment
        session.run(f"LOCK TABLE {books.holdouts}")
        session.run(holdouts.assign(audience.holdout, books.holdouts, audience.name, ctx.moment))
    ((to_send, held_out),) = session.fetch(members.counts(books.holdouts, experiment))
    folder = f"{prefix}members/{str(ULID()).lower()}/"
    session.run(members.unload(audience, books.holdouts, ctx.bucket.uri(folder), ctx.role))
    session.run(f"DROP TABLE {members.STAGE}")
    return Selected(int(to_send), int(held_out), folder)


def _relation(ctx: AudienceContext, session: Session, prefix: str) -> str:
    if ctx.audience.segment is None:
        return _named(ctx.audience)
    session.run(f"DROP TABLE IF EXISTS {SEGMENT}")
    session.run(f"CREATE TEMPORARY TABLE {SEGMENT} (id VARCHAR(512), email VARCHAR(512), cio_id VARCHAR(64))")
    address = sql.literal(ctx.bucket.uri(f"{prefix}segment/members.parquet"))
    session.run(f"COPY {SEGMENT} FROM {address} IAM_ROLE {ctx.role} FORMAT AS PARQUET")
    return SEGMENT


def _named(audience: Audience) -> str:
    if audience.source is not None:
        return sql.relation(audience.source)
    if audience.sql is not None:
        return f"({read_query(audience)}\n)"
    raise ContractError(
        f"Audience '{audience.name}': a segment cannot suppress.", next_step="name a view or a SQL file."
    )


def read_query(audience: Audience) -> str:
    """The query of an audience with `sql:`, without a closing semicolon."""
    return Path(audience.sql or "").read_text(encoding="utf-8").strip().rstrip(";").rstrip()


def _write_segment(ctx: AudienceContext, prefix: str) -> None:
    if ctx.app is None or ctx.audience.segment is None:
        raise ContractError(
            f"Audience '{ctx.audience.name}' reads a Customer.io segment, and there is no App API key.",
            next_step="fill in app_api_key of the Customer.io connection.",
        )
    rows = list(ctx.app.membership(ctx.audience.segment))
    columns = {
        name: pa.array([row.get(name) or None for row in rows], pa.string())
        for name in ("id", "email", "cio_id")
    }
    _put(ctx, f"{prefix}segment/members.parquet", pa.table(columns))


def _hash(ctx: AudienceContext, books: Books, selected: Selected, prefix: str) -> None:
    written: list[Stored] = []
    maker = _Maker(ctx.audience)
    for number, table in enumerate(_tables(ctx, selected)):
        made = maker.identifiers(table)
        if made.num_rows:
            key = f"{prefix}desired/{number}.parquet"
            written.append(Stored(key, _put(ctx, key, made)))
    selected.unidentified = maker.unidentified

    def load(session: Session) -> None:
        session.run(f"DROP TABLE IF EXISTS {books.desired}")
        session.run(create_desired(books))
        if written:
            manifest = ctx.bucket.write_manifest(f"{prefix}desired.manifest", written)
            session.run(
                f"COPY {books.desired} FROM {sql.literal(manifest)} IAM_ROLE {ctx.role} FORMAT AS PARQUET MANIFEST"
            )

    ctx.warehouse.transaction(load)


def _tables(ctx: AudienceContext, selected: Selected) -> Iterator[pa.Table]:
    if not selected.members:
        return
    for key in ctx.bucket.read_manifest(f"{selected.folder}manifest"):
        yield pq.ParquetFile(pa.BufferReader(ctx.bucket.get(key)), pre_buffer=False).read()


def _put(ctx: AudienceContext, key: str, table: pa.Table) -> int:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="snappy")
    ctx.bucket.put(key, sink.getvalue())
    return sink.tell()


class _Maker:
    """Raw identifiers to what is sent; equal values are worked on once."""

    def __init__(self, audience: Audience) -> None:
        self._audience = audience
        self._known: dict[tuple[str, str, str | None, str], str | None] = {}
        self._contexts = members.context_columns(audience)
        self.unidentified = dict.fromkeys(audience.destinations, 0)

    def identifiers(self, table: pa.Table) -> pa.Table:
        """Rows of DESIRED for the members of a table."""
        regions = table["region"].to_pylist()
        parts = []
        for name, settings in self._audience.destinations.items():
            kinds = self._audience.kinds_of(settings)
            columns = [self._column(table, kind, settings, regions) for kind in kinds]
            self.unidentified[name] += sum(not any(row) for row in zip(*columns, strict=True))
            contexts = self._context(table, settings)
            for kind, column in zip(kinds, columns, strict=True):
                made = pa.table(
                    {
                        "destination": pa.repeat(name, table.num_rows),
                        "field": pa.repeat(settings.capabilities.fields[kind][1], table.num_rows),
                        "identifier": pa.array(column, pa.string()),
                        "context": pa.array(contexts, pa.string()),
                        "entered_at": table["entered_at"],
                    }
                )
                parts.append(made.cast(DESIRED).filter(made["identifier"].is_valid()))
        return pa.concat_tables(parts) if parts else DESIRED.empty_table()

    def _column(
        self, table: pa.Table, kind: IdentifierKind, settings: DestinationSettings, regions: list[str | None]
    ) -> list[str | None]:
        of, name = settings.capabilities.fields[kind]
        rule = field_of(of, name)
        declared = kind in self._audience.prehashed and isinstance(rule, Field) and rule.digest == "sha256"
        known, fallback = self._known, self._audience.region
        made: list[str | None] = []
        for value, region in zip(table[f"i_{kind}"].to_pylist(), regions, strict=True):
            if value is None:
                made.append(None)
                continue
            key = (of, name, region or fallback, value)
            if key not in known:
                known[key] = (
                    declared_hash(value) if declared else hash_identifier(of, name, value, region=key[2])
                )
            made.append(known[key])
        return made

    def _context(self, table: pa.Table, settings: DestinationSettings) -> list[str | None]:
        if not settings.context:
            return [None] * table.num_rows
        wanted = [(name, f"c_{self._contexts.index(name)}") for name in settings.context]
        columns = [table[column].to_pylist() for _, column in wanted]
        return [
            json.dumps({name: v for (name, _), v in zip(wanted, row, strict=True) if v is not None})[
                :_CONTEXT_CHARACTERS
            ]
            for row in zip(*columns, strict=True)
        ]
