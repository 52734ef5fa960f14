"""The page's routes: everything is rendered on the server, from snapshots, for who may read the Dag."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from airflow_provider_cio.core.contract import Connections
from airflow_provider_cio.core.snapshot import About, Detail, Snapshot
from airflow_provider_cio.engine.snapshot import take
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.plugin import charts, store, words
from airflow_provider_cio.plugin.rendering import ASSETS, pages
from airflow_provider_cio.plugin.store import Entry

log = logging.getLogger(__name__)
_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}


def make_app() -> FastAPI:
    """The application that Airflow mounts; it has no API description, because it has no API."""
    app = FastAPI(title="Customer.io", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/assets", StaticFiles(directory=ASSETS))
    app.get("/", response_class=HTMLResponse)(overview)
    app.get("/dags/{dag_id}", response_class=HTMLResponse)(of_dag)
    app.get("/dags/{dag_id}/runs/{run_id:path}", response_class=HTMLResponse)(of_run)
    app.post(
        "/dags/{dag_id}/refresh",
        dependencies=[Depends(requires_access_dag("PUT")), Depends(from_the_page)],
    )(refresh)
    return app


@dataclass(frozen=True)
class Visitor:
    """Which Dags somebody may read, and which edit, by Airflow's auth manager."""

    readable: set[str]
    editable: set[str]


def visitor(user: GetUserDep) -> Visitor:
    """Whoever asks; FastAPI answers 401 before that to those who are nobody."""
    ids = get_auth_manager().get_authorized_dag_ids
    return Visitor(ids(user=user, method="GET"), ids(user=user, method="PUT"))


By = Annotated[Visitor, Depends(visitor)]


def from_the_page(request: Request) -> None:
    """Refuse a form of another site.

    :raises HTTPException: 403.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "The button is on the page itself.")


def overview(request: Request, by: By, session: SessionDep) -> HTMLResponse:
    """Everything that the visitor may see, in one list by subject."""
    found = store.entries(session, by.readable)
    states = {entry.asset_id: words.state(entry) for entry in found}
    return _render(request, "overview.html", entries=found, states=states)


def of_dag(
    request: Request,
    dag_id: str,
    by: By,
    session: SessionDep,
    days: Annotated[int, Query(ge=1, le=400)] = 90,
) -> HTMLResponse:
    """What one Dag keeps in step with Customer.io."""
    return _of_dag(request, dag_id, by, session, days=days)


def _of_dag(
    request: Request, dag_id: str, by: Visitor, session: Any, *, days: int = 90, **more: Any
) -> HTMLResponse:
    shown = [
        (entry, words.state(entry), store.detail(session, entry)) for entry in _entries(session, by, dag_id)
    ]
    return _render(
        request,
        "dag.html",
        dag_id=dag_id,
        shown=shown,
        days=days,
        editable=by.editable,
        points=points,
        **more,
    )


def of_run(request: Request, dag_id: str, run_id: str, by: By, session: SessionDep) -> HTMLResponse:
    """One run: the account of its rows, and what became of those that were not accepted."""
    shown = []
    for entry in _entries(session, by, dag_id):
        detail = store.detail(session, entry)
        shown += [(entry, run, _rejects(detail, run.plan_id)) for run in detail.runs if run.run_id == run_id]
    return _render(request, "run.html", dag_id=dag_id, run_id=run_id, shown=shown)


def refresh(request: Request, dag_id: str, by: By, session: SessionDep) -> Response:
    """Ask Redshift now; what it does not answer leaves the page as it was."""
    try:
        for entry in _entries(session, by, dag_id):
            if entry.summary is not None:
                store.replace(session, entry, _ask(entry.summary.about))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with Redshift, the page stays
        log.warning("Refresh of %s: %s", dag_id, error)
        session.rollback()
        said = str(error) if isinstance(error, CustomerIOProviderError) else type(error).__name__
        return _of_dag(request, dag_id, by, session, failed=said, status_code=502)
    return RedirectResponse(f"{request.scope['root_path']}/dags/{quote(dag_id, safe='')}", 303)


def _ask(about: About) -> Snapshot:
    connections = Connections(redshift=about.redshift, aws=about.aws)
    with closing(open_warehouse(connections)) as warehouse:
        return take(warehouse, about)


def _entries(session: Any, by: Visitor, dag_id: str) -> list[Entry]:
    if dag_id not in by.readable:
        raise HTTPException(404, f"There is no Dag {dag_id}, or you may not read it.")
    return store.entries(session, by.readable, dag_id)


def _rejects(detail: Detail, plan_id: str) -> list[Any]:
    return [each for each in detail.rejects if each.plan_id == plan_id]


def points(detail: Detail, what: str, destination: str = "") -> list[charts.Point]:
    """The measurements of a plot: `lag` of runs, or a number of one destination."""
    if what == "lag":
        return [
            charts.Point(
                words.moment(run.finished_at)[:16],
                run.lag / 60,
                f"{words.moment(run.finished_at)}: {words.duration(run.lag)}",
            )
            for run in reversed(detail.runs)
            if run.lag is not None
        ]
    measured = [each for each in detail.destinations if each.name == destination]
    return [
        charts.Point(
            f"{each.measured_at:%Y-%m-%d}",
            float(value),
            f"{each.measured_at:%Y-%m-%d}: {value:,.6g}",
        )
        for each in measured
        if (value := getattr(each, what)) is not None
    ]


def _render(
    request: Request, name: str, *, status_code: int = 200, **values: Mapping[str, Any] | Any
) -> HTMLResponse:
    root = str(request.scope["root_path"]).rstrip("/")
    airflow = root.removesuffix("/customerio")
    text = pages.get_template(name).render(root=root, airflow=airflow, **values)
    return HTMLResponse(text, status_code, _HEADERS)
