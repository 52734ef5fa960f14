"""Streams that the App API lists whole: campaigns and what belongs to them, who is where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.engine.reporting.flow import flow

Row = dict[str, Any]
Reader = Callable[[AppClient], Iterator[Row]]
_TIMES = {"created": "created_at", "updated": "updated_at"}
_SENDERS_PAGE, _SUPPRESSIONS_PAGE = 100, 1000


def _listed(path: str, key: str, identifier: str, limit: int | None = None) -> Reader:
    def read(app: AppClient) -> Iterator[Row]:
        for row in app.listing(path, key, limit):
            yield _renamed(row, identifier)

    return read


def _renamed(row: Row, identifier: str) -> Row:
    names = {"id": identifier, **_TIMES}
    return {names.get(name, name): value for name, value in row.items() if name != "deduplicate_id"}


def _actions(app: AppClient) -> Iterator[Row]:
    def of(parent: tuple[str, str, int, int | None]) -> Iterator[Row]:
        listed, key, number, limit = parent
        for row in app.listing(f"/v1/{listed}/{number}/actions", "actions", limit):
            yield {**_renamed(row, "action_id"), key: number}

    parents = [("campaigns", "campaign_id", int(row["id"]), 10) for row in app.campaigns()]
    broadcasts = app.listing("/v1/broadcasts", "broadcasts")
    yield from flow(
        of, [*parents, *(("broadcasts", "broadcast_id", int(row["id"]), None) for row in broadcasts)]
    )


def _segments(app: AppClient) -> Iterator[Row]:
    def of(row: Row) -> Iterable[Row]:
        return [{**_renamed(row, "segment_id"), "member_count": app.customer_count(int(row["id"]))}]

    yield from flow(of, app.segments())


def _membership(app: AppClient) -> Iterator[Row]:
    def of(row: Row) -> Iterator[Row]:
        for person in app.membership(int(row["id"])):
            yield {"segment_id": row["id"], "cio_id": person.get("cio_id"), "customer_id": person.get("id")}

    yield from flow(of, app.segments())


def _suppressions(app: AppClient) -> Iterator[Row]:
    for category in ("bounces", "spam_reports"):
        path, offset = f"/v1/esp/suppression/{category}", 0
        while rows := app.answer(path, {"limit": _SUPPRESSIONS_PAGE, "offset": offset}).get("suppressions"):
            for row in rows:
                yield {**_renamed(row, "id"), "category": category}
            if len(rows) < _SUPPRESSIONS_PAGE:
                break
            offset += len(rows)


READERS: dict[str, Reader] = {
    "campaigns": _listed("/v1/campaigns", "campaigns", "campaign_id"),
    "campaign_actions": _actions,
    "broadcasts": _listed("/v1/broadcasts", "broadcasts", "broadcast_id"),
    "newsletters": _listed("/v1/newsletters", "newsletters", "newsletter_id", 100),
    "transactional": _listed("/v1/transactional", "messages", "transactional_message_id"),
    "segments": _segments,
    "segment_membership": _membership,
    "subscription_topics": _listed("/v1/subscription_topics", "topics", "topic_id"),
    "sender_identities": _listed("/v1/sender_identities", "sender_identities", "sender_id", _SENDERS_PAGE),
    "esp_suppressions": _suppressions,
}
