"""Asynchronous exports of deliveries: asked for, pending for a while, then a link that lives 15 minutes.

The columns of Customer.io's own file are not documented; these are the App API's names.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio.answers import not_found, refused, whole
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, decode, encode, read_item
from airflow_provider_cio.sandbox.customerio.reporting import app_api
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

PARENTS = {
    "newsletter_id": "newsletter",
    "campaign_id": "campaign",
    "transactional_message_id": "transactional",
    "action_id": "action",
}
LINK_SECONDS = 15 * 60
RANGE = re.compile(r"bytes=(\d{1,15})-")
METRICS = (
    "sent", "delivered", "opened", "clicked", "converted", "bounced", "unsubscribed", "spammed", "deferred",
    "dropped", "failed",
)  # fmt: skip
PLAIN = (
    "id", "customer_id", "type", "subject", "campaign_id", "action_id", "newsletter_id", "content_id",
    "broadcast_id", "transactional_message_id", "trigger_event_id", "created",
)  # fmt: skip


async def ask(request: Request) -> Response:
    """Exactly one parent; ``start`` and ``end`` in unix seconds, six months by default."""
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return refused(str(error))
    if not isinstance(body, dict) or len(PARENTS.keys() & body.keys()) != 1:
        return refused(f"give exactly one of {', '.join(PARENTS)}")
    with workspace.store.transaction() as db:
        number = db.execute(
            "INSERT INTO exports (asked, polls, created_at) VALUES (?, 0, ?)", (encode(body), workspace.now())
        ).lastrowid
    return JSONResponse({"export": _export(workspace, (number, 0, workspace.now()))})


async def show(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    with workspace.store.transaction() as db:
        number = whole(request.path_params["export"], 0)
        db.execute("UPDATE exports SET polls = polls + 1 WHERE id = ?", (number,))
        row = db.execute("SELECT id, polls, created_at FROM exports WHERE id = ?", (number,)).fetchone()
    return not_found() if row is None else JSONResponse({"export": _export(workspace, row)})


async def link(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    number = whole(request.path_params["export"], 0)
    row = workspace.store.db.execute("SELECT polls FROM exports WHERE id = ?", (number,)).fetchone()
    if row is None or row[0] <= workspace.settings.export_polls or workspace.settings.export_fails:
        return not_found()
    expires = workspace.now() + LINK_SECONDS
    query = f"expires={expires}&signature={_signature(number, expires)}"
    return JSONResponse({"url": f"{request.base_url}_sandbox/exports/{number}.csv?{query}"})


async def download(request: Request) -> Response:
    """No key: the link is the permission. 403 when it is too old. Takes a range, as S3 does."""
    workspace: Workspace = request.app.state.workspace
    number = whole(request.path_params["export"], 0)
    expires = whole(request.query_params.get("expires"), 0)
    good = request.query_params.get("signature") == _signature(number, expires)
    if not good or expires < workspace.now():
        return Response("<Error><Code>ExpiredToken</Code></Error>", 403)
    row = workspace.store.db.execute("SELECT asked FROM exports WHERE id = ?", (number,)).fetchone()
    content = _content(workspace, decode(row[0])).encode()
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"'}
    found = RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None or request.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
        return Response(content, media_type="text/csv", headers=headers)
    start = int(found[1])
    headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return Response(content[start:], 206, media_type="text/csv", headers=headers)


def _export(workspace: Workspace, row: tuple[Any, ...]) -> dict[str, Any]:
    number, polls, created_at = row
    ended, failed = polls > workspace.settings.export_polls, workspace.settings.export_fails
    return {
        "id": number,
        "type": "deliveries",
        "status": ("failed" if failed else "done") if ended else "pending",
        "failed": ended and failed,
        "total": 1 if ended and not failed else 0,
        "created_at": created_at,
        "updated_at": workspace.now(),
    }


def _content(workspace: Workspace, asked: dict[str, Any]) -> str:
    [parent] = PARENTS.keys() & asked.keys()
    now = workspace.now()
    end = int(asked.get("end", now))
    rows = workspace.store.db.execute(
        f"SELECT {app_api.MESSAGE} FROM deliveries WHERE {PARENTS[parent]} = ? AND created_at BETWEEN ? AND ?"
        " ORDER BY seq",
        (asked[parent], int(asked.get("start", end - app_api.WINDOW)), min(end, now)),
    ).fetchall()
    metrics = app_api.latest_metrics(workspace, [row[1] for row in rows])
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow([*PLAIN, "cio_id", *METRICS])
    for row in rows:
        shown = app_api.message(row, metrics.get(row[1], {}))
        plain = [shown[name] for name in PLAIN]
        cio = shown["customer_identifiers"]["cio_id"]
        writer.writerow([*plain, cio, *(shown["metrics"].get(name) for name in METRICS)])
    return sink.getvalue()


def _signature(number: int, expires: int) -> str:
    return hashlib.sha256(f"{number}:{expires}".encode()).hexdigest()[:20]


ROUTES = [
    Route("/v1/exports/deliveries", ask, methods=["POST"]),
    Route("/v1/exports/{export}", show, methods=["GET"]),
    Route("/v1/exports/{export}/download", link, methods=["GET"]),
    Route("/_sandbox/exports/{export}.csv", download, methods=["GET"]),
]
