"""Transactional messages: what may have been sent is not sent again."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.transactional import TransactionalClient
from airflow_provider_cio.exceptions import RateLimitedError, UnknownOutcomeError
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

SENT = httpx.Response(200, json={"delivery_id": "d1", "queued_at": 1})


def answering(*answers: httpx.Response | Exception) -> tuple[TransactionalClient, list[httpx.Request]]:
    """A client whose requests are answered in turn, and the requests."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        given = answers[len(seen) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    def go_on(_seconds: float) -> None:
        """No pause."""

    return TransactionalClient(api_key="k", http=httpx.MockTransport(answer), sleep=go_on), seen


def send_many(messages: TransactionalClient) -> None:
    for _ in range(20):
        messages.send_email("alert", "o@example.com", {})


@pytest.mark.parametrize("unknown", [httpx.ReadTimeout("late"), httpx.Response(504)])
def test_what_may_have_been_sent_is_not_sent_again(unknown: httpx.Response | Exception) -> None:
    client, seen = answering(unknown, SENT)
    with client, pytest.raises(UnknownOutcomeError, match="may have been sent"):
        client.send_email("alert", "owner@example.com", {})
    assert len(seen) == 1


@pytest.mark.parametrize("refused", [httpx.ConnectError("no"), httpx.Response(503), httpx.Response(429)])
def test_what_was_not_sent_is_sent_again(refused: httpx.Response | Exception) -> None:
    client, seen = answering(refused, SENT)
    with client:
        assert client.send_email("alert", "owner@example.com", {"state": "late"}) == "d1"
    assert len(seen) == 2


def test_messages_have_a_limit_of_their_own(customerio: CustomerIOSandbox) -> None:
    asked = {"app_requests_per_second": 1, "transactional_requests_per_second": 1}
    httpx.put(f"{customerio.url}/_sandbox/settings", json=asked).raise_for_status()
    httpx.post(f"{customerio.url}/_sandbox/transactional", json={"name": "Alert"}).raise_for_status()
    key = {"api_key": "sandbox-app-key", "base_url": customerio.url}
    httpx.post(
        f"{customerio.url}/api/v2/entity",
        json={"type": "person", "action": "identify", "identifiers": {"email": "o@example.com"}},
        auth=("sandbox-site", "sandbox-track-key"),
    ).raise_for_status()
    with AppClient(**key) as app, TransactionalClient(**key, attempts=1) as messages:
        app.segments()
        assert messages.send_email("alert", "o@example.com", {})
        with pytest.raises(RateLimitedError):
            send_many(messages)
