"""What runs leave in `metrics`, and what becomes of alerts in the tables."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from airflow_provider_cio.core.watch.alerting import Observation
from airflow_provider_cio.core.watch.metrics import METRICS, Subject
from airflow_provider_cio.engine.reconcile import reconcile
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.warehouse.state import ensure_tables
from airflow_provider_cio.warehouse.watch import alerts

pytest_plugins = ("sync_lab",)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PEOPLE = Subject("sync", "people")


def numbers_of(lab: Any, run_id: str) -> dict[tuple[str, str], float]:
    rows = lab.rows(f"SELECT metric, part, value FROM cio_sync.metrics WHERE run_id = '{run_id}'")
    assert len(rows) == len({row[:2] for row in rows})
    return {(metric, part): value for metric, part, value in rows}


def test_a_run_leaves_its_numbers_once(lab):
    lab.customers(10)
    lab.insert("customers (customer_id, orders)", ["('c98', NULL)", "(' ', 1)"])
    sync = lab.people(
        attributes={"name": "name", "order_count": "orders"}, guards={"max_unidentified_pct": 100}
    )
    report = run_sync(lab.context(sync))
    found = numbers_of(lab, "run-1")
    assert {name for name, _ in found} <= METRICS["sync"].keys()
    expected = {"source_rows": 12, "added": 11, "withheld": 1, "sent": 11, "accepted": 11, "rejected": 0}
    assert {name: found[name, ""] for name in expected} == expected
    assert found["bytes", ""] == report.bytes > 0
    assert round(found["identified_pct", ""], 2) == 91.67
    assert round(found["null_pct", "attributes.order_count"], 2) == 9.09
    assert found["oldest_unsent_seconds", ""] == 0

    reconcile(lab.context(sync, app=lab.app()), report.plan_id)
    again = numbers_of(lab, "run-1")
    assert again.items() >= found.items()
    assert (again["drift_sampled", ""], again["drift_rows", ""]) == (11, 0)


def test_refused_rows_are_counted_by_reason_and_stay_overdue(lab):
    lab.customers(3)
    sync = lab.people(attributes={"name": "name"}, max_rejected_pct=100)
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET name = 'New ' || customer_id")
    lab.run(
        "UPDATE cio_sync.runs SET started_at = DATEADD(hour, -1, started_at)"
    )  # delivered all: counts not
    lab.faults({"status": 207, "match": '"c1"', "reason": "invalid"})
    run_sync(lab.context(sync, "run-2"))
    found = numbers_of(lab, "run-2")
    by_reason = {part: value for (name, part), value in found.items() if name == "rejected_by_reason"}
    assert by_reason == {"permanent/invalid": 1}
    assert (found["rejected", ""], round(found["rejected_pct", ""], 1)) == (1, 33.3)
    assert found["schema_changed", ""] == 0
    lab.run("UPDATE cio_sync.runs SET started_at = DATEADD(hour, -1, started_at) WHERE run_id = 'run-2'")
    lab.faults({"status": 207, "match": '"c1"', "reason": "invalid"})
    run_sync(lab.context(sync, "run-3"))
    assert 3600 <= numbers_of(lab, "run-3")["oldest_unsent_seconds", ""] < 7200


def test_late_events_are_counted(lab):
    lab.orders(4)
    lab.run("UPDATE cio_marts.orders SET ordered_at = GETDATE() WHERE order_id = 'o0'")
    run_sync(lab.context(lab.events()))
    found = numbers_of(lab, "run-1")
    assert (found["late_rows", ""], found["late_pct", ""]) == (3, 75)
    assert 0 <= found["newest_seconds", ""] < 3600


def seen(verdict: Any, **more: Any) -> Observation:
    return Observation(
        "volume", PEOPLE, verdict, f"it is {verdict}", owner="retention", runbook="https://runbook", **more
    )


def test_an_alert_moves_and_its_owner_is_told_once(lab):
    ensure_tables(lab.warehouse)
    told = []
    for number, verdict in enumerate(["learning", "ok", "critical", "critical", "learning", "ok", "ok"]):
        observation = seen(verdict, run_id=f"run-{number}", value=float(number), low=1.5)
        lab.warehouse.transaction(lambda s, o=observation: alerts.observe(s, "cio_sync", [o]))
        for message in lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)):
            told.append(message.state)
            assert lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)) == []
            lab.warehouse.transaction(lambda s, m=message: alerts.told(s, "cio_sync", m, "pager"))
    assert told == ["critical", "recovered"]
    moves = lab.rows(
        "SELECT from_state, to_state, told_by, told_at IS NULL FROM cio_sync.alert_transitions ORDER BY changed_at"
    )
    assert moves == [
        ("learning", "ok", None, True),
        ("ok", "critical", "pager", False),
        ("critical", "recovered", "pager", False),
        ("recovered", "ok", None, True),
    ]
    (row,) = lab.rows("SELECT alert, state, told, owner, runbook, run_id FROM cio_sync.alerts")
    assert row == ("volume:sync:people", "ok", "ok", "retention", "https://runbook", "run-6")
    assert lab.rows("SELECT COUNT(*), MIN(low) FROM cio_sync.check_results") == [(7, 1.5)]


def test_a_notifier_that_fails_is_followed_by_another_try(lab):
    ensure_tables(lab.warehouse)
    lab.warehouse.transaction(lambda s: alerts.observe(s, "cio_sync", [seen("warning")]))
    (message,) = lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW))
    lab.warehouse.transaction(lambda s: alerts.not_told(s, "cio_sync", message))
    assert lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)) == [message]
    lab.run(
        "UPDATE cio_sync.alerts SET telling_until = DATEADD(second, -1, GETDATE())"
    )  # whoever told it died
    assert lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)) == [message]


def test_of_two_who_see_the_same_one_tells(lab):
    ensure_tables(lab.warehouse)
    messages, barrier = [], threading.Barrier(2)

    def look() -> None:
        warehouse = lab.new_warehouse()
        warehouse.fetch("SELECT 1")
        barrier.wait(timeout=30)
        warehouse.transaction(lambda s: alerts.observe(s, "cio_sync", [seen("critical")]))
        messages.extend(warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [message.state for message in messages] == ["critical"]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.alert_transitions") == [(1,)]


def test_while_an_outage_is_told_nobody_tells_of_another_alert_of_it(lab):
    ensure_tables(lab.warehouse)
    first, second = seen("critical", group="redshift"), seen("critical", group="redshift", part="b")
    lab.warehouse.transaction(lambda s: alerts.observe(s, "cio_sync", [first]))
    (message,) = lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW))
    lab.warehouse.transaction(lambda s: alerts.observe(s, "cio_sync", [second]))
    assert lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW, only=second.alert)) == []
    lab.warehouse.transaction(lambda s: alerts.told(s, "cio_sync", message, "pager"))
    assert lab.warehouse.transaction(lambda s: alerts.claim(s, "cio_sync", NOW)) == []
    assert lab.rows("SELECT alert, told FROM cio_sync.alerts ORDER BY alert") == [
        ("volume:sync:people", "critical"),
        ("volume:sync:people:b", "critical"),
    ]
