"""Segments: made with the App API and filled with Track v1, or data-driven; read back by page."""

from __future__ import annotations

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio.answers import (
    not_found,
    page_limits,
    refused,
    refused_track,
    whole,
    with_next,
)
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, encode, read_item
from airflow_provider_cio.sandbox.customerio.people import cio_id, number
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

MOST_IDS = 1000
COLUMN_OF = {"id": "id", "email": "email_key", "cio_id": "cio"}
FIELDS = (
    "id, name, description, created_at, updated_at,"
    " EXISTS (SELECT 1 FROM data_driven WHERE data_driven.segment = segments.id)"
)


def as_json(row: tuple[Any, ...]) -> dict[str, Any]:
    segment, name, description, created_at, updated_at, data_driven = row
    return {
        "id": segment,
        "deduplicate_id": f"{segment}:{updated_at}",
        "name": name,
        "description": description,
        "state": "finished",
        "progress": None,
        "type": "dynamic" if data_driven else "manual",
        "tags": None,
        "created_at": created_at,
        "updated_at": updated_at,
    }


def find(db: sqlite3.Connection, text: str) -> tuple[Any, ...] | None:
    sql = f"SELECT {FIELDS} FROM segments WHERE id = ?"
    row: tuple[Any, ...] | None = db.execute(sql, (whole(text, 0),)).fetchone()
    return row


async def add(request: Request) -> Response:
    """Up to 1000 ids a call; those of nobody are ignored without a word."""
    return await _change(
        request,
        "INSERT OR IGNORE INTO members SELECT ?, cio FROM people"
        " WHERE {column} IN (SELECT value FROM json_each(?))",
    )


async def remove(request: Request) -> Response:
    return await _change(
        request,
        "DELETE FROM members WHERE segment = ? AND cio IN (SELECT cio FROM people"
        " WHERE {column} IN (SELECT value FROM json_each(?)))",
    )


async def _change(request: Request, sql: str) -> Response:
    workspace: Workspace = request.app.state.workspace
    kind = request.query_params.get("id_type", "id")
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return refused_track(str(error))
    ids = body.get("ids") if isinstance(body, dict) else None
    if kind not in COLUMN_OF:
        return refused_track(f"id_type must be one of {', '.join(COLUMN_OF)}")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_IDS or not all(isinstance(i, str) for i in ids):
        return refused_track(f"ids must hold 1 to {MOST_IDS} strings")
    segment = find(workspace.store.db, request.path_params["segment"])
    if segment is None:
        return JSONResponse("Segment not found", 404)
    if as_json(segment)["type"] != "manual":
        return refused_track("a data-driven segment cannot be changed")
    convert = {"email": str.lower, "cio_id": number}.get(kind, str)
    values = encode([convert(each) for each in ids])
    with workspace.session() as session:
        changed = session.db.execute(
            sql.format(column=COLUMN_OF[kind]), (int(request.path_params["segment"]), values)
        ).rowcount
        session.received += len(ids)
        session.accepted["segment_change"] += changed
        session.dropped["segment_no_change"] += len(ids) - changed
    return JSONResponse({})


async def create(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return refused(str(error))
    given = body.get("segment") if isinstance(body, dict) else None
    name = given.get("name") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(name, str) or not name:
        return refused("segment.name is required")
    with workspace.store.transaction() as db:
        made = db.execute(
            "INSERT INTO segments (name, description, created_at, updated_at) VALUES (?, ?, ?, ?)",
            (name, str(given.get("description") or ""), workspace.now(), workspace.now()),
        ).lastrowid
    rows = workspace.store.db.execute(f"SELECT {FIELDS} FROM segments WHERE id = ?", (made,))
    return JSONResponse({"segment": as_json(rows.fetchone())})


async def list_all(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute(f"SELECT {FIELDS} FROM segments ORDER BY id")
    return JSONResponse({"segments": [as_json(row) for row in rows]})


async def show(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    row = find(workspace.store.db, request.path_params["segment"])
    return not_found() if row is None else JSONResponse({"segment": as_json(row)})


async def delete(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    row = find(workspace.store.db, request.path_params["segment"])
    if row is None:
        return not_found()
    with workspace.store.transaction() as db:
        for table, column in (("members", "segment"), ("data_driven", "segment"), ("segments", "id")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", (row[0],))
    return Response(status_code=204)


async def used_by(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    row = find(workspace.store.db, request.path_params["segment"])
    if row is None:
        return not_found()
    users = workspace.store.db.execute(
        "SELECT id FROM campaigns WHERE json_extract(definition, '$.trigger.segment') = ? ORDER BY id",
        (row[0],),
    )
    uses = {"campaigns": [n for (n,) in users], "sent_newsletters": [], "draft_newsletters": []}
    return JSONResponse({"segment_id": row[0], "used_by": uses})


async def customer_count(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    row = find(workspace.store.db, request.path_params["segment"])
    if row is None:
        return not_found()
    workspace.let_time_pass()
    (count,) = workspace.store.db.execute(
        "SELECT count(*) FROM members WHERE segment = ?", (row[0],)
    ).fetchone()
    return JSONResponse({"segment_id": row[0], "count": count})


async def membership(request: Request) -> Response:
    """Pages of 1000, at most 30000, in the order of cio_id. ``ids`` holds "" for people without an id."""
    workspace: Workspace = request.app.state.workspace
    row = find(workspace.store.db, request.path_params["segment"])
    if row is None:
        return not_found()
    workspace.let_time_pass()
    start, limit = page_limits(request, default=1000, most=30_000)
    members = workspace.store.db.execute(
        "SELECT cio, id, email FROM members JOIN people USING (cio)"
        " WHERE segment = ? AND cio > ? ORDER BY cio LIMIT ?",
        (row[0], start, limit + 1),
    ).fetchall()
    members, following = with_next(members, limit)
    return JSONResponse(
        {
            "segment_id": row[0],
            "ids": [identifier or "" for _, identifier, _ in members],
            "identifiers": [
                {"id": identifier, "email": email, "cio_id": cio_id(cio)}
                for cio, identifier, email in members
            ],
            "next": following,
        }
    )


TRACK = "/api/v1/segments/{segment:quoted}"
APP = "/v1/segments/{segment:quoted}"
ROUTES = [
    Route(f"{TRACK}/add_customers", add, methods=["POST"]),
    Route(f"{TRACK}/remove_customers", remove, methods=["POST"]),
    Route("/v1/segments", create, methods=["POST"]),
    Route("/v1/segments", list_all, methods=["GET"]),
    Route(APP, show, methods=["GET"]),
    Route(APP, delete, methods=["DELETE"]),
    Route(f"{APP}/used_by", used_by, methods=["GET"]),
    Route(f"{APP}/customer_count", customer_count, methods=["GET"]),
    Route(f"{APP}/membership", membership, methods=["GET"]),
]
