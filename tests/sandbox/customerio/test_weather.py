"""Faults beyond a status, and those that strike at random by a seed."""

from __future__ import annotations

import time

import httpx
import pytest

BATCH = "/api/v2/batch"


def test_a_late_answer_is_applied(api):
    api.fault({"route": BATCH, "status": "late", "delay": 0.2})
    before = time.monotonic()
    api.add(api.identify(id="c1"))
    assert time.monotonic() - before >= 0.2
    assert api.person("c1")


def test_a_slow_body_arrives_whole(api):
    api.fault({"route": BATCH, "status": "slow_body", "delay": 0.2})
    before = time.monotonic()
    api.add(api.identify(id="c1"))
    assert time.monotonic() - before >= 0.2


def test_a_slow_body_is_too_slow_for_an_impatient_client(api):
    api.fault({"route": BATCH, "status": "slow_body", "delay": 5})
    with pytest.raises(httpx.ReadTimeout):
        api.track.post(BATCH, json={"batch": [api.identify(id="c1")]}, timeout=0.3)
    assert api.person("c1")


def test_a_truncated_body_was_applied(api):
    api.fault({"route": BATCH, "status": "truncated_body"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.batch(api.identify(id="c1"))
    assert api.person("c1")


def test_errors_on_200_name_the_items_with_the_reason_asked_for(api):
    api.fault(
        {
            "route": BATCH,
            "status": "errors_on_200",
            "match": "c2",
            "reason": "already in use",
            "field": "identifiers.id",
        }
    )
    response = api.batch(api.identify(id="c1"), api.identify(id="c2"))
    assert response.status_code == 200
    [error] = response.json()["errors"]
    assert (error["batch_index"], error["reason"], error["field"]) == (1, "already in use", "identifiers.id")
    assert api.person("c1")
    assert api.person("c2") is None


def test_a_redirect_names_another_host(api):
    api.fault({"route": BATCH, "status": 301})
    response = api.batch(api.identify(id="c1"))
    assert (response.status_code, response.headers["Location"].split("/")[2]) == (
        301,
        "track-eu.customer.io.invalid",
    )
    assert api.person("c1") is None


def weather(api, seed: int) -> list[int]:
    response = api.track.put(
        "/_sandbox/weather",
        json={
            "seed": seed,
            "faults": [
                {"route": BATCH, "status": 429, "share": 0.25, "retry_after": 1},
                {"route": BATCH, "status": 503, "share": 0.25},
            ],
        },
    )
    assert response.status_code == 200, response.text
    return [api.batch(api.identify(id=f"c{n}")).status_code for n in range(40)]


def test_the_same_seed_brings_the_same_weather_until_it_is_switched_off(api):
    first = weather(api, 7)
    assert {200, 429, 503} == set(first)
    assert weather(api, 7) == first
    assert weather(api, 8) != first
    assert api.track.delete("/_sandbox/weather").json() == {"seed": 8, "faults": []}
    assert {api.batch(api.identify(id="c1")).status_code for _ in range(10)} == {200}


def test_a_fault_on_the_list_comes_before_the_weather(api):
    weather(api, 7)
    api.fault({"route": BATCH, "status": 418})
    assert api.batch(api.identify(id="c1")).status_code == 418


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"faults": []}, "has a seed"),
        ({"seed": 1, "faults": [{"route": BATCH, "status": 429}]}, "share between 0 and 1"),
        ({"seed": 1, "faults": [{"route": BATCH, "status": 429, "share": 0.6}] * 2}, "more than 1"),
        ({"seed": 1, "faults": [{"route": BATCH, "status": "sunny", "share": 0.6}]}, "status must be"),
        ({"seed": 1, "faults": [{"route": BATCH, "status": "errors_on_200", "share": 0.1}]}, "needs match"),
    ],
)
def test_weather_that_is_none_is_refused(api, body, said):
    response = api.track.put("/_sandbox/weather", json=body)
    assert response.status_code == 400
    assert said in response.json()["error"]
