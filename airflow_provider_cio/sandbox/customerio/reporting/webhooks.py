"""Reporting webhooks: signed, at least once, nearly in order, and held back behind one that fails."""

from __future__ import annotations

import asyncio
import hmac
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

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
    again = (each for each in events if engine.chance(each[0], "repeat") < REPEATED)
    sending, loop = _Sending(endpoint, signing_key, [*events, *again]), asyncio.get_running_loop()
    with ThreadPoolExecutor(LANES) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, sending.lane) for _ in range(LANES)))
    with workspace.store.transaction() as db:
        db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(each,) for each in sending.told])
    return {"told": len(sending.told), "waiting": len(events) - len(set(sending.told))}


class _Sending:
    """Events in their order, by several connections; http.client, because httpx takes longer than the receiver."""

    def __init__(self, endpoint: str, signing_key: bytes, events: list[Event]) -> None:
        self._url, self._key, self._queue = urlsplit(endpoint), signing_key, iter(events)
        self._blocked = threading.Event()
        self.told: list[str] = []

    def lane(self) -> None:
        """Send until nothing is left, or one is not taken."""
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        with closing(kind(self._url.netloc, timeout=TIMEOUT)) as connection:
            for event_id, body in self._queue:
                if self._blocked.is_set():
                    return
                if not self._is_taken(connection, body):
                    self._blocked.set()
                    return
                self.told.append(event_id)

    def _is_taken(self, connection: HTTPConnection, body: bytes) -> bool:
        try:
            connection.request("POST", self._url.path or "/", body, _signed(self._key, body))
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return False
        return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


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
