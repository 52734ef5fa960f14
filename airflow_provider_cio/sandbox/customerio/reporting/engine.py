"""The delivery engine: journeys, newsletters and transactional messages become deliveries, and those live on.

Everything that will become of a delivery is drawn when it is made, from the seed and its id, with times ahead of the
clock; what lies ahead of the clock nobody sees. So the same seed, people and events give the same books.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import as_text, decode, encode

SEED = 7
MINUTE, HOUR, DAY = 60, 3600, 86_400
HELD_OUT = 0.1
STEPS = ((1, "email", 0), (2, "push", 2 * HOUR), (3, "email", DAY))
"""Actions of a campaign: number, channel, seconds after the journey's start."""
LINKS = ("https://shop.example/offer", "https://shop.example/basket", "https://shop.example/stores")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Due:
    """A message that is to be made."""

    at: int
    cio: int
    channel: str
    subject: str
    parents: dict[str, Any]


@dataclass
class People:
    """Who may be written to, as the engine goes through time."""

    profiles: dict[int, tuple[str | None, str | None, dict[str, Any]]]
    unsubscribed: dict[int, int] = field(default_factory=dict)
    blocked: dict[int, int] = field(default_factory=dict)

    def takes(self, cio: int, at: int, topic: str | None) -> bool:
        """Known, with an address, subscribed, and to this topic."""
        if cio not in self.profiles or self.unsubscribed.get(cio, at) < at:
            return False
        attributes = self.profiles[cio][2]
        preferences = attributes.get("cio_subscription_preferences")
        topics = preferences.get("topics", {}) if isinstance(preferences, dict) else {}
        off = as_text(attributes.get("unsubscribed", False)).lower() in {"true", "1"}
        return not off and (topic is None or topics.get(f"topic_{topic}") is not False)


def action_id(campaign: int, step: int) -> int:
    """Of a campaign's step."""
    return campaign * 10 + step


def broadcast_action(broadcast: int) -> int:
    """Of a broadcast's only step; ids of actions are one sequence in Customer.io, so they never meet a campaign's."""
    return 1_000_000 + broadcast


def run(db: sqlite3.Connection, now: int) -> int:
    """Make everything that is due before `now`; how many deliveries that were."""
    known = people(db)
    made = 0
    for due in sorted(_due(db, now), key=lambda each: each.at):
        topic = due.parents.pop("topic", None)
        if known.takes(due.cio, due.at, topic):
            deliver(db, due, known)
            made += 1
    db.execute("INSERT OR REPLACE INTO marks VALUES ('engine', ?)", (now,))
    return made


def deliver(db: sqlite3.Connection, due: Due, people: People) -> str:
    """One delivery and its whole life."""
    identifier, email, _ = people.profiles[due.cio]
    name = f"{due.cio}:{due.at}:{encode(due.parents)}:{due.channel}"
    if "transactional" in due.parents:  # which may be sent several times in a second
        sent = "SELECT COUNT(*) FROM deliveries WHERE cio = ? AND created_at = ? AND transactional = ?"
        [(times,)] = db.execute(sent, (due.cio, due.at, due.parents["transactional"]))
        name += f":{times}" if times else ""
    delivery = "d" + hashlib.sha256(f"{SEED}:{name}".encode()).hexdigest()[:23]
    columns = {"journey": None, "event": None, "campaign": None, "action": None, "newsletter": None}
    columns |= {"content": None, "broadcast": None, "trigger": None, "transactional": None} | due.parents
    values = {
        "id": delivery,
        "cio": due.cio,
        "customer_id": identifier,
        "email": email,
        "channel": due.channel,
        "subject": due.subject,
        "created_at": due.at,
        **columns,
    }
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO deliveries ({names}) VALUES ({marks})", list(values.values()))
    blocked = people.blocked.get(due.cio, due.at) < due.at and due.channel == "email"
    life = list(_life(Fate(delivery, due.channel), due.at, blocked=blocked))
    for metric, at, _ in life:
        if metric == "unsubscribed":
            people.unsubscribed.setdefault(due.cio, at)
        if metric in {"bounced", "spammed"} and due.channel == "email":
            people.blocked.setdefault(due.cio, at)
    db.executemany(
        "INSERT INTO metrics (event_id, delivery, metric, at, data) VALUES (?, ?, ?, ?, ?)",
        [
            (_ulid(at, f"{delivery}:{n}"), delivery, metric, at, encode(data))
            for n, (metric, at, data) in enumerate(life)
        ],
    )
    return delivery


def _due(db: sqlite3.Connection, now: int) -> Iterator[Due]:
    row = db.execute("SELECT value FROM marks WHERE name = 'engine'").fetchone()
    since = row[0] if row else 0
    held_out: set[int] = set()
    for journey, campaign, cio, started, event in db.execute(
        "SELECT journeys.id, campaign, journeys.cio, started_at, ulid FROM journeys"
        " LEFT JOIN activities ON activities.seq = event WHERE started_at >= ? AND started_at < ?",
        (since - 2 * DAY, now),
    ).fetchall():
        if chance(f"journey {journey}", "held out") < HELD_OUT:
            held_out.add(journey)
            db.execute("INSERT OR IGNORE INTO held_out VALUES (?, ?, ?)", (journey, campaign, cio))
            continue
        for step, channel, delay in STEPS:
            at = started + delay
            if since <= at < now:
                parents = {"campaign": campaign, "action": action_id(campaign, step), "journey": journey}
                yield Due(at, cio, channel, f"Step {step} of {campaign}", {**parents, "event": event})
    for trigger, broadcast, name, listed, at in db.execute(
        "SELECT triggers.id, broadcast, name, people, at FROM triggers"
        " JOIN broadcasts ON broadcasts.id = broadcast WHERE at >= ? AND at < ?",
        (since, now),
    ).fetchall():
        parents = {"broadcast": broadcast, "trigger": trigger, "action": broadcast_action(broadcast)}
        for cio in decode(listed):
            yield Due(at, cio, "email", name, dict(parents))
    for newsletter, name, topic, sent_at in db.execute(
        "SELECT id, name, topic, sent_at FROM newsletters WHERE sent_at >= ? AND sent_at < ?", (since, now)
    ).fetchall():
        for (cio,) in db.execute("SELECT cio FROM people WHERE email IS NOT NULL ORDER BY cio").fetchall():
            parents = {"newsletter": newsletter, "content": newsletter * 10 + cio % 2, "topic": topic}
            yield Due(sent_at, cio, "email", name, parents)


Metric = tuple[str, int, dict[str, Any]]


@dataclass(frozen=True)
class Fate:
    """What is drawn for one delivery."""

    delivery: str
    channel: str

    def happens(self, what: str, share: float, *, email_only: bool = False) -> bool:
        """Whether it does."""
        return (self.channel == "email" or not email_only) and chance(self.delivery, what) < share

    def after(self, start: int, what: str, seconds: int) -> int:
        """When: soon rather than late."""
        return start + 1 + int(chance(self.delivery, f"{what} when") ** 3 * seconds)


def _life(fate: Fate, created: int, *, blocked: bool) -> Iterator[Metric]:
    """Metric, moment, details."""
    if blocked:
        yield "dropped", created + 1, {"failure_message": "suppressed"}
        return
    sent = fate.after(created, "sent", MINUTE)
    if fate.happens("fail", 0.01):
        yield "failed", sent, {"failure_message": "no transport"}
        return
    yield "sent", sent, {}
    if fate.happens("bounce", 0.02):
        yield "bounced", fate.after(sent, "bounce", HOUR), {"failure_message": "550 no such user"}
        return
    delivered = fate.after(sent, "delivered", 10 * MINUTE)
    if fate.happens("defer", 0.03, email_only=True):
        yield "deferred", delivered, {"failure_message": "451 try again"}
        delivered += 4 * HOUR
    yield "delivered", delivered, {}
    yield from _reactions(fate, delivered)


def _reactions(fate: Fate, delivered: int) -> Iterator[Metric]:
    if fate.happens("machine", 0.3, email_only=True):
        yield "opened", fate.after(delivered, "machine", MINUTE), {"prefetched": True, "proxied": True}
    if fate.happens("spam", 0.004, email_only=True):
        yield "spammed", fate.after(delivered, "spam", DAY), {}
    if not fate.happens("open", 0.4):
        return
    opened = fate.after(delivered, "open", 6 * DAY)
    yield "opened", opened, {}
    if fate.happens("open again", 0.3):
        yield "opened", fate.after(opened, "open again", 10 * DAY), {}
    if fate.happens("unsubscribe", 0.03, email_only=True):
        yield "unsubscribed", fate.after(opened, "unsubscribe", HOUR), {}
    if fate.happens("click", 0.3):
        clicked = fate.after(opened, "click", HOUR)
        link = int(chance(fate.delivery, "link") * len(LINKS))
        yield "clicked", clicked, {"href": LINKS[link], "link_id": link + 1}
        if fate.happens("convert", 0.3):
            yield "converted", fate.after(clicked, "convert", 5 * DAY), {}


def chance(thing: str, what: str) -> float:
    """From 0 to 1, always the same for the same thing."""
    digest = hashlib.blake2b(f"{SEED}:{thing}:{what}".encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


def _ulid(at: int, name: str) -> str:
    number = (at * 1000 << 80) | int.from_bytes(hashlib.sha256(name.encode()).digest()[:10], "big")
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(26)))


def people(db: sqlite3.Connection) -> People:
    """Everybody, with what they said of earlier deliveries."""
    rows = db.execute("SELECT cio, id, email, attributes FROM people").fetchall()
    found = People({cio: (identifier, email, decode(text)) for cio, identifier, email, text in rows})
    for cio, metric, channel, at in db.execute(
        "SELECT cio, metric, channel, min(at) FROM metrics JOIN deliveries ON deliveries.id = delivery"
        " WHERE metric IN ('unsubscribed', 'bounced', 'spammed') GROUP BY cio, metric, channel"
    ):
        if metric == "unsubscribed":
            found.unsubscribed[cio] = at
        elif channel == "email":
            found.blocked[cio] = min(at, found.blocked.get(cio, at))
    return found
