"""The test cohort: sent alone, read back, compared; spot-checks of segments and of campaigns."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.verify import verify
from airflow_provider_cio.exceptions import ContractError

pytest_plugins = ("sync_lab",)

DAY = 86_400
SEGMENTS = {
    "repeat buyers": {"attribute": {"field": "order_count", "operator": "gte", "value": 2}},
    "inactive 60 days": {"attribute": {"field": "seen_at", "operator": "older_than_days", "value": 60}},
    "first order in the last 14 days": {
        "attribute": {"field": "seen_at", "operator": "within_days", "value": 14}
    },
}
COUNTS = {
    "repeat buyers": "SELECT COUNT(*) FROM cio_marts.customers WHERE orders >= 2",
    "inactive 60 days": (
        "SELECT COUNT(*) FROM cio_marts.customers WHERE seen_at < DATEADD(day, -60, GETDATE())"
    ),
    "first order in the last 14 days": (
        "SELECT COUNT(*) FROM cio_marts.customers WHERE seen_at >= DATEADD(day, -14, GETDATE())"
    ),
}


def context(lab, sync, run_id="verify-1"):
    return lab.context(sync, run_id, app=lab.app())


def control(lab, path, **body):
    answer = httpx.post(f"{lab.customerio.url}/_sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text


def different(lines):
    return [(line.what, line.actual) for line in lines if not line.ok]


def test_only_the_cohort_is_sent_and_each_field_is_compared(lab):
    lab.customers(20)
    lines = verify(context(lab, lab.people(cohort=["c3", " c4 "])), wait=0)
    assert (different(lines), lab.stats()["people"]) == ([], 2)
    compared = {(line.who, line.what): (line.expected, line.actual) for line in lines}
    assert compared[hashed("c3"), "name"] == ("Name 3", "Name 3")
    assert compared[hashed("c4"), "spent"] == (4.5, "4.5")
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 18


def test_what_is_not_as_it_was_sent_is_named(lab):
    lab.run(
        "INSERT INTO cio_marts.customers (customer_id, email, name) VALUES ('c1', 'taken@example.com', 'Ada')"
    )
    lab.writer(
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "other"},
            "attributes": {"email": "taken@example.com"},
        }
    )
    sync = lab.people(attributes={"email": "email", "name": "name"}, cohort=["c1", "nobody"])
    assert different(verify(context(lab, sync), wait=0)) == [("email", None), ("row of the source", "none")]


def test_the_cohorts_events_and_the_campaign_that_waits_for_them(lab):
    control(lab, "campaigns", name="Thanks", trigger={"event": "Order Completed"})
    lab.run("INSERT INTO cio_marts.orders SELECT 'o' || n, 'c' || n, GETDATE(), n, 1 FROM digits")
    sync = lab.events(cohort=["c1", "c2"], backfill={}, checks=[{"campaign": "Thanks"}])
    lines = verify(context(lab, sync), wait=0)
    assert different(lines) == []
    assert [(line.expected, line.actual) for line in lines if line.what == "journeys of 'Thanks'"] == [(2, 2)]
    assert [line.what for line in lines if line.what.endswith(".order_id")] == [
        "Order Completed.order_id"
    ] * 2
    assert lab.stats()["events"] == 2


def test_a_campaign_that_waits_for_something_else(lab):
    control(lab, "campaigns", name="Thanks", trigger={"event": "Order Complete"})
    lab.run("INSERT INTO cio_marts.orders VALUES ('o1', 'c1', GETDATE(), 1, 1)")
    sync = lab.events(cohort=["c1"], checks=[{"campaign": "Thanks"}])
    assert different(verify(context(lab, sync), wait=0)) == [("journeys of 'Thanks'", 0)]


def test_segments_against_redshift(lab):
    for name, conditions in SEGMENTS.items():
        control(lab, "segments", name=name, conditions=conditions)
    lab.customers(12)
    for days, person in ((1, 1), (10, 2), (30, 3), (61, 4), (400, 5), (90, 6)):
        lab.run(
            f"UPDATE cio_marts.customers SET seen_at = DATEADD(day, -{days}, GETDATE()) "
            f"WHERE customer_id = 'c{person}'"
        )
    checks = [{"segment": name, "expect": sql} for name, sql in COUNTS.items()]
    fields = {"order_count": "orders", "seen_at": "seen_at"}
    sync = lab.people(attributes=fields, cohort=["c1"], checks=checks)
    run_sync(lab.context(sync))
    lines = verify(context(lab, sync), wait=0)
    counted = {line.what: (line.expected, line.actual) for line in lines if not line.who}
    assert counted == {
        "segment 'repeat buyers'": (10, 10),
        "segment 'inactive 60 days'": (3, 3),
        "segment 'first order in the last 14 days'": (2, 2),
    }
    assert different(lines) == []

    lab.customers(3, start=50)  # not sent yet
    assert different(verify(context(lab, sync, "verify-2"), wait=0)) == [("segment 'repeat buyers'", 10)]
    lenient = sync.model_copy(update={"checks": [sync.checks[0].model_copy(update={"tolerance": 3})]})
    assert different(verify(context(lab, lenient, "verify-3"), wait=0)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "there is no cohort"),
        (
            {"cohort": ["c1"], "checks": [{"segment": "VIP", "expect": "SELECT 1"}]},
            "there is no segment 'VIP'",
        ),
    ],
)
def test_what_cannot_be_verified_is_said(lab, changes, said):
    lab.customers(2)
    with pytest.raises(ContractError, match=said):
        verify(context(lab, lab.people(**changes)), wait=0)


def test_an_unknown_campaign_is_said_before_anything_is_sent(lab):
    sync = lab.events(cohort=["c1"], checks=[{"campaign": "Nothing"}])
    with pytest.raises(ContractError, match="no campaign 'Nothing'"):
        verify(context(lab, sync), wait=0)
    assert lab.received() == 0
