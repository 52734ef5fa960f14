"""The App API: read back people, attributes, activities. Everything that is an attribute is a string."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import filters, lookup
from airflow_provider_cio.sandbox.customerio.answers import not_found, page_limits, refused, with_next
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, as_text, decode, read_item
from airflow_provider_cio.sandbox.customerio.people import Person, cio_id
from airflow_provider_cio.sandbox.customerio.store import Store
from airflow_provider_cio.sandbox.customerio.workspace import WORKSPACE_NAME, Workspace

MOST_IDS = 100
ID_TYPES = ("id", "email", "cio_id")
OBJECT_ID_TYPES = ("object_id", "cio_object_id")


def as_customer(store: Store, who: Person) -> dict[str, Any]:
    """A profile as the App API shows it."""
    attributes: dict[str, str | None] = {name: as_text(value) for name, value in who.attributes.items()}
    attributes |= {**who.identifiers(), "_created_in_customerio_at": str(who.created_at)}
    return {
        "id": who.id or "",
        "identifiers": who.identifiers(),
        "attributes": attributes,
        "timestamps": {"cio_id": who.created_at, **who.changed},
        "unsubscribed": is_unsubscribed(who),
        "devices": lookup.devices(store, who.cio),
    }


def is_unsubscribed(who: Person) -> bool:
    """True in any case, 1 and "1" unsubscribe; everything else is subscribed."""
    return as_text(who.attributes.get("unsubscribed", False)).lower() in {"true", "1"}


async def by_email(request: Request) -> Response:
    """All people with this address: one, or several in an id-only workspace."""
    email = request.query_params.get("email")
    if not email:
        return refused("email is required")
    found = lookup.by_kind(_store(request), "email", email)
    return JSONResponse({"results": [who.identifiers() for who in found]})


async def search(request: Request) -> Response:
    """People whom a filter matches, 50 a page and at most 1000; ``ids`` holds "" for those without an id."""
    try:
        body = read_item(await request.body()).value
        sql, values = filters.condition(body.get("filter") if isinstance(body, dict) else None)
    except (ValueError, MalformedError) as error:
        return refused(str(error))
    start, limit = page_limits(request, default=50, most=1000)
    rows = _store(request).db.execute(
        f"SELECT cio, id, email FROM people WHERE cio > ? AND ({sql}) ORDER BY cio LIMIT ?",
        (start, *values, limit + 1),
    )
    people, following = with_next(rows.fetchall(), limit)
    identifiers = [
        {"id": identifier, "email": email, "cio_id": cio_id(cio)} for cio, identifier, email in people
    ]
    ids = [identifier or "" for _, identifier, _ in people]
    return JSONResponse({"identifiers": identifiers, "ids": ids, "next": following})


async def many_attributes(request: Request) -> Response:
    """Up to 100 people by id; those who are unknown are left out."""
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return refused(str(error))
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST_IDS or not all(isinstance(i, str) for i in ids):
        return refused(f"ids must hold 1 to {MOST_IDS} strings")
    store = _store(request)
    found = [who for identifier in ids for who in lookup.by_kind(store, "id", identifier)]
    return JSONResponse({"customers": [{"customer": as_customer(store, who)} for who in found]})


async def attributes(request: Request) -> Response:
    who = _who(request)
    return not_found() if who is None else JSONResponse({"customer": as_customer(_store(request), who)})


async def segments(request: Request) -> Response:
    request.app.state.workspace.let_time_pass()
    who = _who(request)
    return (
        not_found() if who is None else JSONResponse({"segments": lookup.segments(_store(request), who.cio)})
    )


async def relationships(request: Request) -> Response:
    who = _who(request)
    if who is None:
        return not_found()
    found = [
        {
            "object_type_id": int(each["object_type_id"]),
            "identifiers": each["identifiers"],
            "attributes": each["relationship_attributes"],
            "timestamps": each["timestamps"],
        }
        for each in lookup.relationships(_store(request), who.cio)
    ]
    return JSONResponse({"cio_relationships": found, "next": ""})


async def object_attributes(request: Request) -> Response:
    """An object by its object_id, or with ``id_type`` by its cio_object_id."""
    kind = request.query_params.get("id_type", "object_id")
    if kind not in OBJECT_ID_TYPES:
        return refused(f"id_type must be one of {', '.join(OBJECT_ID_TYPES)}")
    path = request.path_params
    for each in lookup.objects(_store(request)):
        identifiers = each["identifiers"]
        if identifiers[kind] == path["object_id"] and str(each["object_type_id"]) == path["object_type_id"]:
            attributes = {name: as_text(value) for name, value in each["attributes"].items()}
            found = {key: each[key] for key in ("object_type_id", "identifiers", "timestamps")}
            return JSONResponse({"object": {**found, "attributes": attributes}})
    return not_found()


async def preferences(request: Request) -> Response:
    """The topics that the person's own preferences mention."""
    who = _who(request)
    if who is None:
        return not_found()
    stored = who.attributes.get("cio_subscription_preferences")
    topics = stored.get("topics") if isinstance(stored, dict) else None
    listed = [
        {"id": name.removeprefix("topic_"), "subscribed": value is not False, "name": name}
        for name, value in (topics or {}).items()
    ]
    customer = {"id": who.id, "identifiers": who.identifiers(), "topics": listed}
    return JSONResponse({"customer": {**customer, "unsubscribed": is_unsubscribed(who)}})


async def activities(request: Request) -> Response:
    """The log, newest first, 10 a page and at most 100: ``type``, ``name``, ``deleted``, ``customer_id``."""
    cio: int | None = None
    if "customer_id" in request.path_params or "customer_id" in request.query_params:
        who = _who(request)
        if who is None:
            return not_found()
        cio = who.cio
    start, limit = page_limits(request, default=10, most=100)
    asked = request.query_params
    conditions, values = ["1"], []
    for column, value in (
        ("cio", cio),
        ("activities.type", asked.get("type")),
        ("activities.name", asked.get("name")),
    ):
        if value is not None:
            conditions.append(f"{column} = ?")
            values.append(value)
    if start:
        conditions.append("seq < ?")
        values.append(start)
    if asked.get("deleted", "false").lower() == "true":
        conditions.append("cio IN (SELECT cio FROM departed)")
    elif cio is None:
        conditions.append("(cio IS NULL OR cio NOT IN (SELECT cio FROM departed))")
    rows = _store(request).db.execute(
        "SELECT seq, cio, type, name, timestamp, data, coalesce(people.id, departed.id),"
        " coalesce(people.email, departed.email) FROM activities LEFT JOIN people USING (cio)"
        f" LEFT JOIN departed USING (cio) WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT ?",
        (*values, limit + 1),
    )
    found, following = with_next(rows.fetchall(), limit)
    return JSONResponse({"activities": [_activity(row) for row in found], "next": following})


def _activity(row: tuple[Any, ...]) -> dict[str, Any]:
    seq, cio, kind, name, timestamp, data, identifier, email = row
    activity = {
        "id": f"{seq:026d}",
        "customer_id": identifier,
        "customer_identifiers": {"id": identifier, "email": email, "cio_id": cio_id(cio) if cio else ""},
        "type": kind,
        "timestamp": timestamp,
        "data": decode(data),
    }
    return {**activity, "name": name} if name is not None else activity


async def workspaces(request: Request) -> Response:
    store = _store(request)
    people, objects, kinds = (
        store.db.execute(sql).fetchone()[0]
        for sql in (
            "SELECT count(*) FROM people",
            "SELECT count(*) FROM objects",
            "SELECT count(DISTINCT type) FROM objects",
        )
    )
    counts = {
        "messages_sent": 0,
        "billable_messages_sent": 0,
        "people": people,
        "object_types": kinds,
        "objects": objects,
    }
    workspace: Workspace = request.app.state.workspace
    return JSONResponse(
        {"workspaces": [{"id": workspace.settings.environment_id, "name": WORKSPACE_NAME, **counts}]}
    )


async def ip_addresses(_request: Request) -> Response:
    return JSONResponse({"ip_addresses": ["127.0.0.1"]})


def _store(request: Request) -> Store:
    workspace: Workspace = request.app.state.workspace
    return workspace.store


def _who(request: Request) -> Person | None:
    """The person of the path or the query; a wrong ``id_type`` simply finds nobody."""
    kind = request.query_params.get("id_type", "id")
    if kind not in ID_TYPES:
        return None
    text = request.path_params.get("customer_id") or request.query_params["customer_id"]
    found = lookup.by_kind(_store(request), kind, text)
    return found[0] if found else None


PERSON = "/v1/customers/{customer_id:quoted}"
ROUTES = [
    Route("/v1/customers", by_email, methods=["GET"]),
    Route("/v1/customers", search, methods=["POST"]),
    Route("/v1/customers/attributes", many_attributes, methods=["POST"]),
    Route(f"{PERSON}/attributes", attributes, methods=["GET"]),
    Route(f"{PERSON}/segments", segments, methods=["GET"]),
    Route(f"{PERSON}/activities", activities, methods=["GET"]),
    Route(f"{PERSON}/relationships", relationships, methods=["GET"]),
    Route(f"{PERSON}/subscription_preferences", preferences, methods=["GET"]),
    Route(
        "/v1/objects/{object_type_id:quoted}/{object_id:quoted}/attributes",
        object_attributes,
        methods=["GET"],
    ),
    Route("/v1/activities", activities, methods=["GET"]),
    Route("/v1/workspaces", workspaces, methods=["GET"]),
    Route("/v1/info/ip_addresses", ip_addresses, methods=["GET"]),
]
