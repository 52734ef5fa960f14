"""Accepted rows against what the App API shows of them, kind by kind, within a budget of requests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_provider_cio.clients.app import ATTRIBUTES_LIMIT, AppClient
from airflow_provider_cio.core.comparison import difference
from airflow_provider_cio.core.contract import Identifier, Kind, Sync
from airflow_provider_cio.core.identity import canonical
from airflow_provider_cio.core.operations import values_of
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.warehouse import drift
from airflow_provider_cio.warehouse.drift import Drift
from airflow_provider_cio.warehouse.ledger import PreflightFinding

PREFERENCES = "cio_subscription_preferences"
CREATED = "_created_in_customerio_at"


@dataclass(frozen=True)
class Sent:
    """One accepted row: what Customer.io should hold, and since when (unix seconds)."""

    key: str
    identifier: str
    by: Identifier
    """What the identifier is."""
    partner: str | None
    since: int
    occurred_at: datetime | None
    operation: dict[str, Any]

    def differs(self, reason: drift.Reason, name: str = "") -> Drift:
        """A difference of this row."""
        return Drift(hashed(self.key), name, reason)


@dataclass
class Reading:
    """What was looked at, and what was found."""

    app: AppClient
    budget: int
    sampled: int = 0
    found: list[Drift] = field(default_factory=list)
    findings: list[PreflightFinding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._before = self.app.requests

    @property
    def requests(self) -> int:
        """Made so far."""
        return self.app.requests - self._before

    @property
    def left(self) -> int:
        """Requests that may still be made."""
        return self.budget - self.requests

    def within_budget(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Rows of pages, until the budget is used up."""
        if self.left > 0:
            for row in rows:
                yield row
                if self.left <= 0:
                    return


def read_back(sync: Sync, reading: Reading, rows: list[Sent]) -> None:
    """Compare these rows with Customer.io. Anonymous visitors are not shown by its API, and passed over."""
    _READERS[sync.kind](sync, reading, [row for row in rows if row.by != "anonymous_id"])


def affordable(sync: Sync, reading: Reading) -> int:
    """Rows that the budget allows: people by id come a hundred a request, others one by one, or worse."""
    by_hundreds = sync.kind == "people" and sync.identifiers == ("id",)
    return max(0, reading.left - 1) * (ATTRIBUTES_LIMIT if by_hundreds else 1)


def _people(sync: Sync, reading: Reading, rows: list[Sent]) -> None:  # noqa: ARG001
    by_id = [row.identifier for row in rows if row.by == "id"]
    people = {("id", each["id"]): each for each in reading.app.attributes(by_id)} if by_id else {}
    looked_for = [row for row in rows if row.by == "id"]
    for row in rows:
        if row.by != "id" and reading.left > 0:
            looked_for.append(row)
            person = reading.app.person(row.identifier, row.by)
            if person is not None:
                people[row.by, row.identifier] = person
    reading.sampled = len(looked_for)
    missing = [row for row in looked_for if (row.by, row.identifier) not in people]
    gone = _deleted(reading) if missing else {}
    for row in missing:
        reading.found.append(row.differs(_absent(row, gone.get((row.by, row.identifier)))))
    for row in looked_for:
        person = people.get((row.by, row.identifier))
        if person is not None:
            shown = _with_topics(person.get("attributes", {}))
            reading.found += _compared(row, values_of(row.operation), shown, person.get("timestamps", {}))


def _with_topics(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Preferences by topic, under the dotted names that are sent; the API shows them as one JSON text."""
    try:
        topics = json.loads(attributes.get(PREFERENCES) or "{}").get("topics", {})
    except (ValueError, TypeError, AttributeError):
        topics = {}
    return {**attributes, **{f"{PREFERENCES}.topics.{name}": chosen for name, chosen in topics.items()}}


def _deleted(reading: Reading) -> dict[tuple[str, str], int]:
    """Who was deleted, by each of their identifiers, and in which second the last time."""
    found: dict[tuple[str, str], int] = {}
    for entry in reading.within_budget(reading.app.activities("profile_delete", deleted=True)):
        for kind, who in (entry.get("customer_identifiers") or {}).items():
            found[kind, str(who)] = max(found.get((kind, str(who)), 0), int(entry["timestamp"]))
    return found


def _absent(row: Sent, deleted: int | None) -> drift.Reason:
    """Deleted after we wrote: somebody else's doing. Deleted before, and not made anew by our write: suppressed."""
    if deleted is None:
        return "never_arrived"
    return "overwritten" if deleted >= row.since else "suppressed"


def _compared(
    row: Sent, sent: Mapping[str, Any], shown: Mapping[str, Any], changed: Mapping[str, Any], prefix: str = ""
) -> Iterator[Drift]:
    for name, value in sent.items():
        if name == "email" and value and canonical(value, "email") == canonical(shown.get(name), "email"):
            continue  # Customer.io reads addresses without case
        differs = difference(value, shown.get(name))
        if differs == "type":
            yield row.differs("type_changed", prefix + name)
        elif differs:
            moment = changed.get(name, changed.get(PREFERENCES, 0) if name.startswith(PREFERENCES) else 0)
            yield row.differs("overwritten" if int(moment) >= row.since else "never_arrived", prefix + name)


def _events(sync: Sync, reading: Reading, rows: list[Sent]) -> None:
    """Each event, page or screen view by person, name and second."""
    kind = "event" if sync.event else "page" if sync.page else "screen"
    there: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        name = str(row.operation.get("name") or row.operation.get("event"))
        if (row.identifier, name) not in there:
            if reading.left <= 0:
                return
            entries = reading.app.activities_of(row.identifier, row.by, type=kind, name=name)
            there[row.identifier, name] = {int(entry["timestamp"]) for entry in entries}
        reading.sampled += 1
        if row.occurred_at is not None:
            second = int(row.occurred_at.replace(tzinfo=UTC).timestamp())
            if second not in there[row.identifier, name]:
                reading.found.append(row.differs("never_arrived"))


def _objects(sync: Sync, reading: Reading, rows: list[Sent]) -> None:
    for row in _one_by_one(reading, rows):
        there = reading.app.object(sync.object_type_id or "1", row.identifier, row.by)
        if there is None:
            reading.found.append(row.differs("never_arrived"))
        else:
            sent = values_of(row.operation)
            reading.found += _compared(row, sent, there.get("attributes", {}), there.get("timestamps", {}))


def _relationships(sync: Sync, reading: Reading, rows: list[Sent]) -> None:
    kind = next(iter(sync.related))
    for who, mine in _by_person(reading, rows):
        there = {
            str((each.get("identifiers") or {}).get(kind)): each
            for each in reading.app.relationships_of(*who)
            if kind == "cio_object_id" or str(each.get("object_type_id")) == sync.object_type_id
        }
        for row in mine:
            each = there.get(str(row.partner))
            if each is None:
                reading.found.append(row.differs("never_arrived"))
                continue
            sent = values_of(row.operation)
            reading.found += _compared(row, sent, each.get("attributes") or {}, each.get("timestamps") or {})


def _devices(sync: Sync, reading: Reading, rows: list[Sent]) -> None:  # noqa: ARG001
    for who, mine in _by_person(reading, rows):
        person = reading.app.person(*who) or {}
        there = {str(each.get("id")): each for each in person.get("devices", [])}
        for row in mine:
            device = there.get(str(row.partner))
            if device is None:
                reading.found.append(row.differs("never_arrived"))
                continue
            sent = dict(row.operation["device"])
            attributes = sent.pop("attributes", {})
            sent.pop("token")
            reading.found += _compared(row, sent, device, {}, "device.")
            reading.found += _compared(row, attributes, device.get("attributes") or {}, {})


def _gone(sync: Sync, reading: Reading, rows: list[Sent]) -> None:
    """Whoever was merged, suppressed or deleted is not there; who is there since is another writer's doing."""
    kind = next(iter(sync.secondary), None)
    for row in _one_by_one(reading, rows):
        who, by = (str(row.partner), kind) if kind else (row.identifier, row.by)
        person = reading.app.person(who, by)
        if person is not None:
            made = int(person.get("attributes", {}).get(CREATED) or 0)
            reading.found.append(row.differs("overwritten" if made >= row.since else "never_arrived"))


def _one_by_one(reading: Reading, rows: list[Sent]) -> Iterator[Sent]:
    for row in rows:
        if reading.left <= 0:
            return
        reading.sampled += 1
        yield row


def _by_person(reading: Reading, rows: list[Sent]) -> Iterator[tuple[tuple[str, str], list[Sent]]]:
    people: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    for row in rows:
        people[row.identifier, row.by].append(row)
    for who, mine in people.items():
        if reading.left <= 0:
            return
        reading.sampled += len(mine)
        yield who, mine


_READERS: Mapping[Kind, Callable[[Sync, Reading, list[Sent]], None]] = {
    "people": _people,
    "events": _events,
    "objects": _objects,
    "relationships": _relationships,
    "devices": _devices,
    "merges": _gone,
    "suppressions": _gone,
    "deletions": _gone,
}
