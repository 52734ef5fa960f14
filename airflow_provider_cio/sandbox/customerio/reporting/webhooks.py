"""Reporting webhooks: signed, at least once, nearly in order, and held back behind one that fails."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Iterator
from typing import Any

import httpx

from airflow_provider_cio.sandbox.customerio.payload import decode, encode
from airflow_provider_cio.sandbox.customerio.people import cio_id
from airflow_provider_cio.sandbox.customerio.reporting import engine
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

TIMEOUT = 4.0
LANES = 16
REPEATED = 0.03
"""Share of events that are sent twice although they were answered."""
Event = tuple[str, bytes]


async def tell(workspace: Workspace, endpoint: str, signing_key: bytes) -> dict[str, int]:
    """Send what is due and was not told; the first that is not answered with 2xx holds back the rest."""
    events = list(_due(workspace))
    queue = iter([*events, *(each for each in events if engine.chance(each[0], "repeat") < REPEATED)])
    told: list[str] = []
    blocked = asyncio.Event()

    async def lane(client: httpx.AsyncClient) -> None:
        for event_id, body in queue:
            if blocked.is_set():
                return
            try:
                answer = await client.post(endpoint, content=body, headers=_signed(signing_key, body))
            except httpx.HTTPError:
                blocked.set()
                return
            if not answer.is_success:
                blocked.set()
                return
            told.append(event_id)

    async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
        await asyncio.gather(*(lane(client) for _ in range(LANES)))
    with workspace.store.transaction() as db:
        db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(each,) for each in told])
    return {"told": len(told), "waiting": len(events) - len(set(told))}


def _due(workspace: Workspace) -> Iterator[Event]:
    """In the order of time, but for some that come late."""
    rows = workspace.store.db.execute(
        "SELECT event_id, metric, at, data, deliveries.id, cio, customer_id, email, campaign, action, journey, event,"
        " newsletter, content, broadcast, trigger, transactional, channel, subject FROM metrics"
        " JOIN deliveries ON deliveries.id = delivery"
        " WHERE at <= ? AND event_id NOT IN (SELECT event_id FROM told) ORDER BY at",
        (workspace.now(),),
    ).fetchall()
    rows.sort(key=lambda row: row[2] + (engine.DAY if engine.chance(row[0], "late") < 0.05 else 0))
    for row in rows:
        yield row[0], encode(_payload(row)).encode()


def _payload(row: tuple[Any, ...]) -> dict[str, Any]:
    event_id, metric, at, data, delivery, cio, customer_id, email, *parents = row
    campaign, action, journey, event, newsletter, content, *rest = parents
    broadcast, trigger, transactional, channel, subject = rest
    told: dict[str, Any] = {
        "delivery_id": delivery,
        "customer_id": customer_id,
        "identifiers": {"id": customer_id, "email": email, "cio_id": cio_id(cio)},
        "recipient": email,
        "subject": subject,
        **decode(data),
    }
    if campaign is not None:
        told |= {"campaign_id": campaign, "action_id": action, "journey_id": f"j{journey}"}
        told |= {"parent_action_id": None, "trigger_event_id": event}
    elif broadcast is not None:
        told |= {"broadcast_id": broadcast, "trigger_id": trigger, "action_id": action}
        told |= {"journey_id": f"j{trigger}-{cio}", "parent_action_id": None}
    elif newsletter is not None:
        told |= {"newsletter_id": newsletter, "content_id": content}
    else:
        told["transactional_message_id"] = transactional
    return {"event_id": event_id, "object_type": channel, "metric": metric, "timestamp": at, "data": told}


def _signed(key: bytes, body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    digest = hmac.new(key, f"v0:{at}:".encode() + body, "sha256").hexdigest()
    return {"Content-Type": "application/json", "X-CIO-Timestamp": at, "X-CIO-Signature": digest}
