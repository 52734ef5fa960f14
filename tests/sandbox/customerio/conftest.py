"""One server for each file, emptied before each test, and a client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox


class Api:
    """Track, App and control calls against one sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.track = httpx.Client(base_url=url, auth=("sandbox-site", "sandbox-track-key"), timeout=60)
        self.app = httpx.Client(base_url=url, headers={"Authorization": "Bearer sandbox-app-key"})

    def close(self) -> None:
        self.track.close()
        self.app.close()

    def batch(self, *items: Any) -> httpx.Response:
        return self.track.post("/api/v2/batch", json={"batch": list(items)})

    def entity(self, item: Any) -> httpx.Response:
        return self.track.post("/api/v2/entity", json=item)

    def identify(self, attributes: dict[str, Any] | None = None, **identifier: str) -> dict[str, Any]:
        """An item; ``timestamp`` and the like are added by the caller."""
        return {
            "type": "person",
            "action": "identify",
            "identifiers": identifier,
            "attributes": attributes or {},
        }

    def act(self, action: str, identifier: dict[str, Any], **rest: Any) -> dict[str, Any]:
        return {"type": "person", "action": action, "identifiers": identifier, **rest}

    def add(self, *items: Any) -> None:
        """Send items that must all be accepted."""
        response = self.batch(*items)
        assert (response.status_code, response.json()) == (200, {})

    def person(self, identifier: str) -> dict[str, Any] | None:
        response = self.track.get(f"/_sandbox/people/{identifier}")
        return response.json() if response.status_code == 200 else None

    def cio_id(self, identifier: str) -> str:
        found = self.person(identifier)
        assert found is not None
        return found["cio_id"]

    def events(self, **asked: Any) -> list[dict[str, Any]]:
        return self.track.get("/_sandbox/events", params=asked).json()["events"]

    def activities(self, **asked: Any) -> list[dict[str, Any]]:
        response = self.app.get("/v1/activities", params={"limit": 100, **asked})
        assert response.status_code == 200
        return response.json()["activities"]

    def stats(self) -> dict[str, Any]:
        return self.track.get("/_sandbox/stats").json()

    def dropped(self) -> dict[str, int]:
        return self.stats()["items"]["dropped_by_reason"]

    def set(self, **changes: Any) -> None:
        response = self.track.put("/_sandbox/settings", json=changes)
        assert response.status_code == 200, response.text

    def fault(self, *faults: dict[str, Any]) -> None:
        response = self.track.post("/_sandbox/faults", json=list(faults))
        assert response.status_code == 200, response.text

    def segment(self, name: str = "VIP") -> int:
        return self.app.post("/v1/segments", json={"segment": {"name": name}}).json()["segment"]["id"]


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CustomerIOSandbox]:
    with CustomerIOSandbox(tmp_path_factory.mktemp("customerio"), port=None) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def _api(_server: CustomerIOSandbox) -> Iterator[Api]:
    client = Api(_server.url)
    yield client
    client.close()


@pytest.fixture
def api(_api: Api) -> Api:
    assert _api.track.post("/_sandbox/reset").status_code == 204
    return _api


@pytest.fixture
def connect() -> Iterator[Any]:
    """Make clients for sandboxes that a test starts itself."""
    made: list[Api] = []

    def _connect(url: str) -> Api:
        made.append(Api(url))
        return made[-1]

    yield _connect
    for client in made:
        client.close()
