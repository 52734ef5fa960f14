"""Telling owners: notifiers by import path, Customer.io's among them, with and without the books."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from airflow_provider_cio.core.contract import Connections, Notify
from airflow_provider_cio.core.watch.alerting import Observation
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.exceptions import EndedEarlyError, RequestRefusedError, WarehouseError

pytest_plugins = ("customerio_sandbox",)
NOTIFIER = "airflow_provider_cio.notifications.customerio.CustomerIONotifier"


@pytest.fixture
def workspace(airflow_home: object, customerio: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The sandbox with one owner and one transactional message, as `customerio_default`."""
    extra = {"app_api_key": "sandbox-app-key", "base_url": customerio.url}
    monkeypatch.setenv(
        "AIRFLOW_CONN_CUSTOMERIO_DEFAULT", json.dumps({"conn_type": "customerio", "extra": extra})
    )
    owner = {"type": "person", "action": "identify", "identifiers": {"id": "o1"}}
    httpx.post(
        f"{customerio.url}/api/v2/entity",
        json=owner | {"attributes": {"email": "owner@example.com"}},
        auth=("sandbox-site", "sandbox-track-key"),
    ).raise_for_status()
    httpx.post(f"{customerio.url}/_sandbox/transactional", json={"name": "Alert"}).raise_for_status()
    return customerio


def desk(**arguments: Any) -> Any:
    from airflow_provider_cio.hooks.alerts import Desk

    channel = Notify(notifier=NOTIFIER, arguments={"to": "owner@example.com", **arguments})
    return Desk(Connections(redshift="nowhere"), (channel,), runbook="https://runbook")


def deliveries(workspace: Any) -> list[Any]:
    answer = httpx.get(
        f"{workspace.url}/v1/messages", headers={"Authorization": "Bearer sandbox-app-key"}
    ).raise_for_status()
    return list(answer.json()["messages"])


MISSED = Observation("deadline", Subject("sync", "people"), "critical", "run r1 is late", owner="retention")


def test_an_owner_is_told_by_a_transactional_message_even_without_the_books(workspace: Any) -> None:
    assert desk(transactional_message_id="alert").see(MISSED) == NOTIFIER
    assert len(deliveries(workspace)) == 1


def test_a_message_that_is_not_taken_is_an_error(workspace: Any) -> None:
    with pytest.raises(RequestRefusedError):
        desk(transactional_message_id=99).see(MISSED)


def test_a_channel_that_fails_does_not_keep_the_others_back(workspace: Any) -> None:
    from dataclasses import replace

    good, bad = desk(transactional_message_id="alert"), desk(transactional_message_id=99)
    assert replace(good, channels=bad.channels + good.channels).see(MISSED) == NOTIFIER


def test_a_failed_task_names_class_and_next_step_and_no_more(
    workspace: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider_cio.hooks.alerts import on_failure

    tell = on_failure(desk(transactional_message_id="alert"), Subject("sync", "people"), "retention")

    class Task:
        task_id = "unload"

    context = {"run_id": "r1", "task_instance": Task()}
    tell({**context, "exception": EndedEarlyError("nothing to say")})
    assert deliveries(workspace) == []
    tell({**context, "exception": WarehouseError("secret@example.com", next_step="look at stl_error")})
    assert len(deliveries(workspace)) == 1
    assert (
        "CRITICAL: failed:sync:people: task unload of run r1 failed: WarehouseError. Next step: look at stl_error\n"
        "Owner: retention. Run-book: https://runbook#warehouseerror"
    ) in caplog.text
    tell({**context, "exception": KeyError("secret@example.com")})
    assert "failed: KeyError. Next step: read the log of the task." in caplog.text
    assert "secret@example.com" not in caplog.text
