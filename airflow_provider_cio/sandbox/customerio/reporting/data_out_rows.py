"""Rows of data-out's tables, under the names of version 5, which the older versions leave out in part.

`seq`, `after`: numbers of deliveries, metrics or journeys; `since`, `now`: unix seconds.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from airflow_provider_cio.sandbox.customerio.payload import as_text, decode
from airflow_provider_cio.sandbox.customerio.people import cio_id

Rows = list[dict[str, Any]]
DELIVERY = (
    "delivery_id", "internal_customer_id", "subject_id", "event_id", "delivery_type", "campaign_id", "action_id",
    "newsletter_id", "content_id", "trigger_id", "created_at", "transactional_message_id", "seq_num",
)  # fmt: skip
CONTENT = (
    "delivery_id", "campaign_id", "action_id", "newsletter_id", "content_id", "recipient", "subject", "type",
)  # fmt: skip


def deliveries(db: sqlite3.Connection, after: int) -> Rows:
    """A broadcast stands under `campaign_id`, with its `trigger_id`."""
    rows = db.execute(
        "SELECT id, cio, journey, event, channel, coalesce(campaign, broadcast), action, newsletter, content, trigger,"
        " created_at, transactional, seq FROM deliveries WHERE seq > ? ORDER BY seq",
        (after,),
    )
    found = []
    for row in rows:
        values = dict(zip(DELIVERY, row, strict=True))
        values["internal_customer_id"] = cio_id(values["internal_customer_id"])
        values["subject_id"] = None if values["subject_id"] is None else f"s{values['subject_id']}"
        values["created_at"] *= 1_000_000
        found.append(values)
    return found


def contents(db: sqlite3.Connection, after: int) -> Rows:
    """What was written to whom."""
    rows = db.execute(
        "SELECT id, coalesce(campaign, broadcast), action, newsletter, content, email, subject, channel"
        " FROM deliveries WHERE seq > ? ORDER BY seq",
        (after,),
    )
    found = (dict(zip(CONTENT, row, strict=True)) for row in rows)
    return [{**row, "from": "hello@shop.example", "body": f"<p>{row['subject']}</p>"} for row in found]


def metrics(db: sqlite3.Connection, since: int, now: int, after: int) -> Rows:
    """Those that occurred since, and those of deliveries that were made since."""
    rows = db.execute(
        "SELECT event_id, delivery, metric, at, data, seq FROM metrics WHERE (at > ? OR seq > ?) AND at <= ?"
        " ORDER BY seq",
        (since, after, now),
    )
    found = []
    for event_id, delivery, metric, at, text, seq in rows:
        data = decode(text)
        found.append(
            {
                "event_id": event_id,
                "delivery_id": delivery,
                "metric": metric,
                "created_at": at * 1_000_000,
                "reason": data.get("failure_message"),
                "link_id": data.get("link_id"),
                "link_url": data.get("href"),
                "proxied": data.get("proxied", False),
                "prefetched": data.get("prefetched", False),
                "machine": data.get("machine", False),
                "inbox_provider": "example",
                "seq_num": seq,
            }
        )
    return found


def subjects(db: sqlite3.Connection, after: int) -> Rows:
    """One for each journey."""
    rows = db.execute(
        "SELECT journeys.id, journeys.cio, campaign, ulid, started_at FROM journeys"
        " LEFT JOIN activities ON activities.seq = event WHERE journeys.id > ? ORDER BY journeys.id",
        (after,),
    )
    return [
        {
            "subject_name": f"s{journey}",
            "internal_customer_id": cio_id(cio),
            "campaign_type": "behavioral",
            "campaign_id": campaign,
            "event_id": event,
            "started_campaign_at": at * 1_000_000,
            "created_at": at * 1_000_000,
            "seq_num": journey,
        }
        for journey, cio, campaign, event, at in rows
    ]


def outputs(db: sqlite3.Connection, after: int) -> Rows:
    """The steps of journeys that made a message."""
    rows = db.execute(
        "SELECT id, journey, channel, action, created_at, seq FROM deliveries"
        " WHERE seq > ? AND journey IS NOT NULL ORDER BY seq",
        (after,),
    )
    return [
        {
            "output_id": f"o{delivery}",
            "subject_name": f"s{journey}",
            "output_type": channel,
            "action_id": action,
            "delivery_id": delivery,
            "draft": False,
            "link_tracked": True,
            "created_at": at * 1_000_000,
            "seq_num": seq,
        }
        for delivery, journey, channel, action, at, seq in rows
    ]


def cohorts(db: sqlite3.Connection, after: int) -> Rows:
    """The step at which one journey in ten is held out: branch 0; the others go on by branch 1."""
    rows = db.execute(
        "SELECT journeys.id, journeys.campaign, started_at, held_out.journey IS NULL FROM journeys"
        " LEFT JOIN held_out ON held_out.journey = journeys.id WHERE journeys.id > ? ORDER BY journeys.id",
        (after,),
    )
    return [
        {
            "output_id": f"oc{journey}",
            "subject_name": f"s{journey}",
            "output_type": "random_cohort",
            "action_id": campaign * 10,
            "branch_index": branch,
            "draft": False,
            "created_at": at * 1_000_000,
            "seq_num": journey,
        }
        for journey, campaign, at, branch in rows
    ]


def people(db: sqlite3.Connection, since: int) -> Rows:
    """Those who changed; a time of 1970 stands for none."""
    rows = db.execute(
        "SELECT cio, id, email, changed_at FROM people WHERE changed_at > ? OR changed_at = 0 ORDER BY cio",
        (since,),
    )
    return [
        {
            "customer_id": identifier,
            "internal_customer_id": cio_id(cio),
            "deleted": False,
            "suppressed": False,
            "created_at": 0,
            "updated_at": changed_at * 1_000_000,
            "email_addr": email,
        }
        for cio, identifier, email, changed_at in rows
    ]


def attributes(db: sqlite3.Connection, since: int) -> Rows:
    """Attributes that changed, as text; one that was removed tells nothing."""
    rows = db.execute(
        "SELECT cio, attributes, changed, changed_at FROM people WHERE changed_at > ? OR changed_at = 0 ORDER BY cio",
        (since,),
    )
    found = []
    for cio, held, changed, at in rows:
        moments = decode(changed)
        for name, value in decode(held).items():
            moment = int(moments.get(name, at))
            if moment > since or not moment:
                found.append(
                    {
                        "internal_customer_id": cio_id(cio),
                        "attribute_name": name,
                        "attribute_value": as_text(value),
                        "timestamp": moment * 1_000_000,
                    }
                )
    return found
