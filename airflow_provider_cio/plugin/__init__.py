"""The plugin: Airflow 3.3 loads it through the entry point `airflow.plugins`, not from the provider info."""

from __future__ import annotations

from functools import cache
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_cio.deadlines.reference import RunDue

PREFIX = "/customerio"
_ROUTE = PREFIX.lstrip("/")  # relative, so that it works below a base path


@cache
def _page() -> Any:
    from airflow_provider_cio.plugin.app import make_app

    return make_app()


async def page(scope: Any, receive: Any, send: Any) -> None:
    """The page's application, made when it is first asked: workers and scheduler load plugins too."""
    await _page()(scope, receive, send)


def _view(destination: str, href: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "Customer.io",
        "href": f"{_ROUTE}/{href}",
        "destination": destination,
        "url_route": f"customerio-{destination.replace('_', '-')}",
        "icon": f"{_ROUTE}/assets/icon.svg",
        "icon_dark_mode": f"{_ROUTE}/assets/icon-dark.svg",
        **more,
    }


class CustomerIOPlugin(AirflowPlugin):
    """The page "Customer.io" with its places in the UI, and the deadline reference of serialised Dags."""

    name = "customerio"
    deadline_references = [RunDue]  # noqa: RUF012 - Airflow's own declarations are plain lists
    fastapi_apps = [{"app": page, "url_prefix": PREFIX, "name": "Customer.io"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        _view("nav", "", url_route="customerio", nav_top_level=True),
        _view("dag", "dags/{DAG_ID}"),
        _view("dag_run", "dags/{DAG_ID}/runs/{RUN_ID}"),
        _view("task", "dags/{DAG_ID}"),
        _view("task_instance", "dags/{DAG_ID}/runs/{RUN_ID}"),
    ]
