"""From a sync's mapping to SQL over the columns that its source really has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import ceil

from airflow_provider_cio.core.columns import Column, check_field
from airflow_provider_cio.core.contract import FieldMapping, Identifier
from airflow_provider_cio.core.contract.kinds import DESTRUCTIVE_EXITS
from airflow_provider_cio.core.contract_files import read_sql
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import EMAIL_KEY, Emails, emails_elsewhere
from airflow_provider_cio.warehouse.limits import Limits
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

_VARYING = frozenset({25, 1043})
"""Text types whose blanks count; those of CHAR are padding of the type."""
_KEY_FAMILIES = frozenset({"text", "integer", "decimal"})


def resolve(ctx: SyncContext, session: Session) -> Source:
    """Look at the source's columns (no rows are read) and settle every expression.

    :raises SourceError: the source, a column, or a type is not what the sync says.
    """
    relation = _relation(ctx)
    return _Resolver(ctx, session, relation, _columns(ctx, session, relation)).source()


def _relation(ctx: SyncContext) -> str:
    if ctx.sync.source is not None:
        return sql.relation(ctx.sync.source)
    return f"({read_sql(ctx.sync)}\n)"


def _columns(ctx: SyncContext, session: Session, relation: str) -> dict[str, Column]:
    try:
        described = session.describe(f"SELECT * FROM {relation} AS source LIMIT 0")
    except SourceError as error:
        key = f"source: {ctx.sync.source}" if ctx.sync.source else f"sql: {ctx.sync.sql}"
        raise SourceError(f"{ctx.file}: {key}: {error.message}", next_step=error.next_step) from error
    return {name: Column(name, oid) for name, oid in described}


def emails_of(ctx: SyncContext, columns: Sequence[Column], keep: str | None = None) -> Emails | None:
    """Where the email of each person is, if the sync sends one beside its identifier, or identifies by it."""
    sync = ctx.sync
    found = "identifier" if sync.identifier == "email" else None
    for key, column in zip(sync.values, columns, strict=True):
        if key == "attributes.email" and column.family == "text" and found is None:
            found = column.name
    if sync.kind != "people" or found is None:
        return None
    return Emails(
        column=found,
        table=state.table(ctx.schema, "identities"),
        sync=sync.name,
        unique=ctx.contract.unique_emails and found != "identifier",
        identifier=sync.identifier,
        keep=keep,
        guests="email" in sync.identifiers[1:],
        by_cio_id=state.table(ctx.schema, "cio_ids") if sync.identifier == "id" and looks_up(ctx) else None,
    )


def looks_up(ctx: SyncContext) -> bool:
    """Whether people whose email changed are addressed by cio_id."""
    return ctx.contract.email_changes == "by_cio_id" and ctx.sync.transport == "track"


def _phone_of(ctx: SyncContext, columns: Sequence[Column]) -> str | None:
    """Where the phone of each person is, if the sync sends one beside its identifier."""
    for key, column in zip(ctx.sync.values, columns, strict=True):
        if key == "attributes.phone" and column.family == "text" and ctx.sync.kind == "people":
            return column.name
    return None


def _first(canonical: Mapping[Identifier, str], values: Mapping[Identifier, str]) -> str:
    """The value that belongs to the first identifier that a row has."""
    if len(canonical) == 1:
        return next(iter(values.values()))
    cases = " ".join(f"WHEN {canonical[name]} IS NOT NULL THEN {values[name]}" for name in canonical)
    return f"CASE {cases} END"


class _Resolver:
    def __init__(
        self, ctx: SyncContext, session: Session, relation: str, columns: Mapping[str, Column]
    ) -> None:
        self._ctx = ctx
        self._session = session
        self._relation = relation
        self._columns = columns

    def source(self) -> Source:
        sync, chosen = self._ctx.sync, self._ctx.selection
        lookback = None if chosen and chosen.any_age else sync.lookback
        identities = {name: self._key(f"identity.{name}", sync.identity[name]) for name in sync.identifiers}
        canonical = {
            name: sql.canonical_identity(sql.identifier(column.name), column.family, name)
            for name, column in identities.items()
        }
        key = partner = occurred_at = None
        if sync.partner is not None:
            at, kind, name = sync.partner
            column = self._key(at, name)
            partner = sql.canonical_identity(sql.identifier(column.name), column.family, kind or "id")
        if sync.key is not None and sync.occurred_at is not None:
            column = self._key("key", sync.key)
            key = f"NULLIF({sql.canonical_text(sql.identifier(column.name), column.family)}, '')"
            expression, moment = self._field("occurred_at", sync.occurred_at)
            occurred_at = sql.utc(expression, moment.family, sync.occurred_at.time_zone, self._ctx.file)
        payload = tuple(self._payload())
        keep = sync.keeps and sql.identifier(self._column("on_conflict.merge.keep", sync.keeps).name)
        return Source(
            sync=sync.name,
            kind=sync.kind,
            workspace=self._ctx.contract.workspace,
            relation=self._relation,
            identifier=_first(canonical, canonical),
            identifiers=sync.identifiers,
            identified_by=_first(canonical, {name: sql.literal(name) for name in canonical})
            if sync.mixed
            else None,
            partner=partner,
            key=key,
            occurred_at=occurred_at,
            lookback_minutes=None if lookback is None else ceil(lookback.total_seconds() / 60),
            fields=payload,
            mapping=self._ctx.mapping,
            exits=sync.on_exit != "keep",
            bars=sync.exit_policy == "suppress",
            emails=emails_of(self._ctx, [column for _, column in payload], keep),
            phone=_phone_of(self._ctx, [column for _, column in payload]),
            kept_by_others=self._kept_by_others() if sync.exit_policy in DESTRUCTIVE_EXITS else None,
            identity_text=_first(
                canonical,
                {
                    name: self._padded_text(name, column) or canonical[name]
                    for name, column in identities.items()
                },
            ),
            names=tuple(key.rpartition(".")[2] for key in sync.values),
            limits=self._limits(payload),
            only=chosen.condition if chosen else None,
            resend=chosen is not None and chosen.resend,
            undecided=state.table(self._ctx.schema, "undecided"),
            dedupe_seconds=ceil(self._ctx.contract.dedupe_horizon.total_seconds()),
        )

    def _padded_text(self, name: Identifier, identity: Column) -> str | None:
        """A phone loses more than what is around it."""
        varying = identity.oid in _VARYING and name != "phone"
        return sql.identifier(identity.name) if varying else None

    def _kept_by_others(self) -> str | None:
        """Whom other people syncs send: deleting them would undo what those say."""
        if self._ctx.sync.kind != "people":
            return None
        state_, plans = (sql.relation(f"{self._ctx.schema}.{name}") for name in ("state", "plans"))
        others = (
            f"SELECT sync FROM {plans} WHERE kind = 'people' AND sync <> {sql.literal(self._ctx.sync.name)}"
        )
        kept = f"SELECT DISTINCT row_key FROM {state_} WHERE present AND sync IN ({others})"
        if "email" not in self._ctx.sync.identity:
            return kept
        known = emails_elsewhere(state.table(self._ctx.schema, "identities"), self._ctx.sync.name)
        if self._ctx.sync.identifier != "email":
            known = f"SELECT row_key || {EMAIL_KEY} FROM ({known}) AS known"
        return f"{kept} UNION {known}"

    def _limits(self, payload: tuple[tuple[str, Column], ...]) -> Limits:
        sync = self._ctx.sync
        moments = {
            column.name
            for field, (_, column) in zip(sync.values.values(), payload, strict=True)
            if field.type == "timestamp" and column.family == "integer"
        }
        titles = {
            column.name
            for key, (_, column) in zip(sync.values, payload, strict=True)
            if key in {"page", "screen"}
        }
        return Limits(
            sync.findings,
            values=sync.kind != "events",
            moments=frozenset(moments),
            titles=frozenset(titles),
        )

    def _payload(self) -> list[tuple[str, Column]]:
        payload = []
        for position, (key, field) in enumerate(self._ctx.sync.values.items()):
            expression, column = self._field(key, field)
            try:
                check_field(key, field, column)
            except SourceError as error:
                raise SourceError(f"{self._ctx.file}: {error.message}", next_step=error.next_step) from error
            if key == "attributes.email" and self._ctx.sync.kind == "people" and column.family == "text":
                expression = sql.trimmed(
                    expression
                )  # padded, it would be another address than the identifier
            payload.append((expression, Column(f"f_{position}", column.oid)))
        return payload

    def _field(self, key: str, field: FieldMapping) -> tuple[str, Column]:
        if field.column is not None:
            column = self._column(key, field.column)
            return sql.identifier(column.name), column
        expression = f"({field.expression})"
        try:
            described = self._session.describe(
                f"SELECT {expression} AS expression FROM {self._relation} AS source LIMIT 0"
            )
        except SourceError as error:
            raise SourceError(
                f"{self._ctx.file}: {key}: {error.message}",
                next_step=f"correct the expression; the source has the columns {self._names()}.",
            ) from error
        return expression, Column("expression", described[0][1])

    def _key(self, key: str, name: str) -> Column:
        column = self._column(key, name)
        if column.family not in _KEY_FAMILIES:
            raise SourceError(
                f"{self._ctx.file}: {key}: column '{name}' is {column.family}, which makes no exact key.",
                next_step="cast it to BIGINT or VARCHAR in the view.",
            )
        return column

    def _column(self, key: str, name: str) -> Column:
        if name in self._columns:
            return self._columns[name]
        near = get_close_matches(name, self._columns, n=1)
        where = self._ctx.sync.source or self._ctx.sync.sql
        raise SourceError(
            f"{self._ctx.file}: {key}: {where} has no column '{name}'.",
            next_step=f"did you mean '{near[0]}'?" if near else f"its columns are {self._names()}.",
        )

    def _names(self) -> str:
        shown = list(self._columns)[:20]
        return ", ".join(shown) + (", ..." if len(self._columns) > len(shown) else "")
