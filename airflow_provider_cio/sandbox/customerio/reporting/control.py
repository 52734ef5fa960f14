"""What a test does to the delivery engine, and its books: ``/_sandbox/deliveries``, ``/_sandbox/newsletters`` ..."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio.payload import MalformedError, read_item
from airflow_provider_cio.sandbox.customerio.reporting import data_out, engine, webhooks
from airflow_provider_cio.sandbox.customerio.workspace import Workspace


async def run(request: Request) -> Response:
    """POST: make every delivery that is due by the sandbox's clock. GET: how many there are, and held out."""
    workspace: Workspace = request.app.state.workspace
    if request.method == "POST":
        workspace.let_time_pass()
        with workspace.store.transaction() as db:
            engine.run(db, workspace.now())
    db = workspace.store.db
    found = {
        "deliveries": db.execute("SELECT count(*) FROM deliveries").fetchone()[0],
        "held_out": db.execute("SELECT count(*) FROM held_out").fetchone()[0],
    }
    return JSONResponse(found)


async def books(request: Request) -> Response:
    """The engine's own account: deliveries by parent, metric and UTC day of the metric's last occurrence."""
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute(
        "SELECT parent, metric, date(last, 'unixepoch'), count(*) FROM (SELECT delivery, metric, max(at) AS last,"
        " CASE WHEN campaign IS NOT NULL THEN 'campaign:' || campaign"
        " WHEN newsletter IS NOT NULL THEN 'newsletter:' || newsletter"
        " WHEN broadcast IS NOT NULL THEN 'broadcast:' || broadcast"
        " ELSE 'transactional:' || transactional END AS parent"
        " FROM metrics JOIN deliveries ON deliveries.id = delivery WHERE at <= ? GROUP BY delivery, metric)"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (workspace.now(),),
    )
    return JSONResponse({"books": [list(row) for row in rows]})


async def newsletter(request: Request) -> Response:
    """``{"name": ..., "topic": ID | null}``: goes to everybody who takes it, at the next run."""
    return await _insert(
        request,
        "INSERT INTO newsletters (name, topic, sent_at) VALUES (?, ?, ?)",
        lambda body, now: (str(body["name"]), body.get("topic"), now),
    )


async def broadcast(request: Request) -> Response:
    """``{"name": ...}``: an API-triggered broadcast, sent by ``POST /v1/campaigns/{id}/triggers``."""
    return await _insert(
        request,
        "INSERT INTO broadcasts (name, created_at) VALUES (?, ?)",
        lambda body, now: (str(body["name"]), now),
    )


async def topic(request: Request) -> Response:
    """``{"name": ...}``: a subscription topic."""
    return await _insert(
        request, "INSERT INTO topics (name) VALUES (?)", lambda body, _now: (str(body["name"]),)
    )


async def transactional(request: Request) -> Response:
    """``{"name": ...}``: a transactional message, sent by ``POST /v1/send/email``."""
    return await _insert(
        request, "INSERT INTO transactional (name) VALUES (?)", lambda body, _now: (str(body["name"]),)
    )


async def export_parquet(request: Request) -> Response:
    """``{"endpoint_url", "bucket", "prefix", "versions": [4]}``: what changed since the last time, as Parquet."""
    workspace: Workspace = request.app.state.workspace
    body = read_item(await request.body()).value
    return JSONResponse({"files": data_out.write(workspace, body)})


async def tell(request: Request) -> Response:
    """``{"endpoint", "signing_key"}``: send the webhooks that are due; stops at one that is refused."""
    workspace: Workspace = request.app.state.workspace
    body = read_item(await request.body()).value
    return JSONResponse(await webhooks.tell(workspace, body["endpoint"], body["signing_key"].encode()))


async def _insert(request: Request, sql: str, values: Any) -> Response:
    workspace: Workspace = request.app.state.workspace
    try:
        row = values(read_item(await request.body()).value, workspace.now())
    except (MalformedError, KeyError, TypeError, AttributeError):
        return JSONResponse({"error": "the body needs a name"}, 400)
    with workspace.store.transaction() as db:
        return JSONResponse({"id": db.execute(sql, row).lastrowid})


ROUTES = [
    Route("/_sandbox/deliveries", run, methods=["GET", "POST"]),
    Route("/_sandbox/books", books, methods=["GET"]),
    Route("/_sandbox/newsletters", newsletter, methods=["POST"]),
    Route("/_sandbox/broadcasts", broadcast, methods=["POST"]),
    Route("/_sandbox/topics", topic, methods=["POST"]),
    Route("/_sandbox/transactional", transactional, methods=["POST"]),
    Route("/_sandbox/data_out", export_parquet, methods=["POST"]),
    Route("/_sandbox/webhooks", tell, methods=["POST"]),
]
