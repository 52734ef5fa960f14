"""The Pipelines API: permissive unless ``X-Strict-Mode: 1``, as documented.

Without strict mode, what is invalid or too large is answered with 200 and dropped. In strict mode one invalid call
refuses its whole batch: what the service does with the others is not documented, so nothing is applied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import limits, shapes
from airflow_provider_cio.sandbox.customerio.actions import apply
from airflow_provider_cio.sandbox.customerio.operations import Operation, read_id
from airflow_provider_cio.sandbox.customerio.payload import (
    Item,
    MalformedError,
    RefusedError,
    read_batch,
    read_item,
)
from airflow_provider_cio.sandbox.customerio.people import NOBODY, Identifier
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

Json = dict[str, Any]
CALLS = ("identify", "track", "page", "screen", "group")


async def batch(request: Request) -> Response:
    """``{"batch": [...]}``, each with its ``type``."""
    workspace: Workspace = request.app.state.workspace
    body = await request.body()
    if len(body) > limits.BATCH_KB * workspace.settings.kilobyte:
        return _answer(request, [f"the body cannot be larger than {limits.BATCH_KB} KB"])
    try:
        items = read_batch(body)
    except MalformedError as error:
        return _answer(request, [str(error)])
    return _run(request, workspace, items)


def single(kind: str) -> Callable[[Request], Awaitable[Response]]:
    """A call by itself."""

    async def handle(request: Request) -> Response:
        try:
            item = read_item(await request.body())
        except MalformedError as error:
            return _answer(request, [str(error)])
        value = {**item.value, "type": kind} if isinstance(item.value, dict) else item.value
        return _run(request, request.app.state.workspace, [Item(value, item.size, item.nan)])

    return handle


def _run(request: Request, workspace: Workspace, items: list[Item]) -> Response:
    operations: list[Operation] = []
    errors: list[str] = []
    with workspace.session() as session:
        session.received += len(items)
        for item in items:
            try:
                operations.append(read_call(item, workspace.settings.kilobyte))
            except RefusedError as error:
                errors.append(error.message)
        if errors and _strict(request):
            session.refused += len(items)
            return _answer(request, errors)
        session.dropped["pipelines_invalid"] += len(errors)
        apply(session, operations)
    return JSONResponse({})


def _strict(request: Request) -> bool:
    return request.headers.get("X-Strict-Mode") == "1"


def _answer(request: Request, errors: list[str]) -> Response:
    if _strict(request):
        return JSONResponse({"meta": {"errors": errors}}, 400)
    return JSONResponse({})


def read_call(item: Item, kilobyte: int) -> Operation:
    """One call as the operation that it is."""
    value = item.value
    if item.size > limits.ITEM_KB * kilobyte:
        raise RefusedError("too_large", "", f"a call cannot be larger than {limits.ITEM_KB} KB")
    if type(value) is not dict or value.get("type") not in CALLS or item.nan:
        raise RefusedError("invalid", "type", f"type must be one of {', '.join(CALLS)}")
    user, anonymous = value.get("userId"), value.get("anonymousId")
    if not user and not anonymous:
        raise RefusedError("required", "userId", "userId or anonymousId is required")
    who = Identifier("id", read_id(user, "userId")) if user else NOBODY
    kind = value["type"]
    if kind == "identify":
        return _identify(value, who)
    if kind == "group":
        return _group(value, who)
    named = {"name": value.get("event" if kind == "track" else "name")}
    operation = Operation("person", "event" if kind == "track" else kind, who, name=shapes.read_name(named))
    operation.attributes = shapes.read_mapping(value, "properties")
    operation.anonymous_id = read_id(anonymous, "anonymousId", "anonymousId") if anonymous else None
    operation.timestamp = _moment(value)
    return operation


def _identify(value: Json, who: Identifier) -> Operation:
    if who is NOBODY:
        raise RefusedError("required", "userId", "userId is required")
    traits = shapes.read_mapping(value, "traits")
    limits.check_attributes(traits, "traits")
    shapes.check_identifiers(traits)
    operation = Operation("person", "identify", who, traits)
    anonymous = value.get("anonymousId")
    operation.anonymous_id = str(anonymous) if anonymous else None
    return operation


def _group(value: Json, who: Identifier) -> Operation:
    traits = dict(shapes.read_mapping(value, "traits"))
    kind = str(traits.pop("object_type_id", None) or value.get("objectTypeId") or "1")
    relationship = traits.pop("relationshipAttributes", None) or {}
    target = shapes.read_object(
        {"identifiers": {"object_type_id": kind, "object_id": read_id(value.get("groupId"), "groupId")}}
    )
    related = [] if who is NOBODY else [{"who": who, "attributes": relationship}]
    return Operation("object", "identify", attributes=traits, relationships=related, object=target)


def _moment(value: Json) -> int | None:
    given = value.get("timestamp")
    if given is None:
        return None
    try:
        return int(datetime.fromisoformat(str(given)).timestamp())
    except ValueError:
        raise RefusedError("invalid", "timestamp", "timestamp must be ISO 8601") from None


ROUTES = [
    Route("/v1/batch", batch, methods=["POST"]),
    *(Route(f"/v1/{call}", single(call), methods=["POST"]) for call in CALLS),
]
