"""Customer.io's App API: what is there, read back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Unpack
from urllib.parse import quote

from airflow_provider_cio.clients.download import download
from airflow_provider_cio.clients.errors import parsed
from airflow_provider_cio.clients.track import Region
from airflow_provider_cio.clients.transport import ApiClient, Service, Wire
from airflow_provider_cio.exceptions import CustomerIOProviderError, ExportFailedError, RequestRefusedError

HOSTS: dict[str, str] = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}

APP_RATE = 10.0
"""Requests a second of a workspace; transactional messages have a limit of their own (App API, rate limits)."""

NOT_FOUND = 404
ATTRIBUTES_LIMIT = 100
"""People of one call for attributes (App API)."""

_SEARCH_LIMIT, _MEMBERSHIP_LIMIT, _ACTIVITIES_LIMIT = 1000, 30_000, 100


class AppClient(ApiClient):
    """The App API of one workspace; threads may share it. Everything here only reads.

    `requests` counts what was sent so far, repetitions included.

    :param api_key: an App API key with the scopes of the calls used.
    :param rate: requests a second over all threads; Customer.io allows 10.
    """

    def __init__(
        self,
        *,
        api_key: str,
        region: Region = "us",
        base_url: str | None = None,
        rate: float = APP_RATE,
        **wire: Unpack[Wire],
    ) -> None:
        self.requests = 0
        self._counting = threading.Lock()
        super().__init__(
            Service(base_url or HOSTS[region], "the App API key", region),
            headers={"Authorization": f"Bearer {api_key}"},
            rate=rate,
            **wire,
        )

    def customers(self, email: str) -> list[dict[str, Any]]:
        """The people with an email address: `id`, `email`, `cio_id`."""
        return _rows(self._get("/v1/customers", {"email": email}), "results")

    def search(self, filter: Mapping[str, Any]) -> Iterator[dict[str, Any]]:  # noqa: A002
        """Identifiers of the people whom a filter selects: `{"and": [{"segment": {"id": 7}}, ...]}`."""
        yield from self._pages("POST", "/v1/customers", "identifiers", _SEARCH_LIMIT, json={"filter": filter})

    def attributes(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """People with their `attributes`, all of them strings, in calls of 100; the unknown are left out."""
        people: list[dict[str, Any]] = []
        for first in range(0, len(ids), ATTRIBUTES_LIMIT):
            asked = {"ids": list(ids[first : first + ATTRIBUTES_LIMIT])}
            body = self._call("POST", "/v1/customers/attributes", json=asked)
            people += [row["customer"] for row in _rows(body, "customers") if "customer" in row]
        return people

    def person(self, identifier: str, id_type: str) -> dict[str, Any] | None:
        """One person with their `attributes` and `devices`, by id, email, phone or cio_id; None when nobody has it."""
        answer = self._of_person(identifier, "attributes", id_type)
        return None if answer is None else answer.get("customer")

    def segments_of(self, identifier: str, id_type: str) -> list[dict[str, Any]]:
        """The segments that a person is in: `id`, `name`."""
        return _rows(self._of_person(identifier, "segments", id_type), "segments")

    def activities_of(self, identifier: str, id_type: str, **asked: str) -> list[dict[str, Any]]:
        """The newest hundred entries of a person's log, of a `type` and `name`."""
        answer = self._of_person(identifier, "activities", id_type, limit=_ACTIVITIES_LIMIT, **asked)
        return _rows(answer, "activities")

    def relationships_of(self, identifier: str, id_type: str) -> Iterator[dict[str, Any]]:
        """The objects that a person is related to: `object_type_id`, `identifiers`, `attributes`, `timestamps`."""
        start: dict[str, str] = {}
        while True:
            body = self._of_person(identifier, "relationships", id_type, **start)
            rows = _rows(body, "cio_relationships")
            yield from rows
            if not rows or body is None or not body.get("next"):
                return
            start = {"start": body["next"]}

    def object(self, object_type_id: str, identifier: str, id_type: str) -> dict[str, Any] | None:
        """One object with its `attributes` and `timestamps`, by its identifier; None when it is not there."""
        answer = self._found(
            f"/v1/objects/{quote(object_type_id, safe='')}/{quote(identifier, safe='')}/attributes",
            {"id_type": id_type},
        )
        return None if answer is None else answer.get("object")

    def workspaces(self) -> list[dict[str, Any]]:
        """Workspaces with the number of their `people`, which may be two hours old."""
        return _rows(self._get("/v1/workspaces"), "workspaces")

    def segments(self) -> list[dict[str, Any]]:
        """All segments: `id`, `name`, `state`, `type`, ..."""
        return _rows(self._get("/v1/segments"), "segments")

    def campaigns(self) -> list[dict[str, Any]]:
        """All campaigns: `id`, `name`, `state`, ..."""
        return _rows(self._get("/v1/campaigns"), "campaigns")

    def journeys_started(self, campaign: int, start: int, end: int) -> int:
        """How many journeys of a campaign started between two unix seconds."""
        asked: dict[str, str | int] = {"start": start, "end": end, "res": "hours"}
        metric = self._get(f"/v1/campaigns/{campaign}/journey_metrics", asked).get("journey_metric", {})
        return sum(int(count) for count in metric.get("started", []))

    def membership(self, segment: int) -> Iterator[dict[str, Any]]:
        """Identifiers of a segment's people: `id`, `email`, `cio_id`."""
        yield from self._pages("GET", f"/v1/segments/{segment}/membership", "identifiers", _MEMBERSHIP_LIMIT)

    def customer_count(self, segment: int) -> int:
        """How many people a segment holds."""
        body = self._get(f"/v1/segments/{segment}/customer_count")
        return int(body.get("count", 0))

    def activities(self, type: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:  # noqa: A002
        """The activity log, newest first; Customer.io guarantees 30 days of it. `deleted`: of who is gone."""
        asked = {"type": type} | ({"deleted": "true"} if deleted else {})
        yield from self._pages("GET", "/v1/activities", "activities", _ACTIVITIES_LIMIT, params=asked)

    def listing(
        self, path: str, key: str, limit: int | None = None, **asked: str | int
    ) -> Iterator[dict[str, Any]]:
        """Rows of any list of the API, under `key` of its answers; `limit` where the list has pages.

        Pages may repeat rows.
        """
        if limit is None:
            yield from _rows(self._get(path, asked), key)
        else:
            yield from self._pages("GET", path, key, limit, params=asked)

    def page(
        self, path: str, key: str, limit: int, start: str = "", **asked: str | int
    ) -> tuple[list[dict[str, Any]], str]:
        """One page of a list, and the `start` of the next one; '' after the last."""
        return self._page("GET", path, key, {**asked, "limit": limit}, start)

    def answer(self, path: str, asked: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        """What any other reading call answers."""
        return self._get(path, asked)

    def export_deliveries(self, parent: str, number: int, start: int, end: int) -> int:
        """Ask for an export of the deliveries that a parent made from `start` to `end` (unix seconds); its id.

        :param parent: `campaign_id`, `newsletter_id`, `transactional_message_id` or `action_id`.
        """
        asked = {parent: number, "start": start, "end": end}
        return int(_export(self._call("POST", "/v1/exports/deliveries", json=asked))["id"])

    def export_is_done(self, export: int) -> bool:
        """Whether it can be downloaded.

        :raises ExportFailedError: Customer.io could not make it; ask again.
        """
        found = _export(self._get(f"/v1/exports/{export}"))
        if found.get("failed") or found.get("status") == "failed":
            raise ExportFailedError(
                f"Customer.io could not make export {export}.", next_step="run the task again: it asks anew."
            )
        return found.get("status") == "done"

    def export_content(self, export: int, attempts: int = 3) -> bytes:
        """The CSV. A link lives 15 minutes and takes no key; what breaks off goes on under a new one."""
        content = download(lambda: str(self._get(f"/v1/exports/{export}/download").get("url", "")), attempts)
        if content is None:
            raise ExportFailedError(
                f"Export {export} could not be downloaded in {attempts} tries.",
                next_step="run the task again.",
            )
        return content

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        body = self._call("GET", path, params=params)
        return body if isinstance(body, dict) else {}

    def _of_person(
        self, identifier: str, what: str, id_type: str, **asked: str | int
    ) -> dict[str, Any] | None:
        if id_type == "phone":  # paths take id, email and cio_id
            same = {"attribute": {"field": "phone", "operator": "eq", "value": identifier}}
            found = next(self.search({"and": [same]}), None)
            if found is None:
                return None
            identifier, id_type = str(found["cio_id"]), "cio_id"
        return self._found(
            f"/v1/customers/{quote(identifier, safe='')}/{what}", {"id_type": id_type, **asked}
        )

    def _found(self, path: str, asked: Mapping[str, str | int]) -> dict[str, Any] | None:
        """What a path answers; None for 404."""
        try:
            return self._get(path, asked)
        except RequestRefusedError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def _count(self, requests: int) -> None:
        with self._counting:
            self.requests += requests

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            answer = self._transport.request(method, path, **arguments)
        except CustomerIOProviderError as error:
            self._count(error.requests)
            raise
        self._count(answer.requests)
        return parsed(answer.response)

    def _pages(
        self,
        method: str,
        path: str,
        key: str,
        limit: int,
        *,
        json: Any = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Rows of all pages; ends without `next`, and on an empty page, whatever its `next` says."""
        start = ""
        while True:
            rows, start = self._page(method, path, key, {**(params or {}), "limit": limit}, start, json=json)
            yield from rows
            if not start:
                return

    def _page(
        self, method: str, path: str, key: str, asked: dict[str, str | int], start: str, *, json: Any = None
    ) -> tuple[list[dict[str, Any]], str]:
        body = self._call(method, path, json=json, params={**asked, **({"start": start} if start else {})})
        rows = _rows(body, key)
        return rows, str(body.get("next") or "") if rows else ""


def _rows(body: Any, key: str) -> list[dict[str, Any]]:
    rows = body.get(key) if isinstance(body, dict) else None
    return rows if isinstance(rows, list) else []


def _export(body: Any) -> dict[str, Any]:
    """The `export` of an answer, empty when there is none."""
    found = body.get("export") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}
