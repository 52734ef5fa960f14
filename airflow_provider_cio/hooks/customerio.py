"""An Airflow connection of type `customerio` -> configured clients."""

from __future__ import annotations

from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal, Self, cast

from airflow.sdk import BaseHook

from airflow_provider_cio.clients.app import APP_RATE, AppClient
from airflow_provider_cio.clients.pipelines import PipelinesClient
from airflow_provider_cio.clients.track import PUBLISHED_RATE, TrackClient
from airflow_provider_cio.clients.transactional import TRANSACTIONAL_RATE, TransactionalClient
from airflow_provider_cio.exceptions import ContractError, CustomerIOProviderError
from airflow_provider_cio.hooks.lookup import find_connection

_POSITIVE = {
    "rate_limit": "requests a second, such as 100",
    "item_rate_limit": "items a second, or leave it empty",
    "rate_slots": "the slots of the Airflow pool in which the syncs send, such as 10",
    "app_rate_slots": "the slots of all tasks that read back at the same time, such as 2",
}
CONSOLES = {"us": "https://fly.customer.io", "eu": "https://fly-eu.customer.io"}


@dataclass(frozen=True, repr=False)
class Settings:
    """The extras of a connection, by the names of its form. Unknown ones are refused by name."""

    region: Literal["us", "eu"] = "us"
    site_id: str | None = None
    track_api_key: str | None = None
    app_api_key: str | None = None
    pipelines_api_key: str | None = None
    workspace_id: str | None = None
    rate_limit: float = 100
    item_rate_limit: float | None = None
    rate_slots: float = 10
    app_rate_slots: float = 2
    rate: Literal["fixed", "adaptive"] = "fixed"
    base_url: str | None = None

    @classmethod
    def of(cls, connection_id: str, extras: dict[str, Any]) -> Self:
        """Read the extras.

        :raises ContractError: an extra is unknown or cannot be used; names it.
        """
        known = [field.name for field in fields(cls)]
        given = {name: value for name, value in extras.items() if value not in (None, "")}
        for name in given.keys() - set(known):
            close = get_close_matches(name, known, n=1)
            raise ContractError(
                f"Connection '{connection_id}' has an unknown extra '{name}'.",
                next_step=f"write `{close[0]}`." if close else f"remove it; known are {', '.join(known)}.",
            )
        if given.get("region", "us") not in CONSOLES:
            raise ContractError(
                f"Connection '{connection_id}': region is neither us nor eu.", next_step="choose one of them."
            )
        if given.get("rate", "fixed") not in {"fixed", "adaptive"}:
            raise ContractError(
                f"Connection '{connection_id}': rate is neither fixed nor adaptive.",
                next_step="choose one of them.",
            )
        for name, what in _POSITIVE.items():
            if name in given:
                given[name] = _positive(connection_id, name, given[name], what)
        return cls(**given)


def _positive(connection_id: str, name: str, value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise ContractError(
            f"Connection '{connection_id}': {name} is not a number above 0.", next_step=f"give {what}."
        )
    return number


class CustomerIOHook(BaseHook):
    """Clients of one Customer.io workspace; usable in operators and in a plain ``@task``.

    :param customerio_conn_id: Airflow connection of type `customerio`.
    """

    conn_name_attr = "customerio_conn_id"
    default_conn_name = "customerio_default"
    conn_type = "customerio"
    hook_name = "Customer.io"

    def __init__(self, customerio_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.customerio_conn_id = customerio_conn_id

    @cached_property
    def settings(self) -> Settings:
        """The connection's extras.

        :raises ContractError: the connection does not exist, or holds something impossible.
        """
        extras = find_connection(self.customerio_conn_id).extra_dejson
        return Settings.of(self.customerio_conn_id, extras)

    def get_conn(self) -> TrackClient:
        """Airflow's name for the main client."""
        return self.track_client()

    def track_client(self, pool_slots: int = 1, share: float = 1.0) -> TrackClient:
        """A client of the Track API, which takes people and events; close it.

        :param pool_slots: of the task. Its share of the workspace's rate is `pool_slots / rate_slots`.
        :param share: of that.
        :raises ContractError: the site id or the key is missing.
        """
        settings = self.settings
        share *= min(1.0, pool_slots / settings.rate_slots)
        return TrackClient(
            site_id=self._needed("site_id"),
            api_key=self._needed("track_api_key"),
            region=settings.region,
            base_url=settings.base_url,
            rate=settings.rate_limit * share,
            item_rate=None if settings.item_rate_limit is None else settings.item_rate_limit * share,
            probe_to=PUBLISHED_RATE * share if settings.rate == "adaptive" else None,
        )

    def pipelines_client(self, pool_slots: int = 1, share: float = 1.0) -> PipelinesClient:
        """A client of the Pipelines API; close it. Its share of the rate is that of :meth:`track_client`.

        :raises ContractError: the key is missing.
        """
        settings = self.settings
        return PipelinesClient(
            api_key=self._needed("pipelines_api_key"),
            region=settings.region,
            base_url=settings.base_url,
            rate=settings.rate_limit * share * min(1.0, pool_slots / settings.rate_slots),
        )

    def app_client(self, pool_slots: int = 1) -> AppClient:
        """A client of the App API, which reads back; close it.

        :param pool_slots: of the task. Its share of the API's own rate is `pool_slots / app_rate_slots`.
        :raises ContractError: the key is missing.
        """
        settings = self.settings
        return AppClient(
            api_key=self._needed("app_api_key"),
            region=settings.region,
            base_url=settings.base_url,
            rate=APP_RATE * min(1.0, pool_slots / settings.app_rate_slots),
        )

    def transactional_client(self) -> TransactionalClient:
        """A client that sends transactional messages; close it. It uses nothing of the other APIs' rates.

        :raises ContractError: the key is missing.
        """
        settings = self.settings
        return TransactionalClient(
            api_key=self._needed("app_api_key"),
            region=settings.region,
            base_url=settings.base_url,
            rate=TRANSACTIONAL_RATE * min(1.0, 1 / settings.rate_slots),
        )

    def web_url(self) -> str:
        """The workspace in the browser; the base URL's own page when there is one; '' when neither is known."""
        if self.settings.base_url:
            return self.settings.base_url
        if self.settings.workspace_id:
            return f"{CONSOLES[self.settings.region]}/workspaces/{self.settings.workspace_id}/journeys/people"
        return ""

    def test_connection(self) -> tuple[bool, str]:
        """Ask Customer.io for the workspace that the keys belong to; with an App API key, ask there too."""
        try:
            return True, self._test()
        except CustomerIOProviderError as error:
            return False, str(error)

    def _test(self) -> str:
        with self.track_client() as track:
            answer = track.region()
        workspace, wanted = str(answer.get("environment_id")), self.settings.workspace_id
        if wanted and wanted != workspace:
            raise ContractError(
                f"These keys belong to workspace {workspace}, and the connection says {wanted}.",
                next_step="correct the workspace ID, or take the keys of that workspace.",
            )
        told = f"Customer.io knows these keys: region {answer.get('region')}, workspace {workspace}"
        if not self.settings.app_api_key:
            return f"{told}. There is no App API key, so nothing can be read back."
        with self.app_client() as app:
            return f"{told}; the App API key sees {len(app.segments())} segments."

    def _needed(self, name: str) -> str:
        value = getattr(self.settings, name)
        if not value:
            raise ContractError(
                f"Connection '{self.customerio_conn_id}' has no {name}.",
                next_step="fill it in under Admin > Connections.",
            )
        return cast("str", value)


def requests_per_second(connection_id: str) -> float:
    """The rate of a connection; of one that is not there, what a new connection has."""
    try:
        return CustomerIOHook(connection_id).settings.rate_limit
    except ContractError:
        return Settings.rate_limit
