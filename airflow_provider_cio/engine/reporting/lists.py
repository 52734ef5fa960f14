"""Streams that the App API lists whole: campaigns and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from airflow_provider_cio.clients.app import AppClient

Reader = Callable[[AppClient], Iterator[dict[str, Any]]]
_TIMES = {"created": "created_at", "updated": "updated_at"}


def _listed(path: str, key: str, identifier: str, limit: int | None = None) -> Reader:
    def read(app: AppClient) -> Iterator[dict[str, Any]]:
        for row in app.listing(path, key, limit):
            yield _renamed(row, identifier)

    return read


def _renamed(row: dict[str, Any], identifier: str) -> dict[str, Any]:
    names = {"id": identifier, **_TIMES}
    return {names.get(name, name): value for name, value in row.items() if name != "deduplicate_id"}


def _actions(app: AppClient) -> Iterator[dict[str, Any]]:
    for campaign in app.listing("/v1/campaigns", "campaigns"):
        for row in app.listing(f"/v1/campaigns/{int(campaign['id'])}/actions", "actions", 10):
            yield {**_renamed(row, "action_id"), "campaign_id": campaign["id"]}


def _segments(app: AppClient) -> Iterator[dict[str, Any]]:
    for row in app.segments():
        yield {**_renamed(row, "segment_id"), "member_count": app.customer_count(int(row["id"]))}


READERS: dict[str, Reader] = {
    "campaigns": _listed("/v1/campaigns", "campaigns", "campaign_id"),
    "campaign_actions": _actions,
    "broadcasts": _listed("/v1/broadcasts", "broadcasts", "broadcast_id"),
    "newsletters": _listed("/v1/newsletters", "newsletters", "newsletter_id", 100),
    "transactional": _listed("/v1/transactional", "messages", "transactional_message_id"),
    "segments": _segments,
    "subscription_topics": _listed("/v1/subscription_topics", "topics", "topic_id"),
}
