"""The activity log, newest first, back to where the last reading began."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_cio.clients.app import AppClient

PAGE = 100
_PLAIN = {"id": "activity_id", "timestamp": "occurred_at"}


def read(app: AppClient, since: int) -> Iterator[dict[str, Any]]:
    """Activities since a unix second.

    Events may say that they occurred long before they were logged: only a whole page of older ones ends the reading.
    """
    cursor = ""
    while True:
        page, cursor = app.page("/v1/activities", "activities", PAGE, cursor)
        for activity in page:
            yield _row(activity)
        if not page or not cursor or all(int(each.get("timestamp") or 0) < since for each in page):
            return


def _row(activity: dict[str, Any]) -> dict[str, Any]:
    people = activity.get("customer_identifiers") or {}
    kept = {
        _PLAIN.get(name, name): value for name, value in activity.items() if name != "customer_identifiers"
    }
    data = activity.get("data")
    return {**kept, "cio_id": people.get("cio_id"), "data": None if data is None else json.dumps(data)}
