"""Track v1: little validation by design. 200 means accepted, not applied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import limits, shapes
from airflow_provider_cio.sandbox.customerio.actions import apply
from airflow_provider_cio.sandbox.customerio.operations import Operation, read_id, read_identifier
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, RefusedError, encode, read_item
from airflow_provider_cio.sandbox.customerio.people import NOBODY, Identifier
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

Json = dict[str, Any]
Reader = Callable[[Request, Json], Operation]
HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
CONTROL = ("_timestamp", "_update", "cio_relationships")


def call(
    reader: Reader, *, envelope: Callable[[str], Json], status: int = 200
) -> Callable[[Request], Awaitable[Response]]:
    """A handler: read the body, make one operation of it, apply it."""

    async def handle(request: Request) -> Response:
        workspace: Workspace = request.app.state.workspace
        try:
            item = read_item(await request.body())
        except MalformedError as error:
            return JSONResponse(envelope(str(error)), 400)
        if type(item.value) is not dict:
            return JSONResponse(envelope("the body must be an object"), 400)
        with workspace.session() as session:
            session.received += 1
            try:
                if item.nan:
                    session.dropped["nan"] += 1
                else:
                    apply(session, [reader(request, item.value)])
            except RefusedError as error:
                session.refused += 1
                return JSONResponse(envelope(error.message), 400)
        return Response(status_code=status) if status == 204 else JSONResponse({})

    return handle


def _errors(message: str) -> Json:
    return {"meta": {"errors": [message]}}


def _error(message: str) -> Json:
    return {"meta": {"error": message}}


def path_identifier(text: str, *, email_identifies: bool = True) -> Identifier:
    """``cio_<cio_id>``, an email when it holds an @, or an id."""
    text = read_id(text, "identifier")
    if text.startswith("cio_"):
        return Identifier("cio_id", text.removeprefix("cio_"))
    return Identifier("email" if "@" in text and email_identifies else "id", text)


def _who(request: Request) -> Identifier:
    workspace: Workspace = request.app.state.workspace
    identifies = workspace.settings.email_identifies
    return path_identifier(request.path_params["identifier"], email_identifies=identifies)


def _identify(request: Request, body: Json) -> Operation:
    attributes = {name: value for name, value in body.items() if name not in CONTROL}
    limits.check_attributes(attributes)
    shapes.check_identifiers(attributes)
    operation = Operation("person", "identify", _who(request), attributes, v1=True)
    operation.timestamp = shapes.read_timestamp(body, "_timestamp")
    operation.update_only = body.get("_update") is True
    operation.anonymous_id = attributes.get("anonymous_id") or None
    relationships = shapes.read_mapping(body, "cio_relationships")
    if relationships.get("action", "add_relationships") == "add_relationships":
        operation.relationships = shapes.read_objects(relationships.get("relationships"))
    return operation


def _simple(action: str) -> Reader:
    return lambda request, _body: Operation("person", action, _who(request))


def _event(_request: Request, body: Json, who: Identifier = NOBODY) -> Operation:
    kind = body.get("type") or "event"
    if kind not in ("event", "page", "screen"):
        kind = "event"
    data = shapes.read_mapping(body, "data")
    limits.check_text(encode(data), limits.EVENT_DATA_BYTES, "data")
    operation = Operation("person", kind, who, data, name=shapes.read_name(body))
    operation.event_id = shapes.read_event_id(body)
    operation.timestamp = shapes.read_timestamp(body)
    anonymous_id = body.get("anonymous_id")
    operation.anonymous_id = str(anonymous_id) if anonymous_id else None
    return operation


def _person_event(request: Request, body: Json) -> Operation:
    return _event(request, body, _who(request))


def _add_device(request: Request, body: Json) -> Operation:
    return Operation(
        "person", "add_device", _who(request), device=shapes.read_device(body, "id", platform=True)
    )


def _delete_device(request: Request, _body: Json) -> Operation:
    return Operation(
        "person", "delete_device", _who(request), device={"token": request.path_params["device"]}
    )


def _merge(request: Request, body: Json) -> Operation:
    workspace: Workspace = request.app.state.workspace
    primary, secondary = (
        read_identifier(body.get(name), name, workspace.settings) for name in ("primary", "secondary")
    )
    return Operation("person", "merge", primary, other=secondary)


def _form(_request: Request, body: Json) -> Operation:
    data = shapes.read_mapping(body, "data")
    limits.check_attributes(data, "data")
    for kind in ("id", "email"):
        if data.get(kind):
            return Operation("person", "identify", Identifier(kind, read_id(data[kind], kind)), data, v1=True)
    raise RefusedError("required", "data", "data must hold an id or an email")


async def region(request: Request) -> Response:
    """Where the account lives, on whichever host it is asked."""
    workspace: Workspace = request.app.state.workspace
    account = workspace.settings.account_region
    return JSONResponse(
        {"url": HOSTS[account], "region": account, "environment_id": workspace.settings.environment_id}
    )


async def accepted(request: Request) -> Response:
    """Metrics of deliveries: the sandbox sends none, so each is accepted and dropped."""
    workspace: Workspace = request.app.state.workspace
    with workspace.session() as session:
        session.received += 1
        session.dropped["unknown_delivery"] += 1
    return JSONResponse({})


PERSON = "/api/v1/customers/{identifier:quoted}"
ROUTES = [
    Route("/api/v1/accounts/region", region),
    Route(PERSON, call(_identify, envelope=_errors), methods=["PUT"]),
    Route(PERSON, call(_simple("delete"), envelope=_errors), methods=["DELETE"]),
    Route(f"{PERSON}/events", call(_person_event, envelope=_errors), methods=["POST"]),
    Route(f"{PERSON}/devices", call(_add_device, envelope=_errors), methods=["PUT"]),
    Route(f"{PERSON}/devices/{{device:quoted}}", call(_delete_device, envelope=_errors), methods=["DELETE"]),
    Route(f"{PERSON}/suppress", call(_simple("suppress"), envelope=_errors), methods=["POST"]),
    Route(f"{PERSON}/unsuppress", call(_simple("unsuppress"), envelope=_errors), methods=["POST"]),
    Route("/api/v1/events", call(_event, envelope=_errors), methods=["POST"]),
    Route("/api/v1/merge_customers", call(_merge, envelope=_error), methods=["POST"]),
    Route("/api/v1/forms/{form:quoted}/submit", call(_form, envelope=_errors, status=204), methods=["POST"]),
    Route("/api/v1/metrics", accepted, methods=["POST"]),
    Route("/api/v1/push/events", accepted, methods=["POST"]),
    Route("/unsubscribe/{delivery:quoted}", accepted, methods=["POST"]),
]
