"""Profiles as a unit of work: loaded by identifier, changed in memory, written once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_provider_cio.sandbox.customerio.payload import decode, encode

COLUMNS = "cio, id, email, phone, attributes, changed, created_at, changed_at"
CIO_ID = re.compile(r"(?:cio_)?a([0-9a-f]{7,15})")
BELONGINGS = ("devices", "members", "relationships")


class Identifier(NamedTuple):
    """``kind`` is id, email, phone or cio_id; emails compare without case."""

    kind: str
    value: str

    @property
    def key(self) -> Identifier:
        return Identifier("email", self.value.lower()) if self.kind == "email" else self


NOBODY = Identifier("", "")
Key = tuple[str, str]


@dataclass(slots=True)
class Person:
    """One profile. ``changed`` holds the unix second of each attribute's last change."""

    cio: int
    id: str | None = None
    email: str | None = None
    phone: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    created_at: int = 0
    changed_at: int = 0

    @property
    def cio_id(self) -> str:
        return cio_id(self.cio)

    def identifiers(self) -> dict[str, str | None]:
        return {"id": self.id, "email": self.email, "cio_id": self.cio_id}

    def known_as(self) -> list[Identifier]:
        pairs = (("id", self.id), ("email", self.email), ("phone", self.phone), ("cio_id", self.cio_id))
        return [Identifier(kind, value).key for kind, value in pairs if value is not None]


def cio_id(cio: int) -> str:
    return f"a{cio:07x}"


def number(text: str) -> int:
    """The row of a cio_id, with or without the ``cio_`` of v1; 0 is nobody."""
    found = CIO_ID.fullmatch(text)
    return int(found[1], 16) if found else 0


def person(row: tuple[Any, ...]) -> Person:
    """A row of ``SELECT {COLUMNS} FROM people``."""
    cio, identifier, email, phone, attributes, changed, created_at, changed_at = row
    return Person(cio, identifier, email, phone, decode(attributes), decode(changed), created_at, changed_at)


class People:
    """The profiles that one request touches."""

    def __init__(self, db: sqlite3.Connection, *, email_identifies: bool) -> None:
        self._db = db
        self._email_identifies = email_identifies
        self._by_key: dict[Key, Person] = {}
        self._suppressed: set[Key] = set()
        self._new: dict[int, Person] = {}
        self._touched: dict[int, Person] = {}
        self._gone: dict[int, Person] = {}
        sequence = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'people'").fetchone()
        self._last = sequence[0] if sequence else 0

    def load(self, identifiers: Iterable[Identifier]) -> None:
        """Fetch whoever has one of ``identifiers``; everybody else is then known to be absent."""
        wanted: dict[str, set[str]] = {"id": set(), "email": set(), "phone": set(), "cio_id": set()}
        for kind, value in identifiers:
            wanted[kind].add(value.lower() if kind == "email" else value)
        if not self._email_identifies:
            wanted["email"].clear()
        for kind, column in (("id", "id"), ("email", "email_key"), ("phone", "phone")):
            self._fetch(column, list(wanted[kind]))
        self._fetch("cio", [number(value) for value in wanted["cio_id"]])
        values = encode([value for each in wanted.values() for value in each])
        blocked = self._db.execute(
            "SELECT kind, value FROM suppressed WHERE value IN (SELECT value FROM json_each(?))", (values,)
        )
        self._suppressed.update(blocked)

    def _fetch(self, column: str, values: list[Any]) -> None:
        if not values:
            return
        sql = f"SELECT {COLUMNS} FROM people WHERE {column} IN (SELECT value FROM json_each(?))"
        for row in self._db.execute(sql, (encode(values),)):
            if row[0] not in self._touched and row[0] not in self._gone:
                self._index(person(row))

    def _index(self, found: Person) -> None:
        people = self._by_key
        people.setdefault(("cio_id", found.cio_id), found)
        if found.id is not None:
            people.setdefault(("id", found.id), found)
        if found.email is not None and self._email_identifies:
            people.setdefault(("email", found.email.lower()), found)
        if found.phone is not None:
            people.setdefault(("phone", found.phone), found)

    def get(self, identifier: Identifier) -> Person | None:
        kind, value = identifier
        if kind == "cio_id":
            value = cio_id(number(value))
        return self._by_key.get((kind, value.lower() if kind == "email" else value))

    def is_suppressed(self, identifier: Identifier) -> bool:
        return identifier.key in self._suppressed

    def create(self, identifier: Identifier, now: int) -> Person:
        self._last += 1
        new = Person(self._last, created_at=now)
        setattr(new, identifier.kind, identifier.value)
        self._new[new.cio] = new
        self._index(new)
        return new

    def rename(self, who: Person, kind: str, value: str | None) -> None:
        """Give ``who`` another identifier (None takes it away); the caller knows that it is free."""
        old = getattr(who, kind)
        if old is not None:
            self._by_key.pop(Identifier(kind, old).key, None)
        setattr(who, kind, value)
        self._index(who)
        self.touch(who)

    def touch(self, who: Person) -> None:
        if who.cio not in self._new:
            self._touched[who.cio] = who

    def remove(self, who: Person) -> None:
        for key in who.known_as():
            if self._by_key.get(key) is who:
                del self._by_key[key]
        self._touched.pop(who.cio, None)
        self._new.pop(who.cio, None)
        self._gone[who.cio] = who

    def suppress(self, identifiers: Iterable[Identifier], cio: int) -> None:
        keys = [each.key for each in identifiers]
        self._suppressed.update(keys)
        self._db.executemany(
            "INSERT OR REPLACE INTO suppressed VALUES (?, ?, ?)", [(*key, cio) for key in keys]
        )

    def unsuppress(self, identifier: Identifier) -> None:
        """Free ``identifier`` and those that were blocked together with it."""
        found = self._db.execute("SELECT cio FROM suppressed WHERE kind = ? AND value = ?", identifier.key)
        for (cio,) in found.fetchall():
            freed = self._db.execute("DELETE FROM suppressed WHERE cio = ? RETURNING kind, value", (cio,))
            self._suppressed.difference_update(freed.fetchall())

    def flush(self) -> None:
        for table in ("people", *BELONGINGS):
            self._db.executemany(f"DELETE FROM {table} WHERE cio = ?", [(cio,) for cio in self._gone])
        self._db.executemany(
            "INSERT OR REPLACE INTO departed VALUES (?, ?, ?)",
            [(gone.cio, gone.id, gone.email) for gone in self._gone.values()],
        )
        self._db.executemany(
            "UPDATE people SET id = ?, email = ?, email_key = ?, phone = ?, attributes = ?, changed = ?,"
            " created_at = ?, changed_at = ? WHERE cio = ?",
            [(*_row(each), each.cio) for each in self._touched.values()],
        )
        self._db.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(each.cio, *_row(each)) for each in self._new.values()],
        )
        self._gone, self._touched, self._new = {}, {}, {}


def _row(who: Person) -> tuple[Any, ...]:
    email_key = who.email.lower() if who.email is not None else None
    attributes, changed = encode(who.attributes), encode(who.changed)
    return who.id, who.email, email_key, who.phone, attributes, changed, who.created_at, who.changed_at
