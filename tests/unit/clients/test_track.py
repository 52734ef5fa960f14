"""The Track client against the local Customer.io, over real HTTP; mocks only for answers it never gives."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from airflow_provider_cio.clients.track import BatchResult, ItemError, TrackClient
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    ContractError,
    DestinationDownError,
    LeaseLostError,
    RateLimitedError,
    RequestRefusedError,
    UnknownOutcomeError,
)
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

BATCH = "/api/v2/batch"


def person(number: int, **attributes: Any) -> dict[str, Any]:
    return {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": f"c{number}"},
        "attributes": attributes,
    }


def body(*items: dict[str, Any]) -> bytes:
    return json.dumps({"batch": items}).encode()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def track(customerio: CustomerIOSandbox, pauses: list[float]) -> Iterator[Callable[..., TrackClient]]:
    clients: list[TrackClient] = []

    def client(**changes: Any) -> TrackClient:
        settings = {
            "site_id": "sandbox-site",
            "api_key": "sandbox-track-key",
            "base_url": customerio.url,
            "rate": 100_000,
            "sleep": pauses.append,
        }
        clients.append(TrackClient(**{**settings, **changes}))
        return clients[-1]

    yield client
    for opened in clients:
        opened.close()


def faults(sandbox: CustomerIOSandbox, *waiting: dict[str, Any]) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json=list(waiting)).raise_for_status()


def stats(sandbox: CustomerIOSandbox) -> dict[str, Any]:
    return dict(httpx.get(f"{sandbox.url}/_sandbox/stats").json())


def test_a_batch_arrives(customerio: CustomerIOSandbox, track: Callable[..., TrackClient]) -> None:
    result = track().send_batch(body(person(1, city="Bath"), person(2)), 2)
    assert result == BatchResult((), 1, 0)
    assert stats(customerio)["people"] == 2


def test_items_refused_in_a_207_are_named_and_the_rest_is_there(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient]
) -> None:
    broken = {"type": "person", "action": "identify", "identifiers": {"id": None}}
    result = track().send_batch(body(person(1), broken, person(2)), 3)
    assert [error.index for error in result.errors] == [1]
    assert result.errors[0].reason
    assert stats(customerio)["people"] == 2


def test_the_region_call_tests_a_connection(track: Callable[..., TrackClient]) -> None:
    assert track().region()["region"] == "us"


@pytest.mark.parametrize("wrong", [{"site_id": "x"}, {"api_key": "x"}])
def test_wrong_keys_are_not_tried_again(
    customerio: CustomerIOSandbox,
    track: Callable[..., TrackClient],
    pauses: list[float],
    wrong: dict[str, str],
) -> None:
    with pytest.raises(AuthenticationError, match="set the region to eu"):
        track(**wrong).send_batch(body(person(1)), 1)
    assert pauses == []
    assert stats(customerio)["requests"] == {f"POST {BATCH}": {"401": 1}}


def test_a_workspace_of_the_other_region_is_told_so_and_gets_nothing(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient]
) -> None:
    httpx.put(f"{customerio.url}/_sandbox/settings", json={"account_region": "eu"}).raise_for_status()
    with pytest.raises(AuthenticationError) as raised:
        track().send_batch(body(person(1)), 1)
    assert raised.value.next_step == "set the region of the connection to eu"
    assert stats(customerio)["people"] == 0


def test_a_refused_batch_carries_what_was_said(track: Callable[..., TrackClient]) -> None:
    with pytest.raises(RequestRefusedError) as raised:
        track().send_batch(b'{"batch":[', 1)
    assert raised.value.status == 400
    assert raised.value.errors[0]["reason"]


def test_a_server_error_is_tried_again(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient], pauses: list[float]
) -> None:
    faults(customerio, {"route": BATCH, "status": 500, "times": 2})
    assert track().send_batch(body(person(1)), 1) == BatchResult((), 3, 0)
    assert len(pauses) >= 2
    assert stats(customerio)["people"] == 1


def test_attempts_are_bounded(customerio: CustomerIOSandbox, track: Callable[..., TrackClient]) -> None:
    faults(customerio, {"route": BATCH, "status": 503, "times": 9})
    with pytest.raises(DestinationDownError, match="503") as raised:
        track(attempts=3).send_batch(body(person(1)), 1)
    assert raised.value.requests == 3
    assert stats(customerio)["requests"] == {f"POST {BATCH}": {"503": 3}}


def test_retry_after_is_obeyed_and_counted(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient], pauses: list[float]
) -> None:
    faults(customerio, {"route": BATCH, "status": 429, "times": 1, "retry_after": 7})
    assert track().send_batch(body(person(1)), 1) == BatchResult((), 2, 1)
    own_pause, everybodys_pause = sorted(pauses)[-2:]
    assert (round(own_pause), round(everybodys_pause)) == (7, 7)


def test_a_retry_after_beyond_the_time_allowed_gives_up_at_once(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient], pauses: list[float]
) -> None:
    faults(customerio, {"route": BATCH, "status": 429, "times": 9, "retry_after": 3600})
    with pytest.raises(RateLimitedError) as raised:
        track(seconds=60).send_batch(body(person(1)), 1)
    assert raised.value.retry_after == 3600
    assert stats(customerio)["requests"] == {f"POST {BATCH}": {"429": 1}}


@pytest.mark.parametrize("fault", ["reset_after", "timeout_after"])
def test_an_answer_that_is_lost_is_asked_for_again(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient], fault: str
) -> None:
    faults(customerio, {"route": BATCH, "status": fault, "times": 1})
    assert track(timeout=0.5).send_batch(body(person(1)), 1).requests == 2
    assert stats(customerio)["people"] == 1


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "timeout", "timeout_after"])
def test_without_any_answer_the_outcome_is_unknown(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient], fault: str
) -> None:
    faults(customerio, {"route": BATCH, "status": fault, "times": 9})
    with pytest.raises(UnknownOutcomeError, match="may have been applied"):
        track(timeout=0.3, attempts=2).send_batch(body(person(1)), 1)


def test_an_unknown_attempt_stays_unknown_whatever_the_last_one_says(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient]
) -> None:
    faults(
        customerio,
        {"route": BATCH, "status": "reset_after", "times": 1},
        {"route": BATCH, "status": 500, "times": 9},
    )
    with pytest.raises(UnknownOutcomeError):
        track(attempts=2).send_batch(body(person(1)), 1)
    assert stats(customerio)["people"] == 1


def test_refused_keys_end_the_call_even_after_an_unknown_attempt(
    customerio: CustomerIOSandbox, track: Callable[..., TrackClient]
) -> None:
    faults(
        customerio,
        {"route": BATCH, "status": "reset_after", "times": 1},
        {"route": BATCH, "status": 401, "times": 1},
    )
    with pytest.raises(AuthenticationError) as raised:
        track().send_batch(body(person(1)), 1)
    assert raised.value.requests == 2


def test_a_base_url_without_a_scheme_is_refused() -> None:
    with pytest.raises(ContractError, match="begin it with https"):
        TrackClient(site_id="s", api_key="k", base_url="localhost:8025")


def test_a_host_that_does_not_listen_is_down_not_unknown(track: Callable[..., TrackClient]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(DestinationDownError, match="could not be reached"):
            track(base_url=closed, attempts=2).send_batch(body(person(1)), 1)


def test_threads_share_a_client(customerio: CustomerIOSandbox, track: Callable[..., TrackClient]) -> None:
    client = track()
    results: list[BatchResult] = []
    threads = [
        threading.Thread(
            target=lambda n=n: results.append(client.send_batch(body(person(n), person(n + 100)), 2))
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [BatchResult((), 1, 0)] * 8
    assert stats(customerio)["people"] == 16


def answering(status: int, content: Any) -> TrackClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=content, request=request))
    return TrackClient(site_id="s", api_key="k", http=transport, sleep=lambda seconds: None)


NOT_WRITTEN = [
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.LocalProtocolError,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.WriteError,
    httpx.WriteTimeout,
]
WRITTEN = [httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.DecodingError]


@pytest.mark.parametrize(
    ("problem", "error"),
    [*((p, DestinationDownError) for p in NOT_WRITTEN), *((p, UnknownOutcomeError) for p in WRITTEN)],
)
def test_only_what_was_written_whole_may_have_been_applied(problem: Any, error: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise problem("no", request=request)

    transport = httpx.MockTransport(fail)
    with (
        TrackClient(site_id="s", api_key="k", attempts=1, http=transport) as client,
        pytest.raises(error) as raised,
    ):
        client.send_batch(b"{}", 1)
    assert type(raised.value) is error


@pytest.mark.parametrize("status", [200, 202, 207])
def test_errors_are_read_from_every_2xx(status: int) -> None:
    errors = [
        {"batch_index": 2, "reason": "r", "field": "f", "message": "m"},
        {"batch_index": 2, "reason": "again"},
    ]
    with answering(status, {"errors": errors}) as client:
        assert client.send_batch(b"{}", 3).errors == (ItemError(2, "r", "f"),)


@pytest.mark.parametrize("content", [{}, {"errors": []}])
def test_a_2xx_without_errors_accepts_every_item(content: Any) -> None:
    with answering(200, content) as client:
        assert client.send_batch(b"{}", 3).errors == ()


@pytest.mark.parametrize("index", [None, 3, "x"])
def test_an_error_that_names_no_item_accepts_none(index: Any) -> None:
    with answering(207, {"errors": [{"batch_index": index, "reason": "r", "field": "f"}]}) as client:
        assert client.send_batch(b"{}", 3).errors == tuple(ItemError(n, "r", "f") for n in range(3))


@pytest.mark.parametrize(("region", "host"), [("us", "track.customer.io"), ("eu", "track-eu.customer.io")])
def test_each_region_has_its_host_and_basic_auth(region: Any, host: str) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    with TrackClient(site_id="s", api_key="k", region=region, http=httpx.MockTransport(answer)) as client:
        client.send_batch(b'{"batch":[]}', 0)
    assert str(seen[0].url) == f"https://{host}{BATCH}"
    assert seen[0].headers["Authorization"] == "Basic czpr"
    assert seen[0].headers["Content-Type"] == "application/json"
    assert seen[0].headers["User-Agent"].startswith("airflow-provider-cio/")


@pytest.mark.parametrize("content", [[], None, "hello"])
def test_a_2xx_that_is_not_customerios_answer_accepts_nothing(content: Any) -> None:
    with answering(200, content) as client, pytest.raises(UnknownOutcomeError, match="look for a proxy"):
        client.send_batch(b"{}", 3)


def test_who_may_no_longer_send_stops_between_two_tries() -> None:
    """What an earlier try left unknown stays so, and the check's own error ends a call that nothing came of."""
    tries: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise httpx.ReadTimeout("slow", request=request)

    client = TrackClient(
        site_id="s", api_key="k", rate=1e6, http=httpx.MockTransport(answer), sleep=lambda _: None
    )

    def lost() -> None:
        if len(tries) == limit:
            raise LeaseLostError("lost", next_step="wait")

    client.before_each(lost)
    limit = 0
    with pytest.raises(LeaseLostError) as raised:
        client.send_batch(b"{}", 1)
    assert (raised.value.requests, raised.value.maybe_applied) == (0, False)
    limit = 2
    with pytest.raises(UnknownOutcomeError) as unknown:
        client.send_batch(b"{}", 1)
    assert (unknown.value.requests, len(tries)) == (2, 2)
