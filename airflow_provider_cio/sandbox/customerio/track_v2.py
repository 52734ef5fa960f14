"""Track v2: ``POST /api/v2/entity`` and ``POST /api/v2/batch``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import limits
from airflow_provider_cio.sandbox.customerio.actions import apply
from airflow_provider_cio.sandbox.customerio.faults import Fault, refusing
from airflow_provider_cio.sandbox.customerio.operations import Operation
from airflow_provider_cio.sandbox.customerio.payload import (
    Item,
    MalformedError,
    RefusedError,
    encode,
    read_batch,
    read_item,
)
from airflow_provider_cio.sandbox.customerio.shapes import read_operation
from airflow_provider_cio.sandbox.customerio.workspace import Session, Workspace


async def entity(request: Request) -> Response:
    """One operation: 200, or 400 with one error."""
    workspace: Workspace = request.app.state.workspace
    body = await request.body()
    if len(body) > limits.ITEM_KB * workspace.settings.kilobyte:
        return _too_large(limits.ITEM_KB)
    try:
        item = read_item(body)
    except MalformedError as error:
        return _malformed(str(error))
    with workspace.session() as session:
        errors = _run(session, [item], refusing(request))
    if errors:
        return JSONResponse({"errors": [_without_index(each) for each in errors]}, 400)
    return JSONResponse({})


async def batch(request: Request) -> Response:
    """Many operations, in order and in one transaction: 200, or 207 when some are refused."""
    workspace: Workspace = request.app.state.workspace
    body = await request.body()
    if len(body) > limits.BATCH_KB * workspace.settings.kilobyte:
        return _too_large(limits.BATCH_KB)
    try:
        items = read_batch(body)
    except MalformedError as error:
        return _malformed(str(error))
    with workspace.session() as session:
        errors = _run(session, items, refusing(request))
    if errors:
        return JSONResponse({"errors": errors}, 207)
    return JSONResponse({})


def _run(session: Session, items: list[Item], fault: Fault | None) -> list[dict[str, str | int]]:
    """Apply the good ``items``; the errors of the others. Items with NaN vanish without a word."""
    operations: list[Operation] = []
    errors: list[dict[str, str | int]] = []
    session.received += len(items)
    for index, item in enumerate(items):
        if item.nan:
            session.dropped["nan"] += 1
            continue
        if fault is not None and str(fault.match) in encode(item.value):
            refusal = RefusedError(fault.reason, fault.field, "refused by a fault of the sandbox")
            errors.append({"batch_index": index, **refusal.as_dict()})
            continue
        try:
            operations.append(read_operation(item, session.settings))
        except RefusedError as error:
            errors.append({"batch_index": index, **error.as_dict()})
    session.refused += len(errors)
    apply(session, operations)
    return errors


def _without_index(error: dict[str, str | int]) -> dict[str, str | int]:
    return {name: value for name, value in error.items() if name != "batch_index"}


def _malformed(message: str) -> Response:
    return JSONResponse({"errors": [{"reason": "malformed", "field": "", "message": message}]}, 400)


def _too_large(kilobytes: int) -> Response:
    message = f"the body cannot be larger than {kilobytes} KB"
    return JSONResponse({"errors": [{"reason": "too_large", "field": "", "message": message}]}, 413)


ROUTES = [
    Route("/api/v2/entity", entity, methods=["POST"]),
    Route("/api/v2/batch", batch, methods=["POST"]),
]
