"""The control API under ``/_sandbox/``: what a test asks, sets and breaks. No key needed."""

from __future__ import annotations

from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import lookup
from airflow_provider_cio.sandbox.customerio.answers import whole
from airflow_provider_cio.sandbox.customerio.faults import read_faults
from airflow_provider_cio.sandbox.customerio.gate import Gate
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, read_item
from airflow_provider_cio.sandbox.customerio.store import Store
from airflow_provider_cio.sandbox.customerio.weather import Weather
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

T = TypeVar("T")
TABLES = {"people": "people", "devices": "devices", "segments": "segments", "suppressed": "suppressed"}


def summary(store: Store) -> dict[str, Any]:
    """Totals: what is stored now, and everything that was received since the last reset."""
    stored = {
        name: store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for name, table in TABLES.items()
    }
    events = store.counters("event")
    requests: dict[str, dict[str, int]] = {}
    for name, n in store.counters("request").items():
        route, status = name.rsplit(" ", 1)
        requests.setdefault(route, {})[status] = n
    totals = dict.fromkeys(("received", "accepted", "refused", "dropped"), 0) | store.counters("items")
    items = {
        **totals,
        "accepted_by_action": store.counters("action"),
        "dropped_by_reason": store.counters("dropped"),
    }
    return {
        **stored,
        "events": sum(events.values()),
        "events_by_name": events,
        "requests": requests,
        "items": items,
        "bytes": store.counters("bytes").get("received", 0),
    }


async def stats(request: Request) -> Response:
    return JSONResponse(summary(_workspace(request).store))


async def reset(request: Request) -> Response:
    """Empty the workspace: people, events, segments, counters, settings, faults."""
    _workspace(request).reset()
    _gate(request).reset()
    return Response(status_code=204)


async def people(request: Request) -> Response:
    """A page of everybody, by cio_id: ``start``, ``limit`` (1000)."""
    limit = whole(request.query_params.get("limit"), 1000)
    found = lookup.page_of_people(_workspace(request).store, request.query_params.get("start", ""), limit)
    return JSONResponse(
        {
            "people": [{**each.identifiers(), "attributes": each.attributes} for each in found],
            "next": found[-1].cio_id if len(found) == limit else "",
        }
    )


async def person(request: Request) -> Response:
    """One profile by id, email or cio_id, with its devices and segments; attributes keep their types."""
    store = _workspace(request).store
    who = lookup.find(store, request.path_params["identifier"])
    if who is None:
        return JSONResponse({"error": "nobody has this identifier"}, 404)
    return JSONResponse(
        {
            **who.identifiers(),
            "phone": who.phone,
            "attributes": who.attributes,
            "created_at": who.created_at,
            "changed_at": who.changed_at,
            "devices": lookup.devices(store, who.cio),
            "segments": lookup.segments(store, who.cio),
            "relationships": lookup.relationships(store, who.cio),
        }
    )


async def events(request: Request) -> Response:
    """Events in the order of receipt; parameters: identifier, anonymous_id, name, start, limit (1000)."""
    store, asked = _workspace(request).store, request.query_params
    limit = whole(asked.get("limit"), 1000)
    cio: int | None = None
    if "identifier" in asked:
        who = lookup.find(store, asked["identifier"])
        if who is None:
            return JSONResponse({"error": "nobody has this identifier"}, 404)
        cio = who.cio
    found = lookup.events(
        store, cio, asked.get("anonymous_id"), asked.get("name"), whole(asked.get("start"), 0), limit
    )
    return JSONResponse({"events": found, "next": str(found[-1]["seq"]) if len(found) == limit else ""})


async def objects(request: Request) -> Response:
    """All objects, with their attributes and whom they are related to."""
    return JSONResponse({"objects": lookup.objects(_workspace(request).store)})


async def requests(request: Request) -> Response:
    """The last requests, newest first: method, route, status, bytes, milliseconds."""
    return JSONResponse({"requests": [vars(each) for each in reversed(_gate(request).recent)]})


async def faults(request: Request) -> Response:
    """GET: those that wait. POST: add a list. DELETE: forget all."""
    waiting = _gate(request).faults
    if request.method == "DELETE":
        waiting.clear()
    elif request.method == "POST":
        try:
            waiting.add(read_faults(_read(await request.body(), list)))
        except (ValueError, MalformedError) as error:
            return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(waiting.as_list())


async def weather(request: Request) -> Response:
    """GET: what strikes at random. PUT: a seed and faults with their shares. DELETE: fair weather."""
    gate = _gate(request)
    if request.method == "DELETE":
        gate.weather.clear()
    elif request.method == "PUT":
        try:
            gate.weather = Weather.read(_read(await request.body(), dict))
        except (ValueError, MalformedError) as error:
            return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(gate.weather.as_dict())


async def settings(request: Request) -> Response:
    """GET: all settings. PUT: change some; they survive a restart."""
    workspace = _workspace(request)
    if request.method == "PUT":
        try:
            workspace.change(_read(await request.body(), dict))
        except (ValueError, MalformedError) as error:
            return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(workspace.settings.as_dict())


def _read(body: bytes, kind: type[T]) -> T:
    value = read_item(body).value
    if isinstance(value, kind):
        return value
    raise MalformedError(f"the body must be a JSON {'array' if kind is list else 'object'}")


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


ROUTES = [
    Route("/_sandbox/stats", stats),
    Route("/_sandbox/reset", reset, methods=["POST"]),
    Route("/_sandbox/people", people),
    Route("/_sandbox/people/{identifier:quoted}", person),
    Route("/_sandbox/events", events),
    Route("/_sandbox/objects", objects),
    Route("/_sandbox/requests", requests),
    Route("/_sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
    Route("/_sandbox/weather", weather, methods=["GET", "PUT", "DELETE"]),
    Route("/_sandbox/settings", settings, methods=["GET", "PUT"]),
]
