"""Forget a person: out of every destination, every table of ours, the plans in S3, and Customer.io."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_cio.clients.destinations.base import Batch
from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.audience.capabilities import IdentifierKind
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.identity import canonical
from airflow_provider_cio.core.normalise import SEPARATOR, hash_identifier
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.forget_lines import Log, forget_lines
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.exceptions import ContractError, FatalError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience.tables import ensure_tables
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.shipped import render_sql
from airflow_provider_cio.warehouse.state import table

RAW = "cio_raw"
_KEYS = frozenset({"row_key", "identifier", "member"})
_RAW_KEYS = frozenset({"customer_id", "cio_id", "email", "email_address", "recipient", "identifier"})


@dataclass(frozen=True, repr=False)
class Person:
    """Whatever is known of somebody; `region` is for a phone without a country code, the rest an address."""

    id: str | None = None
    email: str | None = None
    phone: str | None = None
    region: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    postcode: str | None = None
    country: str | None = None

    @property
    def keys(self) -> list[str]:
        """Canonical id and email, and the email as the key of a row that goes by it among several identifiers.

        :raises ContractError: there is neither.
        """
        email = canonical(self.email, "email")
        found = [canonical(self.id, "id"), email, f"{email}\x1femail" if email else None]
        keys = [key for key in found if key is not None]
        if not keys:
            raise ContractError("Nobody is named.", next_step="give an id, an email, or both.")
        return keys

    def sent_as(self, ctx: AudienceContext, name: str) -> Iterator[tuple[str, str]]:
        """(field, identifier) at a destination of an audience."""
        settings = ctx.audience.destinations[name]
        raw: dict[IdentifierKind, str | None] = {"id": self.id, "email": self.email, "phone": self.phone}
        address = (self.first_name, self.last_name, self.postcode, self.country)
        if all(address):
            raw["address"] = SEPARATOR.join(str(part) for part in address)
        for kind in ctx.audience.kinds_of(settings):
            of, field = settings.capabilities.fields[kind]
            made = hash_identifier(of, field, raw.get(kind), region=self.region or ctx.audience.region)
            if made is not None:
                yield field, made


@dataclass
class Forgotten:
    """Counts only. ``lines`` left the receiver's log; ``being_written`` files of it are not closed yet."""

    destinations: int = 0
    rows: int = 0
    objects: int = 0
    lines: int = 0
    being_written: int = 0
    proof: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def forget(
    person: Person,
    warehouse: Warehouse,
    bucket: Bucket,
    audiences: Sequence[AudienceContext],
    track: TrackClient,
    log: Log | None = None,
) -> Forgotten:
    """Remove a person everywhere; each step may be repeated.

    Destinations first, then Customer.io, which suppresses the profile for good, then S3 and Redshift. The person has
    to be out of the sources already, or the next run brings them back.

    :param log: of the webhook receiver; before the raw tables, which are loaded from it.
    :raises FatalError: an open plan holds the person.
    """
    keys, done = person.keys, Forgotten()
    ensure_tables(warehouse)
    warehouse.run(render_sql("ddl/erasures.sql", schema=sql.identifier(warehouse.schema)))
    held = _plans_with(warehouse, keys)
    hashes: set[str] = set()
    for ctx in audiences:
        lease = Lease(ctx).acquire()
        try:
            hashes |= _leave(ctx, person, done)
        finally:
            lease.release()
    _suppress(track, person)
    for plan in held:
        stored = list(bucket.listing(f"{plan.prefix}unload/"))
        bucket.delete(f"{plan.prefix}unload/")
        done.objects += len(stored)
    if log is not None:
        done.lines, done.being_written = forget_lines(log, keys)
    named = {hashed(key) for key in (*keys, *(key for plan in held for key in plan.row_keys))}
    done.rows += _erase(warehouse, warehouse.schema, [*keys, *hashes], sorted(named))
    done.rows += _erase_raw(warehouse, keys)
    _prove(warehouse, keys[0], done)
    return done


def _leave(ctx: AudienceContext, person: Person, done: Forgotten) -> set[str]:
    sent: set[str] = set()
    for name, client in ctx.destinations.items():
        found = list(person.sent_as(ctx, name))
        for field, identifier in found:
            upload = f"forget-{hashed(identifier)}-{name}-{field}"
            client.apply(Batch(upload, "remove", field, [identifier]))
            sent.add(identifier)
        done.destinations += bool(found)
    return sent


def _suppress(track: TrackClient, person: Person) -> None:
    """Delete the profile and ignore it from now on."""
    kinds = [("id", canonical(person.id, "id")), ("email", canonical(person.email, "email"))]
    items = [
        {"type": "person", "action": "suppress", "identifiers": {kind: value}}
        for kind, value in kinds
        if value
    ]
    body = json.dumps({"batch": items}).encode()
    result = track.send_batch(body, len(items))
    if result.errors:
        reasons = ", ".join(sorted({error.reason for error in result.errors}))
        raise FatalError(
            f"Customer.io did not suppress the person: {reasons}.", next_step="correct it and run this again."
        )


@dataclass(frozen=True)
class _Plan:
    prefix: str
    row_keys: tuple[str, ...]


def _plans_with(warehouse: Warehouse, keys: Sequence[str]) -> list[_Plan]:
    """Frozen plans that hold the person."""
    found = []
    plans = warehouse.fetch(f"SELECT sync, plan_id, status, prefix FROM {table(warehouse.schema, 'plans')}")
    known = {name for name, _ in _columns(warehouse, warehouse.schema)}
    for sync, plan_id, status, prefix in plans:
        changes = f"changes__{sync}__{str(plan_id).lower()}"
        if changes not in known:
            continue
        rows = warehouse.fetch(
            f"SELECT row_key FROM {table(warehouse.schema, changes)} WHERE identifier IN ({_listed(keys)})"
        )
        if rows and status == "open":
            raise FatalError(
                f"Plan {plan_id} of sync '{sync}' is being sent and holds the person.",
                next_step="let its run end, or start a new one; then run this again.",
            )
        if rows:
            found.append(_Plan(str(prefix), tuple(str(row[0]) for row in rows)))
    return found


def _erase(warehouse: Warehouse, schema: str, values: Sequence[str], named: Sequence[str]) -> int:
    """Rows of all our tables that name one of the values, or hold the hash of a key."""
    conditions: dict[str, list[str]] = {}
    for name, column in _columns(warehouse, schema):
        if column in _KEYS:
            conditions.setdefault(name, []).append(f"{sql.identifier(column)} IN ({_listed(values)})")
        elif column == "key_hash":
            conditions.setdefault(name, []).append(f"key_hash IN ({_listed(named)})")
    return _delete(warehouse, schema, conditions)


def _erase_raw(warehouse: Warehouse, keys: Sequence[str]) -> int:
    """Rows of the raw tables by their columns, and by what their JSON quotes."""
    conditions: dict[str, list[str]] = {}
    lowered = [key.lower() for key in keys]
    for name in sorted({name for name, _ in _columns(warehouse, RAW)}):
        for column in _described(warehouse, name):
            quoted = sql.identifier(column.name)
            if column.name in _RAW_KEYS and column.family == "text":
                conditions.setdefault(name, []).append(f"LOWER({quoted}) IN ({_listed(lowered)})")
            elif column.family == "super":
                text = f"LOWER(JSON_SERIALIZE({quoted}))"
                conditions.setdefault(name, []).extend(
                    f"STRPOS({text}, {sql.literal(json.dumps(key, ensure_ascii=False))}) > 0"
                    for key in lowered
                )
    return _delete(warehouse, RAW, conditions)


def _delete(warehouse: Warehouse, schema: str, conditions: dict[str, list[str]]) -> int:
    def work(session: Session) -> int:
        deleted = 0
        for name, any_of in conditions.items():
            where = " OR ".join(any_of)
            ((count,),) = session.fetch(f"SELECT COUNT(*) FROM {table(schema, name)} WHERE {where}")
            if count:
                session.run(f"DELETE FROM {table(schema, name)} WHERE {where}")
                deleted += int(count)
        return deleted

    return warehouse.transaction(work)


def _columns(warehouse: Warehouse, schema: str) -> list[tuple[str, str]]:
    """(table, column) of a schema's tables, views left out."""
    rows = warehouse.fetch(
        "SELECT c.table_name, c.column_name FROM information_schema.columns AS c "
        "JOIN information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
        f"WHERE c.table_schema = {sql.literal(schema)} AND t.table_type = 'BASE TABLE'"
    )
    return [(str(name), str(column)) for name, column in rows]


def _described(warehouse: Warehouse, name: str) -> list[Column]:
    """The columns of a raw table with their types."""
    query = f"SELECT * FROM {table(RAW, name)} LIMIT 0"
    described = warehouse.transaction(lambda session: session.describe(query))
    return [Column(column, oid) for column, oid in described]


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sql.literal(value) for value in values)


def _prove(warehouse: Warehouse, key: str, done: Forgotten) -> None:
    salt = secrets.token_hex(16)
    done.proof = hashlib.sha256(f"{salt}{key}".encode()).hexdigest()
    warehouse.run(
        f"INSERT INTO {table(warehouse.schema, 'erasures')} (proof, salt, destinations, rows, objects, forgotten_at) "
        f"VALUES ({sql.literal(done.proof)}, {sql.literal(salt)}, {done.destinations}, {done.rows}, {done.objects}, "
        "GETDATE())"
    )
