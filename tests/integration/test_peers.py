"""Mistakes that were found in other systems for the same job; each test names whose it is and shows ours without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pytest

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.batching import BODY_LIMIT, bodies
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import (
    GuardStoppedError,
    RejectedRowsError,
)

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

ACCEPTED = "SELECT COUNT(*) FROM cio_sync.state"
REJECTED = "SELECT key_hash, reason FROM cio_sync.rejects"


def test_f1_segment_counts_a_207_with_errors_as_success(lab: Lab) -> None:
    lab.customers(20)
    lab.faults({"status": 207, "match": '"c7"', "reason": "invalid"})
    report = run_sync(lab.context(lab.people(max_rejected_pct=10)))
    assert (report.accepted, report.rejected) == (19, 1)
    assert lab.rows(ACCEPTED) == [(19,)]
    assert [reason for _, reason in lab.rows(REJECTED)] == ["invalid"]


def test_f2_customerio_python_does_not_retry_429(lab: Lab) -> None:
    lab.customers(20)
    lab.faults({"status": 429, "retry_after": 1})
    report = run_sync(lab.context(lab.people()))
    assert (report.accepted, report.rate_limited, report.status) == (20, 1, "sent")


def test_f2_customerio_python_shifts_moments_with_a_zone_and_forgets_nested_ones(lab: Lab) -> None:
    lab.insert(
        "customers (customer_id, seen_at, extra)",
        [
            "('c1', CAST('2024-03-01 12:00:00+02' AS TIMESTAMPTZ), JSON_PARSE('{\"at\": \"2024-03-01T12:00:00Z\"}'))"
        ],
    )
    attributes = {"seen_at": "seen_at", "extra": "extra"}
    run_sync(lab.context(lab.people(attributes=attributes)))
    assert lab.person("c1")["attributes"]["seen_at"] == 1709287200
    assert lab.person("c1")["attributes"]["extra"] == {"at": "2024-03-01T12:00:00Z"}


def test_f3_valmi_crashes_on_a_207(lab: Lab) -> None:
    lab.customers(3)
    lab.faults({"status": 207, "match": '"id":"c', "reason": "invalid"})
    report = run_sync(lab.context(lab.people(max_rejected_pct=100)))
    assert (report.accepted, report.rejected, report.status) == (0, 3, "partial")


def test_f3_f4_valmi_and_airbyte_send_batches_over_the_limit(lab: Lab) -> None:
    """One does not count the bytes it writes, the other looks after it has added the record."""
    lab.run(
        "INSERT INTO cio_marts.customers (customer_id, name) SELECT 'c' || n, REPEAT('x', 990) FROM digits"
    )
    for start in range(1, 60):
        lab.run(
            f"INSERT INTO cio_marts.customers (customer_id, name) SELECT 'c' || (n + {10 * start}), "
            "REPEAT('x', 990) FROM digits"
        )
    report = run_sync(lab.context(lab.people(), lanes=1))
    sizes = [
        request["size"]
        for request in lab._sandbox("GET", "requests")["requests"]
        if request["route"] == "/api/v2/batch"
    ]
    assert (report.accepted, len(sizes)) == (600, 2)
    assert BODY_LIMIT - 2_000 < max(sizes) <= BODY_LIMIT


def test_f4_airbyte_never_uses_the_eu_host() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={})

    with TrackClient(
        site_id="s", api_key="k", region="eu", rate=100, http=httpx.MockTransport(answer)
    ) as client:
        client.send_batch(b'{"batch":[]}', 0)
    assert [url.host for url in asked] == ["track-eu.customer.io"]


def test_f4_airbyte_identifies_by_email_only(lab: Lab) -> None:
    lab.insert("customers (customer_id, email, orders)", ["('c1', 'a@example.com', 1)"])
    sync = lab.people(attributes={"email": "email", "order_count": "orders"})
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET email = 'b@example.com'")
    lab._sandbox("PUT", "settings", json={"email_update_by_id": True})
    run_sync(lab.context(sync, "run-2"))
    assert (lab.stats()["people"], lab.person("c1")["email"]) == (1, "b@example.com")


@pytest.mark.parametrize("first", [1, 31_000])
def test_f5_rudder_forgets_the_item_that_opens_a_new_batch(first: int) -> None:
    """A counter that starts at 0 instead of the item's size lets every batch but the first grow over the limit."""
    items = pa.array([b"x" * first, *([b"x" * 31_000] * 60)], pa.large_binary())
    batches = list(bodies(items))
    assert sum(len(batch) for batch in batches) == 61
    assert max(len(batch.body) for batch in batches) <= BODY_LIMIT


def test_f15_airflows_interval_check_passes_on_zero_rows(lab: Lab) -> None:
    lab.customers(5)
    run_sync(lab.context(lab.people()))
    lab.run("DELETE FROM cio_marts.customers")
    with pytest.raises(GuardStoppedError, match="0 source rows, fewer than min_rows 1"):
        run_sync(lab.context(lab.people(), "run-2"))


def test_f16_hightouch_calls_a_partial_failure_success(lab: Lab) -> None:
    lab.customers(20)
    lab.faults({"status": 207, "match": '"c7"', "reason": "invalid"})
    with pytest.raises(RejectedRowsError, match=r"1 of 20 rows were refused \(5.00 %, allowed 1 %\)"):
        run_sync(lab.context(lab.people()))


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": "reset_before"}, {"status": 429}])
def test_f17_census_marked_records_as_synced_that_were_never_sent(lab: Lab, fault: dict[str, Any]) -> None:
    lab.customers(20)
    lab.faults({**fault, "times": 2})
    with pytest.raises(Exception, match=r"Next step"):
        run_sync(lab.context(lab.people()))
    assert lab.rows(ACCEPTED) == [(0,)]
    assert run_sync(lab.context(lab.people())).accepted == 20
    assert (lab.rows(ACCEPTED), lab.stats()["people"]) == ([(20,)], 20)
