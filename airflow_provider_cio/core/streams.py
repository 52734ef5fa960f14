"""What comes back from Customer.io, as data: each stream's columns, key, and how far back it still changes.

A stream is one table in `cio_raw`. Beside its own columns each row has `source` (the route it came by), `recency` (what
is newer within that route), `loaded_at`, and `_extra`, which holds fields that are not declared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Source = Literal["app_api", "export", "data_out", "webhooks"]
Type = Literal["text", "integer", "boolean", "moment"]
SQL_TYPES: dict[Type, str] = {
    "text": "VARCHAR(4096)",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "moment": "TIMESTAMP",
}
_JSON_TYPES: dict[Type, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "moment": {"type": ["string", "null"], "format": "date-time"},
}


@dataclass(frozen=True)
class Field:
    """A column of a stream."""

    name: str
    type: Type
    description: str


@dataclass(frozen=True)
class Stream:
    """One table of `cio_raw`.

    The App API and exports show messages by the day they were made, and what becomes of them shows up there for
    `lookback`; a stream without one is read whole each time.
    """

    name: str
    description: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    sources: tuple[Source, ...]
    lookback: timedelta = timedelta(0)

    @property
    def names(self) -> list[str]:
        """Of its own columns, in the order of the table."""
        return [field.name for field in self.fields]

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of a row."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.description,
            "type": "object",
            "required": list(self.key),
            "properties": {
                field.name: {**_JSON_TYPES[field.type], "description": field.description}
                for field in self.fields
            },
        }


def _fields(text: str) -> tuple[Field, ...]:
    """One field a line: name, type, description."""
    lines = (line.split(maxsplit=2) for line in text.strip().splitlines())
    return tuple(Field(name, kind, description) for name, kind, description in lines)  # type: ignore[arg-type]


_LISTS: tuple[Source, ...] = ("app_api",)
_ALL: tuple[Source, ...] = ("app_api", "export", "data_out", "webhooks")

STREAMS: dict[str, Stream] = {
    stream.name: stream
    for stream in (
        Stream(
            "deliveries",
            "Messages to one person each",
            ("delivery_id",),
            _fields("""
                delivery_id text Customer.io's id of the message
                cio_id text Customer.io's own id of the person (internal_customer_id)
                customer_id text the person's id in the workspace
                campaign_id integer parent, if a campaign sent it
                action_id integer the step of the campaign
                broadcast_id integer parent, if an API-triggered broadcast sent it
                newsletter_id integer parent, if a newsletter sent it
                content_id integer the newsletter's variation
                transactional_message_id integer parent, if it is transactional
                journey_id text the journey through the campaign (webhooks; data-out: subject)
                trigger_event_id text id of the event that started it
                type text channel: email, push, twilio or sms, in_app, webhook, slack, whatsapp
                subject text subject line
                created_at moment when it was made
            """),
            _ALL,
            timedelta(days=30),
        ),
        Stream(
            "metrics",
            "What became of deliveries: one row for each occurrence that a route shows",
            ("delivery_id", "metric", "occurred_at"),
            _fields("""
                delivery_id text the message
                metric text sent, delivered, opened, clicked, converted, bounced, dropped, failed, deferred, ...
                occurred_at moment when it occurred; the App API and exports show the latest occurrence only
                event_id text id of the occurrence (webhooks, data-out)
                link_id integer the link that was clicked
                link_url text its address
                reason text why it failed
                proxied boolean opened through a proxy
                prefetched boolean opened by a machine ahead of the person
                machine boolean clicked by a machine
                inbox_provider text who runs the mailbox (data-out version 5)
            """),
            _ALL,
            timedelta(days=30),
        ),
        Stream(
            "people",
            "Profiles: how Customer.io's ids and yours belong together",
            ("cio_id",),
            _fields("""
                cio_id text Customer.io's own id (internal_customer_id)
                customer_id text the person's id in the workspace
                email text address
                deleted boolean the profile was deleted
                suppressed boolean the profile was suppressed
                created_at moment when the profile was made; null where the file says 1970
                updated_at moment its last change
            """),
            ("data_out",),
        ),
        Stream(
            "campaigns",
            "Campaigns",
            ("campaign_id",),
            _fields("""
                campaign_id integer id
                name text name
                type text kind of trigger
                state text draft, running, stopped, ...
                created_at moment when it was made
                updated_at moment its last change
            """),
            _LISTS,
        ),
        Stream(
            "campaign_actions",
            "Steps of campaigns",
            ("action_id",),
            _fields("""
                action_id integer id
                campaign_id integer the campaign
                name text name
                type text channel
                created_at moment when it was made
                updated_at moment its last change
            """),
            _LISTS,
        ),
        Stream(
            "broadcasts",
            "API-triggered broadcasts",
            ("broadcast_id",),
            _fields("""
                broadcast_id integer id
                name text name
                state text draft, running, stopped, ...
                created_at moment when it was made
                updated_at moment its last change
            """),
            _LISTS,
        ),
        Stream(
            "newsletters",
            "Newsletters",
            ("newsletter_id",),
            _fields("""
                newsletter_id integer id
                name text name
                type text channel
                sent_at moment when it was sent
                created_at moment when it was made
            """),
            _LISTS,
        ),
        Stream(
            "transactional",
            "Transactional messages",
            ("transactional_message_id",),
            _fields("""
                transactional_message_id integer id
                name text name
                description text description
                created_at moment when it was made
                updated_at moment its last change
            """),
            _LISTS,
        ),
        Stream(
            "segments",
            "Segments",
            ("segment_id",),
            _fields("""
                segment_id integer id
                name text name
                description text description
                type text manual or dynamic
                state text finished, or being worked out
                member_count integer people in it when it was read
                updated_at moment its last change
            """),
            _LISTS,
        ),
        Stream(
            "subscription_topics",
            "Subscription topics",
            ("topic_id",),
            _fields("""
                topic_id integer id
                identifier text topic_<id>, as it stands in cio_subscription_preferences
                name text name
                description text description
            """),
            _LISTS,
        ),
    )
}
