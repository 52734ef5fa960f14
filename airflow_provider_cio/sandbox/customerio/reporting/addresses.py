"""Addresses: who messages are from, and whom the e-mail provider no longer writes to."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio.answers import not_found, page_limits, whole
from airflow_provider_cio.sandbox.customerio.payload import decode
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

SENDERS = (("Shop", "hello@shop.example"), ("Support", "help@shop.example"))
CATEGORIES = {"bounces": ("bounces", "bounced"), "spam_reports": ("spam", "spammed")}
"""The path -> what the answer calls it, and the metric behind it."""


async def senders(_request: Request) -> Response:
    """One page."""
    found = [
        {
            "id": n,
            "deduplicate_id": f"{n}:1",
            "name": name,
            "email": email,
            "address": f"{name} <{email}>",
            "template_type": "email",
            "auto_generated": False,
        }
        for n, (name, email) in enumerate(SENDERS, 1)
    ]
    return JSONResponse({"sender_identities": found, "next": ""})


async def suppressions(request: Request) -> Response:
    """Addresses that bounced or complained, 100 at once and at most 1000, from `offset`."""
    workspace: Workspace = request.app.state.workspace
    category = CATEGORIES.get(request.path_params["suppression_type"])
    if category is None:
        return not_found()
    _, limit = page_limits(request, default=100, most=1000)
    rows = workspace.store.db.execute(
        "SELECT email, min(at), min(data) FROM metrics JOIN deliveries ON deliveries.id = delivery"
        " WHERE metric = ? AND channel = 'email' AND email IS NOT NULL AND at <= ?"
        " GROUP BY email ORDER BY min(at) DESC, email LIMIT ? OFFSET ?",
        (category[1], workspace.now(), limit, whole(request.query_params.get("offset"), 0)),
    )
    found = [
        {
            "created": at,
            "email": email,
            "reason": decode(data).get("failure_message", "complaint"),
            "status": "5.1.1" if category[1] == "bounced" else "",
        }
        for email, at, data in rows
    ]
    return JSONResponse({"category": category[0], "suppressions": found})


ROUTES = [
    Route("/v1/sender_identities", senders, methods=["GET"]),
    Route("/v1/esp/suppression/{suppression_type}", suppressions, methods=["GET"]),
]
