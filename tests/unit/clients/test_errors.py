"""Every status of the 3xx, 4xx and 5xx means one class; messages tell no person's data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
import time_machine

from airflow_provider_cio.clients.errors import error_of, errors_in, retry_after
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    CustomerIOProviderError,
    DestinationDownError,
    MissingScopeError,
    RateLimitedError,
    RequestRefusedError,
    UnknownOutcomeError,
)

REQUEST = httpx.Request("POST", "https://track.customer.io/api/v2/batch")
SPECIAL = {
    401: AuthenticationError,
    403: MissingScopeError,
    408: UnknownOutcomeError,
    425: UnknownOutcomeError,
    429: RateLimitedError,
    502: UnknownOutcomeError,
    504: UnknownOutcomeError,
    524: UnknownOutcomeError,
}


def error(status: int, json: object = None, **headers: str) -> CustomerIOProviderError | None:
    response = httpx.Response(status, json=json, headers=headers, request=REQUEST)
    return error_of(response, keys="the site id and the Track API key", other_region="eu")


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_its_class_and_a_next_step(status: int) -> None:
    expected = SPECIAL.get(status, DestinationDownError if status >= 500 else RequestRefusedError)
    found = error(status)
    assert type(found) is expected
    assert str(status) in found.message
    assert "track.customer.io" in found.message
    assert found.next_step


@pytest.mark.parametrize("status", [200, 204, 207])
def test_success_is_no_error(status: int) -> None:
    assert error(status) is None


def test_refused_keys_name_the_keys_and_the_other_region() -> None:
    assert str(error(401)) == (
        "track.customer.io refused the keys (401 for POST /api/v2/batch). Next step: check the site id "
        "and the Track API key of the connection; a key of an EU workspace is refused by track.customer.io: "
        "set the region to eu"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_with_the_region_to_set(status: int) -> None:
    found = error(status, Location="https://track-eu.customer.io/api/v2/batch")
    assert isinstance(found, AuthenticationError)
    assert found.next_step == "set the region of the connection to eu"


def test_a_refusal_carries_reasons_and_fields_but_no_messages() -> None:
    body = {
        "errors": [{"reason": "required", "field": "identifiers", "message": "ada@example.com lacks an id"}]
    }
    found = error(400, body)
    assert isinstance(found, RequestRefusedError)
    assert (found.status, found.errors) == (400, ({"reason": "required", "field": "identifiers"},))
    assert "identifiers required" in str(found)
    assert "ada@example.com" not in repr(found.errors) + str(found)


def test_a_reason_that_quotes_a_person_is_redacted() -> None:
    found = error(400, {"errors": [{"reason": "invalid email ada@example.com", "field": "email"}]})
    assert "ada@example.com" not in str(found)
    assert "invalid email <email>" in str(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"errors": [{"batch_index": 3, "reason": "r", "field": "f"}]},
            [{"reason": "r", "field": "f", "batch_index": "3"}],
        ),
        ({"errors": [{"detail": "unauthorized", "status": 401}]}, [{"reason": "unauthorized", "field": ""}]),
        ({"errors": []}, []),
        ({"errors": None}, []),
        ({"errors": ["text"]}, []),
        ({"meta": {"error": "x"}}, []),
        ([1], []),
    ],
)
def test_every_shape_of_error_body(body: object, expected: list[dict[str, str]]) -> None:
    assert list(errors_in(httpx.Response(400, json=body))) == expected


def test_a_body_that_is_no_json_holds_no_errors() -> None:
    assert list(errors_in(httpx.Response(502, text="<html>Bad gateway</html>"))) == []


def test_retry_after_in_both_forms() -> None:
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False):
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
        assert retry_after(later) == 90
        assert retry_after(format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)) == 0
    assert retry_after("7") == 7
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_a_rate_limit_tells_how_long() -> None:
    found = error(429, **{"Retry-After": "12"})
    assert isinstance(found, RateLimitedError)
    assert found.retry_after == 12
