"""The ASGI application: every route of the sandbox behind its gate."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor

from airflow_provider_cio.sandbox.customerio.gate import Gate
from airflow_provider_cio.sandbox.customerio.workspace import Workspace


class QuotedConvertor(Convertor[str]):
    """One segment of the path as it was sent: ``%2F`` is part of an identifier, not a separator."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("quoted", QuotedConvertor())


def build(workspace: Workspace) -> Gate:
    """The application for ``workspace``."""
    from airflow_provider_cio.sandbox.customerio import (
        app_api,
        campaigns,
        control,
        page,
        pipelines,
        segments,
        track_v1,
        track_v2,
    )
    from airflow_provider_cio.sandbox.customerio.reporting import addresses, broadcasts, exports, series
    from airflow_provider_cio.sandbox.customerio.reporting import app_api as reporting_api
    from airflow_provider_cio.sandbox.customerio.reporting import control as reporting_control

    routes = [
        *track_v2.ROUTES,
        *track_v1.ROUTES,
        *pipelines.ROUTES,
        *segments.ROUTES,
        *app_api.ROUTES,
        *control.ROUTES,
        *campaigns.ROUTES,
        *reporting_api.ROUTES,
        *broadcasts.ROUTES,
        *series.ROUTES,
        *addresses.ROUTES,
        *exports.ROUTES,
        *reporting_control.ROUTES,
        *page.ROUTES,
    ]
    app = Starlette(routes=routes)
    gate = Gate(app, routes, workspace)
    app.state.workspace, app.state.gate = workspace, gate
    return gate
