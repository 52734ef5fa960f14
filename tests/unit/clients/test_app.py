"""The App client against the local Customer.io; mocks for what only a larger workspace would show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.exceptions import AuthenticationError, RequestRefusedError
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

IDENTIFY = {"type": "person", "action": "identify"}


@pytest.fixture
def app(customerio: CustomerIOSandbox) -> Iterator[AppClient]:
    people = [
        {
            **IDENTIFY,
            "identifiers": {"id": f"c{n}"},
            "attributes": {"email": f"c{n}@example.com", "tier": "gold" if n % 2 else "tin"},
        }
        for n in range(150)
    ]
    with TrackClient(site_id="sandbox-site", api_key="sandbox-track-key", base_url=customerio.url) as track:
        assert track.send_batch(json.dumps({"batch": people}).encode(), 150).errors == ()
    with AppClient(api_key="sandbox-app-key", base_url=customerio.url, rate=1000) as client:
        yield client


def test_people_are_found_by_email(app: AppClient) -> None:
    assert [found["id"] for found in app.customers("C7@example.com")] == ["c7"]
    assert app.customers("nobody@example.com") == []


def test_people_are_searched_by_attribute(app: AppClient) -> None:
    gold = list(app.search({"and": [{"attribute": {"field": "tier", "operator": "eq", "value": "gold"}}]}))
    assert {found["id"] for found in gold} == {f"c{n}" for n in range(1, 150, 2)}


def test_attributes_come_in_calls_of_a_hundred_and_skip_the_unknown(
    app: AppClient, customerio: CustomerIOSandbox
) -> None:
    found = app.attributes([*(f"c{n}" for n in range(150)), "stranger"])
    assert {person["id"]: person["attributes"]["tier"] for person in found}["c149"] == "gold"
    assert len(found) == 150
    requests = httpx.get(f"{customerio.url}/_sandbox/stats").json()["requests"]
    assert requests["POST /v1/customers/attributes"] == {"200": 2}


def test_segments_their_members_and_their_counts(app: AppClient, customerio: CustomerIOSandbox) -> None:
    headers = {"Authorization": "Bearer sandbox-app-key"}
    made = httpx.post(
        f"{customerio.url}/v1/segments",
        json={"segment": {"name": "vips", "description": ""}},
        headers=headers,
    ).json()["segment"]
    httpx.post(
        f"{customerio.url}/api/v1/segments/{made['id']}/add_customers",
        json={"ids": ["c1", "c2"]},
        auth=("sandbox-site", "sandbox-track-key"),
    ).raise_for_status()
    assert "vips" in [segment["name"] for segment in app.segments()]
    assert {member["id"] for member in app.membership(made["id"])} == {"c1", "c2"}
    assert app.customer_count(made["id"]) == 2


def test_activities_are_read_by_type(app: AppClient, customerio: CustomerIOSandbox) -> None:
    assert list(app.activities("failed_attribute_change")) == []
    taken = {**IDENTIFY, "identifiers": {"id": "c1"}, "attributes": {"email": "c2@example.com"}}
    with TrackClient(site_id="sandbox-site", api_key="sandbox-track-key", base_url=customerio.url) as track:
        track.send_batch(json.dumps({"batch": [taken]}).encode(), 1)
    assert [activity["type"] for activity in app.activities("failed_attribute_change")] == [
        "failed_attribute_change"
    ]


def test_a_wrong_key_names_the_key(customerio: CustomerIOSandbox) -> None:
    with (
        AppClient(api_key="x", base_url=customerio.url) as client,
        pytest.raises(AuthenticationError, match="check the App API key"),
    ):
        client.segments()


def test_a_key_without_the_scope_says_so(app: AppClient, customerio: CustomerIOSandbox) -> None:
    settings = {"app_keys": {"sandbox-app-key": ["customers"]}}
    httpx.put(f"{customerio.url}/_sandbox/settings", json=settings).raise_for_status()
    with pytest.raises(AuthenticationError, match="scope"):
        app.segments()


def test_an_unknown_segment_is_refused(app: AppClient) -> None:
    with pytest.raises(RequestRefusedError) as raised:
        app.customer_count(999)
    assert raised.value.status == 404


def pages(*answers: dict[str, Any]) -> tuple[AppClient, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=answers[len(seen) - 1])

    return AppClient(api_key="k", rate=1000, http=httpx.MockTransport(answer)), seen


def test_all_pages_are_read_with_the_cursor_of_the_page_before() -> None:
    client, seen = pages(
        {"identifiers": [{"id": "a"}], "next": "p2"}, {"identifiers": [{"id": "b"}], "next": ""}
    )
    with client:
        assert [member["id"] for member in client.membership(7)] == ["a", "b"]
    assert [request.url.params.get("start") for request in seen] == [None, "p2"]
    assert seen[0].headers["Authorization"] == "Bearer k"
    assert seen[0].url.host == "api.customer.io"


def test_an_empty_page_ends_the_reading_though_its_cursor_lives_on() -> None:
    client, seen = pages({"activities": [{"id": "1"}], "next": "p2"}, {"activities": [], "next": "p3"})
    with client:
        assert len(list(client.activities("event"))) == 1
    assert len(seen) == 2
