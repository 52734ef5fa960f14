"""Campaigns and data-driven segments, as the UI would make them; journeys, as a test looks at them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import data_driven, filters, lookup
from airflow_provider_cio.sandbox.customerio.answers import whole
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, decode, encode, read_item
from airflow_provider_cio.sandbox.customerio.people import cio_id
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

STATES = ("running", "stopped")


async def create(request: Request) -> Response:
    """``{"name", "trigger": {"event": NAME} | {"segment": ID}, "filter": <filter>, "reads": [attribute]}``.

    People who are in the segment already start no journey; ``filter`` must hold at the start of one, and
    the attributes of ``reads`` are noted as they are at that moment.
    """
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
        name, definition = _read(body, workspace)
    except (ValueError, MalformedError) as error:
        return JSONResponse({"error": str(error)}, 400)
    with workspace.store.transaction() as db:
        number = db.execute(
            "INSERT INTO campaigns (name, definition, state, created_at) VALUES (?, ?, 'running', ?)",
            (name, encode(definition), workspace.now()),
        ).lastrowid
    return JSONResponse({"id": number, "name": name, "state": "running", **definition})


def _read(body: Any, workspace: Workspace) -> tuple[str, dict[str, Any]]:
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
        raise ValueError("a campaign needs a name")
    definition = {
        "trigger": body.get("trigger"),
        "filter": body.get("filter"),
        "reads": body.get("reads", []),
    }
    match definition["trigger"]:
        case {"event": str(), **others} if not others:
            pass
        case {"segment": int(segment), **others} if not others:
            if not workspace.store.db.execute("SELECT 1 FROM segments WHERE id = ?", (segment,)).fetchone():
                raise ValueError(f"there is no segment {segment}")
        case _:
            raise ValueError('trigger is {"event": NAME} or {"segment": ID}')
    if definition["filter"] is not None:
        filters.condition(definition["filter"], now=workspace.now())
    if not isinstance(definition["reads"], list) or not all(isinstance(n, str) for n in definition["reads"]):
        raise ValueError("reads is a list of attributes")
    return body["name"], definition


async def list_all(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute("SELECT id, name, state, definition FROM campaigns ORDER BY id")
    return JSONResponse(
        {"campaigns": [{"id": n, "name": name, "state": s, **decode(d)} for n, name, s, d in rows]}
    )


async def set_state(request: Request) -> Response:
    """``{"state": "running" | "stopped"}``: what would start a journey meanwhile is lost."""
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return JSONResponse({"error": str(error)}, 400)
    state = body.get("state") if isinstance(body, dict) else None
    if state not in STATES:
        return JSONResponse({"error": f"state is one of {', '.join(STATES)}"}, 400)
    with workspace.store.transaction() as db:
        campaign = whole(request.path_params["campaign"], 0)
        changed = db.execute("UPDATE campaigns SET state = ? WHERE id = ?", (state, campaign)).rowcount
    if not changed:
        return JSONResponse({"error": "there is no such campaign"}, 404)
    return JSONResponse({"id": campaign, "state": state})


async def journeys(request: Request) -> Response:
    """Journeys in the order they started; parameters: campaign, identifier."""
    workspace: Workspace = request.app.state.workspace
    workspace.let_time_pass()
    conditions, values = ["1"], list[Any]()
    if "campaign" in request.query_params:
        conditions.append("campaign = ?")
        values.append(whole(request.query_params["campaign"], 0))
    if "identifier" in request.query_params:
        who = lookup.find(workspace.store, request.query_params["identifier"])
        conditions.append("journeys.cio = ?")
        values.append(who.cio if who is not None else 0)
    rows = workspace.store.db.execute(
        "SELECT journeys.id, campaign, journeys.cio, people.id, people.email, started_at, ulid, read FROM journeys"
        " LEFT JOIN people ON people.cio = journeys.cio LEFT JOIN activities ON activities.seq = event"
        f" WHERE {' AND '.join(conditions)} ORDER BY journeys.id",
        values,
    )
    found = [
        {
            "id": number,
            "campaign_id": campaign,
            "identifiers": {"id": identifier, "email": email, "cio_id": cio_id(cio)},
            "started_at": started_at,
            "event_id": ulid,
            "read": decode(read),
        }
        for number, campaign, cio, identifier, email, started_at, ulid, read in rows
    ]
    return JSONResponse({"journeys": found})


async def create_segment(request: Request) -> Response:
    """``{"name": ..., "conditions": <filter>}``; the UI makes these, no public API does."""
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
        name, conditions = _segment(body)
        filters.condition(conditions, now=workspace.now())
    except (ValueError, MalformedError) as error:
        return JSONResponse({"error": str(error)}, 400)
    with workspace.store.transaction() as db:
        segment = db.execute(
            "INSERT INTO segments (name, description, created_at, updated_at) VALUES (?, '', ?, ?)",
            (name, workspace.now(), workspace.now()),
        ).lastrowid
        db.execute("INSERT INTO data_driven VALUES (?, ?)", (segment, encode(conditions)))
        data_driven.update(db, workspace.now())
    return JSONResponse({"segment": {"id": segment, "name": name}})


def _segment(body: Any) -> tuple[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
        raise ValueError("a segment needs a name")
    return body["name"], body.get("conditions")


ROUTES = [
    Route("/_sandbox/segments", create_segment, methods=["POST"]),
    Route("/_sandbox/campaigns", create, methods=["POST"]),
    Route("/_sandbox/campaigns", list_all, methods=["GET"]),
    Route("/_sandbox/campaigns/{campaign}", set_state, methods=["PUT"]),
    Route("/_sandbox/journeys", journeys, methods=["GET"]),
]
