"""A connection of type `customerio`, as a hook reads it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider_cio.exceptions import ContractError

KEYS = {"site_id": "sandbox-site", "track_api_key": "sandbox-track-key"}


@pytest.fixture
def hook(airflow_home: object, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A hook over a connection with these extras."""

    def make(**extra: Any) -> Any:
        from airflow_provider_cio.hooks.customerio import CustomerIOHook

        text = json.dumps({"conn_type": "customerio", "extra": extra})
        monkeypatch.setenv("AIRFLOW_CONN_CUSTOMERIO_DEFAULT", text)
        return CustomerIOHook()

    return make


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"regoin": "eu"}, "unknown extra 'regoin'. Next step: write `region`."),
        ({"host": "x"}, "unknown extra 'host'. Next step: remove it; known are region, site_id,"),
        ({"region": "uk"}, "region is neither us nor eu"),
        ({"rate_limit": "fast"}, "rate_limit is not a number above 0"),
        ({"rate_limit": 0}, "rate_limit is not a number above 0"),
        (
            {"rate_slots": -1},
            "rate_slots is not a number above 0. Next step: give the slots of the Airflow pool",
        ),
        ({"item_rate_limit": "inf"}, "item_rate_limit is not a number above 0"),
        ({"rate": "fast"}, "rate is neither fixed nor adaptive"),
        ({"track_api_key": "k"}, "has no site_id. Next step: fill it in"),
        ({"site_id": "s"}, "has no track_api_key"),
    ],
)
def test_what_cannot_be_used_is_named(hook: Any, extra: dict[str, Any], message: str) -> None:
    with pytest.raises(ContractError) as refused:
        hook(**extra).track_client()
    assert "'customerio_default'" in str(refused.value)
    assert message in str(refused.value)


def test_empty_fields_of_the_form_are_not_given(hook: Any) -> None:
    hook(**KEYS, base_url="", app_api_key=None, rate_limit=None, workspace_id="").track_client().close()


@pytest.mark.parametrize(
    ("extra", "slots", "rate", "items"),
    [
        ({}, 1, 10, None),  # a tenth of 100 requests a second
        ({}, 2, 20, None),
        ({"rate_slots": 1}, 1, 100, None),
        ({"rate_slots": 2, "rate_limit": 20}, 5, 20, None),  # never more than the whole
        ({"item_rate_limit": 500}, 1, 10, 50),
    ],
)
def test_a_task_gets_the_share_of_its_slots(
    hook: Any, extra: dict[str, Any], slots: int, rate: float, items: float | None
) -> None:
    with hook(**KEYS, **extra).track_client(slots) as track:
        assert (track.budget.rate, track.budget.item_rate) == (rate, items)


@pytest.mark.parametrize(
    ("extra", "slots", "rate"), [({}, 1, 5), ({}, 3, 10), ({"app_rate_slots": 5, "rate_limit": 900}, 1, 2)]
)
def test_reading_back_has_a_budget_of_its_own(
    hook: Any, extra: dict[str, Any], slots: int, rate: float
) -> None:
    made = hook(**KEYS, app_api_key="k", **extra)
    with made.app_client(slots) as app, made.track_client(slots) as track:
        assert app.budget.rate == rate
        assert app.budget is not track.budget


def test_an_absent_connection_says_what_to_do(airflow_home: object) -> None:
    from airflow_provider_cio.hooks.customerio import CustomerIOHook

    with pytest.raises(ContractError, match=r"There is no connection 'nobody'\. Next step: add it under"):
        CustomerIOHook("nobody").track_client()


def test_secrets_are_not_shown(hook: Any) -> None:
    made = hook(**KEYS)
    assert "sandbox-track-key" not in repr(made.settings) + repr(made) + str(made.__dict__)


def test_the_clients_work(hook: Any, customerio: Any) -> None:
    made = hook(**KEYS, app_api_key="sandbox-app-key", base_url=customerio.url)
    person = {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "c1"},
        "attributes": {"name": "Ada"},
    }
    with made.track_client() as track:
        assert track.send_batch(json.dumps({"batch": [person]}).encode(), 1).errors == ()
    with made.app_client() as app:
        assert [found["attributes"]["name"] for found in app.attributes(["c1"])] == ["Ada"]


def test_the_connection_test_tells_region_and_workspace(hook: Any, customerio: Any) -> None:
    ok, told = hook(**KEYS, base_url=customerio.url).test_connection()
    assert ok
    assert "region us, workspace 1" in told
    assert "no App API key" in told
    ok, told = hook(**KEYS, base_url=customerio.url, app_api_key="sandbox-app-key").test_connection()
    assert ok
    assert "the App API key sees" in told


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"track_api_key": "wrong"}, "refused the keys (401"),
        (
            {"region": "eu"},
            "belong to a workspace in region 'us', and the connection says 'eu'. Next step: set the",
        ),
        ({"workspace_id": "7"}, "belong to workspace 1, and the connection says 7"),
        ({"app_api_key": "wrong"}, "check the App API key of the connection"),
    ],
)
def test_the_connection_test_says_what_is_wrong(
    hook: Any, customerio: Any, extra: dict[str, Any], message: str
) -> None:
    ok, told = hook(**KEYS | {"base_url": customerio.url} | extra).test_connection()
    assert not ok
    assert message in told
    assert "Next step: " in told
    assert "sandbox-track-key" not in told


def test_the_sandbox_settings_of_a_redirected_account(hook: Any, customerio: Any) -> None:
    """An EU account behind a connection that says us: the API answers 200, and the test still refuses."""
    change = {"account_region": "eu"}
    httpx.put(f"{customerio.url}/_sandbox/settings", json=change, trust_env=False).raise_for_status()
    ok, told = hook(**KEYS, base_url=customerio.url).test_connection()
    assert not ok
    assert "set the region of the connection to eu" in told


@pytest.mark.parametrize(
    ("extra", "address"),
    [
        ({"workspace_id": "12"}, "https://fly.customer.io/workspaces/12/journeys/people"),
        ({"workspace_id": "12", "region": "eu"}, "https://fly-eu.customer.io/workspaces/12/journeys/people"),
        ({"base_url": "http://127.0.0.1:8025"}, "http://127.0.0.1:8025"),
        ({}, ""),
    ],
)
def test_the_page_of_the_workspace(hook: Any, extra: dict[str, Any], address: str) -> None:
    assert hook(**extra).web_url() == address


def test_it_works_in_a_plain_task(hook: Any) -> None:
    from airflow.sdk import task

    hook(workspace_id="3")

    @task
    def where() -> str:
        from airflow_provider_cio.hooks.customerio import CustomerIOHook

        return CustomerIOHook().web_url()

    assert where.function().endswith("/3/journeys/people")
