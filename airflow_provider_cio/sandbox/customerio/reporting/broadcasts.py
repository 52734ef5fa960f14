"""API-triggered broadcasts: listed, triggered, and the triggers that there were."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import filters, lookup
from airflow_provider_cio.sandbox.customerio.answers import not_found, whole
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, encode, read_item
from airflow_provider_cio.sandbox.customerio.reporting.engine import broadcast_action
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

MOST_IDS = 10_000


async def listed(request: Request) -> Response:
    """All of them; no paging."""
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute(
        "SELECT broadcasts.id, name, created_at, min(at) FROM broadcasts"
        " LEFT JOIN triggers ON broadcast = broadcasts.id GROUP BY broadcasts.id ORDER BY broadcasts.id"
    )
    found = [
        {
            "id": number,
            "deduplicate_id": f"{number}:{created_at}",
            "name": name,
            "type": "triggered_broadcast",
            "state": "running",
            "active": True,
            "created": created_at,
            "updated": created_at,
            "first_started": first or 0,
            "actions": [{"id": broadcast_action(number), "type": "email"}],
            "tags": [],
        }
        for number, name, created_at, first in rows
    ]
    return JSONResponse({"broadcasts": found})


async def actions(request: Request) -> Response:
    """One e-mail each; no paging."""
    workspace: Workspace = request.app.state.workspace
    row = _find(workspace, request)
    if row is None:
        return not_found()
    number, name, created_at = row
    action = {
        "id": broadcast_action(number),
        "broadcast_id": number,
        "deduplicate_id": f"{broadcast_action(number)}:{created_at}",
        "name": name,
        "type": "email",
        "created": created_at,
        "updated": created_at,
    }
    return JSONResponse({"actions": [action]})


async def trigger(request: Request) -> Response:
    """To ``ids``, ``emails`` or a filter in ``recipients``; who is unknown is left out."""
    workspace: Workspace = request.app.state.workspace
    row = _find(workspace, request)
    if row is None:
        return not_found()
    try:
        people = _recipients(workspace, read_item(await request.body()).value)
    except (MalformedError, ValueError) as error:
        pointer = {"detail": str(error), "status": "422", "source": {"pointer": "/recipients"}}
        return JSONResponse({"errors": [pointer]}, 422)
    with workspace.store.transaction() as db:
        number = db.execute(
            "INSERT INTO triggers (broadcast, people, at) VALUES (?, ?, ?)",
            (row[0], encode(people), workspace.now()),
        ).lastrowid
    return JSONResponse({"id": number})


async def triggers(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    row = _find(workspace, request)
    if row is None:
        return not_found()
    rows = workspace.store.db.execute("SELECT id, at FROM triggers WHERE broadcast = ? ORDER BY id", row[:1])
    found = [{"id": n, "broadcast_id": row[0], "created_at": at, "processed_at": at} for n, at in rows]
    return JSONResponse({"triggers": found})


def _recipients(workspace: Workspace, body: Any) -> list[int]:
    body = body if isinstance(body, dict) else {}
    for kind, name in (("id", "ids"), ("email", "emails")):
        listed = body.get(name)
        if listed is not None:
            if not isinstance(listed, list) or not 0 < len(listed) <= MOST_IDS:
                raise ValueError(f"{name} holds 1 to {MOST_IDS} texts")
            return [who.cio for each in listed for who in lookup.by_kind(workspace.store, kind, str(each))]
    if not body.get("recipients"):
        raise ValueError("empty recipients filter is not valid")
    sql, values = filters.condition(body["recipients"])
    return [cio for (cio,) in workspace.store.db.execute(f"SELECT cio FROM people WHERE {sql}", values)]


def _find(workspace: Workspace, request: Request) -> Any:
    number = whole(request.path_params["broadcast_id"], 0)
    return workspace.store.db.execute(
        "SELECT id, name, created_at FROM broadcasts WHERE id = ?", (number,)
    ).fetchone()


ROUTES = [
    Route("/v1/broadcasts", listed, methods=["GET"]),
    Route("/v1/broadcasts/{broadcast_id}/actions", actions, methods=["GET"]),
    Route("/v1/broadcasts/{broadcast_id}/triggers", triggers, methods=["GET"]),
    Route("/v1/campaigns/{broadcast_id}/triggers", trigger, methods=["POST"]),
]
