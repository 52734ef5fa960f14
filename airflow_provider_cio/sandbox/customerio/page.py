"""The page at ``/``: totals and recent requests, or one person with everything about them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import lookup
from airflow_provider_cio.sandbox.customerio.control import summary
from airflow_provider_cio.sandbox.customerio.payload import as_text
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

SHOWN = 25
NEWEST = 10


def _moment(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def _environment() -> Environment:
    environment = Environment(autoescape=True)
    environment.filters["moment"] = _moment
    environment.filters["text"] = as_text
    return environment


TEMPLATE = _environment().from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))


async def page(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    asked = request.query_params.get("person", "").strip()
    values: dict[str, Any] = {
        "title": "Customer.io sandbox",
        "workspace_id": workspace.settings.environment_id,
        "region": workspace.settings.region,
        "asked": asked,
    }
    values |= _person(workspace, asked) if asked else _totals(workspace, request.app.state.gate.recent)
    return HTMLResponse(TEMPLATE.render(values), 404 if asked and values["person"] is None else 200)


def _person(workspace: Workspace, asked: str) -> dict[str, Any]:
    store = workspace.store
    who = lookup.find(store, asked)
    if who is None:
        return {"person": None}
    return {
        "person": who,
        "segments": lookup.segments(store, who.cio),
        "devices": lookup.devices(store, who.cio),
        "events": lookup.latest(store, who.cio, SHOWN, events=True),
        "activities": lookup.latest(store, who.cio, SHOWN, events=False),
    }


def _totals(workspace: Workspace, recent: Any) -> dict[str, Any]:
    stats = summary(workspace.store)
    tiles = [(name, stats[name]) for name in ("people", "events", "segments")]
    tiles.append(("suppressed identifiers", stats["suppressed"]))
    tiles += [(f"operations {name}", stats["items"][name]) for name in ("received", "refused", "dropped")]
    return {
        "person": None,
        "stats": stats,
        "tiles": tiles,
        "newest": lookup.newest(workspace.store, NEWEST),
        "recent": list(islice(reversed(recent), SHOWN)),
    }


ROUTES = [Route("/", page)]
