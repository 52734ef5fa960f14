"""The App API's reporting: campaigns with actions, newsletters, transactional messages, topics, deliveries."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.customerio import lookup
from airflow_provider_cio.sandbox.customerio.answers import (
    cursor,
    not_found,
    page_limits,
    refused,
    whole,
    with_next,
)
from airflow_provider_cio.sandbox.customerio.payload import MalformedError, read_item
from airflow_provider_cio.sandbox.customerio.people import Person, cio_id
from airflow_provider_cio.sandbox.customerio.reporting import engine
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

WINDOW = 183 * engine.DAY
"""`/v1/messages` shows six months, counted back from the end of what is asked for."""
CHANNELS = {"email": "email", "push": "push"}
MESSAGE = (
    "seq, id, cio, customer_id, email, campaign, action, event, newsletter, content, transactional, channel,"
    " subject, created_at, broadcast, trigger"
)
ACTIONS_A_PAGE = 10
SENDABLE = {"id", "email", "cio_id"}
"""What may identify the person of a transactional message."""


async def campaigns(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute("SELECT id, name, state, created_at FROM campaigns ORDER BY id")
    listed = [
        {
            "id": number,
            "deduplicate_id": f"{number}:{created_at}",
            "name": name,
            "type": "behavioral",
            "state": state,
            "active": state == "running",
            "created": created_at,
            "updated": created_at,
            "actions": [
                {"id": engine.action_id(number, step), "type": channel} for step, channel, _ in engine.STEPS
            ],
            "tags": None,
        }
        for number, name, state, created_at in rows
    ]
    return JSONResponse({"campaigns": listed})


async def actions(request: Request) -> Response:
    """Pages of at most ten."""
    workspace: Workspace = request.app.state.workspace
    campaign = whole(request.path_params["campaign"], 0)
    found = workspace.store.db.execute("SELECT created_at FROM campaigns WHERE id = ?", (campaign,))
    row = found.fetchone()
    if row is None:
        return not_found()
    start, _ = page_limits(request, default=ACTIONS_A_PAGE, most=ACTIONS_A_PAGE)
    listed = [
        (
            step,
            {
                "id": str(engine.action_id(campaign, step)),
                "campaign_id": campaign,
                "name": f"Step {step}",
                "type": channel,
                "created": row[0],
                "updated": row[0],
            },
        )
        for step, channel, _ in engine.STEPS
        if step > start
    ]
    page, following = with_next(listed, ACTIONS_A_PAGE)
    return JSONResponse({"actions": [each for _, each in page], "next": following})


async def newsletters(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    start, limit = page_limits(request, default=50, most=100)
    rows = workspace.store.db.execute(
        "SELECT id, name, sent_at FROM newsletters WHERE id > ? ORDER BY id LIMIT ?", (start, limit + 1)
    ).fetchall()
    page, following = with_next(rows, limit)
    listed = [
        {"id": n, "deduplicate_id": f"{n}:{at}", "name": name, "type": "email", "sent_at": at, "created": at}
        for n, name, at in page
    ]
    return JSONResponse({"newsletters": listed, "next": following})


async def transactional(request: Request) -> Response:
    """The key of the list is `messages`."""
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute("SELECT id, name FROM transactional ORDER BY id")
    return JSONResponse({"messages": [{"id": n, "name": name, "description": ""} for n, name in rows]})


async def topics(request: Request) -> Response:
    workspace: Workspace = request.app.state.workspace
    rows = workspace.store.db.execute("SELECT id, name FROM topics ORDER BY id")
    return JSONResponse({"topics": [{"id": n, "identifier": f"topic_{n}", "name": name} for n, name in rows]})


async def send_email(request: Request) -> Response:
    """A transactional message, by number or trigger name, to one person, by one of id, email and cio_id."""
    workspace: Workspace = request.app.state.workspace
    try:
        body = read_item(await request.body()).value
    except MalformedError as error:
        return JSONResponse({"meta": {"error": str(error)}}, 400)
    body = body if isinstance(body, dict) else {}
    named, identifiers = str(body.get("transactional_message_id")), body.get("identifiers")
    message = workspace.store.db.execute(
        "SELECT id, name FROM transactional WHERE CAST(id AS TEXT) = ?1 OR LOWER(name) = LOWER(?1)", (named,)
    ).fetchone()
    people: list[Person] = []
    if isinstance(identifiers, dict) and len(identifiers) == 1 and identifiers.keys() <= SENDABLE:
        [(kind, value)] = identifiers.items()
        people = lookup.by_kind(workspace.store, str(kind), str(value))
    if message is None or not people:
        return JSONResponse({"meta": {"error": "transactional_message_id or identifiers are unknown"}}, 400)
    with workspace.store.transaction() as writing:
        due = engine.Due(workspace.now(), people[0].cio, "email", message[1], {"transactional": message[0]})
        delivery = engine.deliver(writing, due, engine.people(writing))
    return JSONResponse({"delivery_id": delivery, "queued_at": workspace.now()})


async def messages(request: Request) -> Response:
    """Deliveries by creation, newest first, 50 a page and at most 1000; six months up to ``end_ts`` or now."""
    workspace: Workspace = request.app.state.workspace
    asked, now = request.query_params, workspace.now()
    end = whole(asked.get("end_ts"), now)
    start_ts = max(whole(asked.get("start_ts"), 0), end - WINDOW) if "end_ts" in asked else now - WINDOW
    if start_ts > end:
        return refused("start_ts is after end_ts")
    start, limit = page_limits(request, default=50, most=workspace.settings.page_rows)
    conditions, values = ["created_at BETWEEN ? AND ?"], [start_ts, min(end, now)]
    for name, column in (
        ("campaign_id", "campaign"),
        ("newsletter_id", "newsletter"),
        ("broadcast_id", "broadcast"),
        ("action_id", "action"),
    ):
        if name in asked:
            conditions.append(f"{column} = ?")
            values.append(whole(asked[name], 0))
    if start:
        # The quirk: the row that the cursor names comes once more.
        compared = "<=" if workspace.settings.page_repeats else "<"
        named = "SELECT created_at, seq FROM deliveries WHERE seq = ?"
        conditions.append(f"(created_at, seq) {compared} ({named})")
        values.append(start)
    rows = workspace.store.db.execute(
        f"SELECT {MESSAGE} FROM deliveries WHERE {' AND '.join(conditions)}"
        " ORDER BY created_at DESC, seq DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    page, following = with_next(rows, limit)
    if workspace.settings.page_trails and not following:
        page = [row for row in page if row[0] != start]
        following = cursor(page[-1][0] if page else start)
    metrics = latest_metrics(workspace, [row[1] for row in page])
    return JSONResponse(
        {"messages": [message(row, metrics.get(row[1], {})) for row in page], "next": following}
    )


def latest_metrics(workspace: Workspace, deliveries: list[str]) -> dict[str, dict[str, int]]:
    """Of each delivery the metrics that were recorded, with the moment of the latest."""
    found: dict[str, dict[str, int]] = {}
    for first in range(0, len(deliveries), 500):
        part = deliveries[first : first + 500]
        for delivery, metric, at, machine in workspace.store.db.execute(
            "SELECT delivery, metric, max(at), min(data LIKE '%prefetched%' OR data LIKE '%machine%') FROM metrics"
            f" WHERE delivery IN ({','.join('?' * len(part))}) AND at <= ? GROUP BY delivery, metric",
            (*part, workspace.now()),
        ):
            of = found.setdefault(delivery, {})
            of[metric] = at
            if metric in {"opened", "clicked"} and not machine:
                of[f"human_{metric}"] = at
    return found


def message(row: tuple[Any, ...], metrics: dict[str, int]) -> dict[str, Any]:
    """A delivery as the App API shows it."""
    _, delivery, cio, customer_id, email, campaign, action, event, newsletter, content, transact, *rest = row
    channel, subject, created_at, broadcast, trigger = rest
    updated = max([created_at, *metrics.values()])
    return {
        "id": delivery,
        "deduplicate_id": f"{delivery}:{updated}",
        "msg_template_id": action or content or transact,
        "action_id": action,
        "parent_action_id": None,
        "customer_id": customer_id,
        "customer_identifiers": {"id": customer_id, "email": email, "cio_id": cio_id(cio)},
        "recipient": email,
        "subject": subject,
        "metrics": metrics,
        "created": created_at,
        "failure_message": None,
        "newsletter_id": newsletter,
        "content_id": content,
        "campaign_id": campaign,
        "broadcast_id": broadcast,
        "trigger_id": trigger,
        "transactional_message_id": transact,
        "trigger_event_id": event,
        "type": CHANNELS[channel],
        "forgotten": False,
    }


ROUTES = [
    Route("/v1/campaigns", campaigns, methods=["GET"]),
    Route("/v1/campaigns/{campaign}/actions", actions, methods=["GET"]),
    Route("/v1/newsletters", newsletters, methods=["GET"]),
    Route("/v1/transactional", transactional, methods=["GET"]),
    Route("/v1/subscription_topics", topics, methods=["GET"]),
    Route("/v1/messages", messages, methods=["GET"]),
    Route("/v1/send/email", send_email, methods=["POST"]),
]
