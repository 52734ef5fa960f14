"""Reporting events as RudderStack's own Customer.io source names them (legacy).

RudderStack's source does not know in-app and WhatsApp messages and calls theirs "Unknown Event"; here they are named
after the same pattern.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_CHANNELS = {
    "customer": "Customer",
    "email": "Email",
    "sms": "SMS",
    "push": "Push",
    "slack": "Slack Message",
    "webhook": "Webhook Message",
    "in_app": "In-App Message",
    "whatsapp": "WhatsApp",
}
_METRICS = {"clicked": "Link Clicked", "spammed": "Marked as Spam"}


def track_call(event: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a call of `/v1/track` for one reporting webhook."""
    data = event.get("data") or {}
    identifiers = data.get("identifiers") or {}
    user = identifiers.get("id") or data.get("customer_id")
    email = identifiers.get("email") or data.get("email_address")
    traits = {"cioId": identifiers.get("cio_id"), "email": email}
    moment = datetime.fromtimestamp(int(event.get("timestamp") or 0), UTC).isoformat()
    context: dict[str, Any] = {"traits": {name: value for name, value in traits.items() if value}}
    if data.get("href"):
        context["link"] = {"url": data["href"], "id": data.get("link_id")}
    call = {
        "event": name_of(str(event.get("object_type")), str(event.get("metric"))),
        "messageId": event.get("event_id"),
        "originalTimestamp": moment,
        "sentAt": moment,
        "properties": {**data, "eventId": event.get("event_id")},
        "context": context,
    }
    return call | ({"userId": str(user)} if user else {"anonymousId": email or "unknown"})


def name_of(channel: str, metric: str) -> str:
    """`email`, `clicked` -> `Email Link Clicked`."""
    if channel not in _CHANNELS:
        return "Unknown Event"
    return f"{_CHANNELS[channel]} {_METRICS.get(metric, metric.replace('_', ' ').title())}"
