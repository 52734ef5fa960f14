from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from airflow_provider_cio.core.event_id import ulid
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.warehouse.state import changes_table

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)
NO_GUARDS = {"max_unidentified_pct": 100}


def test_each_event_is_sent_once_for_ever(lab: Lab) -> None:
    lab.orders(100)
    first = run_sync(lab.context(lab.events()))
    assert (first.accepted, lab.stats()["events"]) == (100, 100)
    lab.orders(5, start=100)
    second = run_sync(lab.context(lab.events(), "run-2"))
    assert (second.counts.added, second.accepted, second.counts.unchanged) == (5, 5, 100)
    assert (lab.received(), lab.stats()["events"]) == (105, 105)


def test_event_ids_minted_in_sql_are_those_of_python(lab: Lab) -> None:
    moments = [
        "1970-01-01 00:00:00",
        "2009-12-01 07:45:00",
        "2024-02-29 23:59:59.999999",
        "2026-01-19 03:14:08.5",
    ]
    keys = {
        "489434": "'489434'",
        "a'b\\c": "'a''b' || CHR(92) || 'c'",
        "Zoë": "'Zoë'",
        "k" * 500: "REPEAT('k', 500)",
    }
    lab.insert(
        "orders (order_id, customer_id, ordered_at)",
        [f"({key}, 'c1', '{at}')" for key, at in zip(keys.values(), moments, strict=True)],
    )
    context = lab.context(lab.events(lookback="36500d"))
    plan = make_plan(context)
    table = changes_table("cio_sync", "orders", plan.plan_id)
    minted = lab.rows(f"SELECT row_key, occurred_at, event_id FROM {table}")
    assert {row[0] for row in minted} == set(keys)
    for key, at, event_id in minted:
        milliseconds = int((at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        assert event_id == ulid("shop", "orders", key, milliseconds)


def test_an_event_that_changed_after_it_was_sent_is_a_finding(lab: Lab) -> None:
    lab.orders(10)
    run_sync(lab.context(lab.events()))
    lab.run("UPDATE cio_marts.orders SET total = 1 WHERE order_id = 'o3'")
    lab.run("UPDATE cio_marts.orders SET ordered_at = '2024-01-01' WHERE order_id = 'o4'")
    report = run_sync(lab.context(lab.events(), "run-2"))
    assert (report.sent, report.counts.unchanged, report.counts.changed) == (0, 10, 0)
    [(name, rows, samples)] = lab.rows(
        "SELECT name, rows, samples FROM cio_sync.findings WHERE run_id = 'run-2'"
    )
    assert (name, rows) == ("event_changed_after_send", 2)
    assert set(samples.split(",")) == {hashed("o3"), hashed("o4")}


def test_events_of_a_person_arrive_in_their_order(lab: Lab) -> None:
    lab.orders(3000, people=3)
    run_sync(lab.context(lab.events(properties={"items": "items"}), track=lab.track()))
    stored = lab.events_of("c1")
    times = [event["timestamp"] for event in stored]
    assert len(stored) == 1000
    assert times in (sorted(times), sorted(times, reverse=True))


def test_a_zone_is_applied_to_the_moment_of_an_event(lab: Lab) -> None:
    lab.insert("orders (order_id, customer_id, ordered_at)", ["('o1', 'c1', '2024-07-01 12:00:00')"])
    run_sync(lab.context(lab.events(occurred_at={"column": "ordered_at", "time_zone": "Europe/London"})))
    assert lab.events_of("c1")[0]["timestamp"] == int(datetime(2024, 7, 1, 11, tzinfo=UTC).timestamp())


def test_events_outside_time_are_withheld_and_older_ones_are_no_candidates(lab: Lab) -> None:
    lab.insert(
        "orders (order_id, customer_id, ordered_at)",
        [
            "('ok', 'c1', DATEADD(hour, -1, GETDATE()))",
            "('old', 'c1', DATEADD(day, -40, GETDATE()))",
            "('future', 'c1', DATEADD(day, 1, GETDATE()))",
            "('never', 'c1', NULL)",
            "(NULL, 'c1', DATEADD(hour, -1, GETDATE()))",
            "('nobody', NULL, DATEADD(hour, -1, GETDATE()))",
        ],
    )
    report = run_sync(lab.context(lab.events(lookback="30d", guards=NO_GUARDS)))
    assert (report.accepted, report.counts.source_rows, report.counts.unidentified) == (1, 5, 4)
    names = [row[0] for row in lab.rows("SELECT name FROM cio_sync.findings ORDER BY name")]
    assert names == ["identifier_missing", "key_missing", "occurred_at_in_future", "occurred_at_missing"]


def test_a_changed_mapping_does_not_send_events_again(lab: Lab) -> None:
    lab.orders(10)
    run_sync(lab.context(lab.events()))
    report = run_sync(lab.context(lab.events(properties={"total": "total"}), "run-2"))
    assert (report.sent, report.counts.unchanged) == (0, 10)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.findings") == [(0,)]


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after"])
def test_an_event_whose_answer_was_lost_is_stored_once(lab: Lab, fault: str) -> None:
    lab.orders(50)
    lab.faults({"status": fault, "times": 1})
    report = run_sync(lab.context(lab.events(), track=lab.track(timeout=0.5)))
    assert (report.accepted, lab.stats()["events"]) == (50, 50)
    assert lab.received() == 100
