"""The diff on identifiers, and what batches do to the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience.tables import Books, moment

DESIRED = pa.schema(
    [
        ("destination", pa.string()),
        ("field", pa.string()),
        ("identifier", pa.string()),
        ("context", pa.string()),
        ("entered_at", pa.timestamp("us")),
    ]
)
"""Columns of the desired identifiers, in the order of their table: a columnar COPY goes by position."""
_SETTLED = "('present', 'add_sent')"


@dataclass(frozen=True)
class Target:
    """What the diff needs to know of a destination. ``renew_before``: members added earlier are added again."""

    name: str
    batch: int
    normaliser: int
    renew_before: str | None


def create_desired(books: Books) -> str:
    """The table of DESIRED."""
    return (
        f"CREATE TABLE {books.desired} (destination VARCHAR(63), field VARCHAR(64), identifier VARCHAR(300), "
        "context VARCHAR(4000), entered_at TIMESTAMP) BACKUP NO DISTSTYLE KEY DISTKEY (identifier)"
    )


def freeze(books: Books, audience: str, targets: Iterable[Target]) -> str:
    """The frozen plan: each identifier once, with its action, reason and batch."""
    targets = list(targets)
    names = ", ".join(sql.literal(each.name) for each in targets)
    sizes = " ".join(f"WHEN {sql.literal(each.name)} THEN {each.batch}" for each in targets)
    old = " OR ".join(
        f"(destination = {sql.literal(each.name)} AND added_at < {moment(each.renew_before)})"
        for each in targets
        if each.renew_before is not None
    )
    return (
        f"CREATE TABLE {books.changes} BACKUP NO DISTSTYLE KEY DISTKEY (identifier) AS "
        "SELECT destination, action, field, identifier, context, entered_at, ready_at, reason, outdated, CAST(("
        "ROW_NUMBER() OVER (PARTITION BY destination, action, field ORDER BY identifier) - 1) / "
        f"CASE destination {sizes} END AS INTEGER) AS batch FROM ("
        "SELECT COALESCE(d.destination, l.destination) AS destination, COALESCE(d.field, l.field) AS field, "
        "COALESCE(d.identifier, l.identifier) AS identifier, d.context, "
        "COALESCE(d.entered_at, l.entered_at) AS entered_at, l.ready_at, "
        "CAST(CASE WHEN d.identifier IS NULL THEN 'remove' ELSE 'add' END AS VARCHAR(8)) AS action, "
        "CAST(CASE WHEN d.identifier IS NULL THEN 'left' WHEN l.identifier IS NULL THEN 'entered' "
        f"WHEN l.state IN {_SETTLED} THEN 'renewed' ELSE 'repeated' END AS VARCHAR(8)) AS reason, "
        f"COALESCE({_outdated(targets)}, FALSE) AS outdated "
        "FROM (SELECT destination, field, identifier, MAX(context) AS context, MIN(entered_at) AS entered_at "
        f"FROM {books.desired} GROUP BY destination, field, identifier) AS d FULL JOIN ("
        "SELECT destination, field, identifier, state, normaliser, entered_at, ready_at, "
        f"{'CASE WHEN ' + old + ' THEN TRUE ELSE FALSE END' if old else 'FALSE'} AS old "
        f"FROM {books.members} WHERE audience = {sql.literal(audience)} AND destination IN ({names})) AS l "
        "ON l.destination = d.destination AND l.field = d.field AND l.identifier = d.identifier "
        "WHERE (d.identifier IS NULL AND l.state <> 'remove_sent') OR l.identifier IS NULL "
        f"OR (d.identifier IS NOT NULL AND (l.state NOT IN {_SETTLED} OR l.old))) AS difference"
    )


def _outdated(targets: Iterable[Target]) -> str:
    """Whether the ledger's row was made by other rules than today's."""
    cases = " ".join(
        f"WHEN {sql.literal(each.name)} THEN l.normaliser <> {each.normaliser}" for each in targets
    )
    return f"CASE l.destination {cases} END"


def counts(books: Books) -> str:
    """``(destination, reason, identifiers, of them made by other rules)``."""
    return (
        "SELECT destination, reason, COUNT(*), SUM(CASE WHEN outdated THEN 1 ELSE 0 END) "
        f"FROM {books.changes} GROUP BY destination, reason"
    )


def held(books: Books, audience: str) -> str:
    """``(destination, identifiers that it may hold, of them not confirmed)``."""
    return (
        "SELECT destination, COUNT(*), SUM(CASE WHEN state = 'present' THEN 0 ELSE 1 END) "
        f"FROM {books.members} WHERE audience = {sql.literal(audience)} GROUP BY destination"
    )


def intend(
    books: Books, audience: str, plan_id: str, definition: int, targets: Iterable[Target]
) -> Iterator[str]:
    """Write down what is about to be sent, before it is: from here on it may have been applied."""
    rules = " ".join(f"WHEN {sql.literal(each.name)} THEN {each.normaliser}" for each in targets)
    members = books.members
    yield (
        f"DELETE FROM {members} USING {books.changes} AS c WHERE {members}.audience = {sql.literal(audience)} "
        f"AND {members}.destination = c.destination AND {members}.field = c.field "
        f"AND {members}.identifier = c.identifier"
    )
    yield (
        f"INSERT INTO {members} (audience, destination, field, identifier, state, normaliser, definition, plan_id, "
        f"batch, entered_at, ready_at, added_at) SELECT {sql.literal(audience)}, destination, field, identifier, "
        "CASE action WHEN 'add' THEN 'adding' ELSE 'removing' END, "
        f"CASE destination {rules} END, {definition}, {sql.literal(plan_id)}, batch, entered_at, ready_at, NULL "
        f"FROM {books.changes}"
    )


def unload(books: Books, destination: str, uri: str, role: str) -> str:
    """One destination's part of the plan, as Parquet."""
    query = (
        "SELECT action, field, batch, identifier, context "
        f"FROM {books.changes} WHERE destination = {sql.literal(destination)}"
    )
    return f"UNLOAD ({sql.literal(query)}) TO {sql.literal(uri)} IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"


@dataclass(frozen=True)
class Done:
    """Batches of one plan, destination, action and field."""

    plan_id: str
    destination: str
    action: str
    field: str
    batches: tuple[int, ...]

    def where(self, audience: str) -> str:
        """The ledger's rows that the batches touched last."""
        batches = ", ".join(map(str, self.batches))
        return (
            f"audience = {sql.literal(audience)} AND destination = {sql.literal(self.destination)} "
            f"AND field = {sql.literal(self.field)} AND plan_id = {sql.literal(self.plan_id)} AND batch IN ({batches})"
        )


def accepted(books: Books, audience: str, done: Done, now: str, *, pending: bool) -> str:
    """The platform took the batches; ``pending``: it will say later whether that was all."""
    where = done.where(audience)
    if done.action == "add":
        changed = f"added_at = {moment(now)}, " + ("state = 'add_sent'" if pending else _ready(now))
        return f"UPDATE {books.members} SET {changed} WHERE {where} AND state = 'adding'"
    if pending:
        return f"UPDATE {books.members} SET state = 'remove_sent' WHERE {where} AND state = 'removing'"
    return f"DELETE FROM {books.members} WHERE {where} AND state = 'removing'"


def _ready(now: str) -> str:
    return f"state = 'present', ready_at = COALESCE(ready_at, {moment(now)})"


def settled(books: Books, audience: str, done: Done, now: str, *, good: bool) -> str:
    """The platform said what became of batches that were pending; what failed is sent again by the next plan."""
    before, again = ("add_sent", "adding") if done.action == "add" else ("remove_sent", "removing")
    where = f"{done.where(audience)} AND state = '{before}'"
    if good and done.action == "remove":
        return f"DELETE FROM {books.members} WHERE {where}"
    changed = _ready(now) if good else f"state = '{again}'"
    return f"UPDATE {books.members} SET {changed} WHERE {where}"


def write_uploads(books: Books, rows: Iterable[Mapping[str, str | int | None]]) -> str:
    """Rows of `audience_uploads`; times as text."""
    names = (
        "audience", "destination", "plan_id", "run_id", "action", "field", "batch", "identifiers", "invalid",
        "outcome", "request_id", "reason",
    )  # fmt: skip
    values = ", ".join(
        f"({', '.join(sql.literal(row[name]) for name in names)}, {moment(str(row['sent_at']))}, "
        f"{moment(str(row['sent_at'])) if row['outcome'] == 'accepted' else 'NULL'})"
        for row in rows
    )
    return f"INSERT INTO {books.uploads} ({', '.join(names)}, sent_at, settled_at) VALUES {values}"


def lags(books: Books, audience: str, now: str, wait: int) -> str:
    """``(destination, p50, p95)``: seconds from being a member to being confirmed by the destination.

    Of those who were confirmed since the destination was last measured; who was a member before it was measured for the
    first time did not wait for it.

    :param wait: seconds from `entered_at` to being a member.
    """
    lag = f"DATEDIFF(second, l.entered_at, l.ready_at) - {wait}"
    return (
        f"SELECT l.destination, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {lag}), "
        f"PERCENTILE_CONT(0.95) WITHIN GROUP (ORDER BY {lag}) FROM {books.members} AS l JOIN ("
        "SELECT destination, MIN(measured_at) AS first_at, MAX(measured_at) AS last_at "
        f"FROM {books.rates} WHERE audience = {sql.literal(audience)} AND measured_at < {moment(now)} "
        "GROUP BY destination) AS m ON m.destination = l.destination "
        f"WHERE l.audience = {sql.literal(audience)} AND l.ready_at > m.last_at "
        f"AND DATEADD(second, {wait}, l.entered_at) >= m.first_at GROUP BY l.destination"
    )


def measured_lags(rates: str) -> str:
    """``(audience, destination, seconds)``: the median of the p95 of thirty days."""
    return (
        "SELECT audience, destination, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY lag_p95) "
        f"FROM {rates} WHERE lag_p95 IS NOT NULL AND measured_at > DATEADD(day, -30, GETDATE()) "
        "GROUP BY audience, destination"
    )
