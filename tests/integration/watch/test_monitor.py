"""What the monitor says of runs, audiences and what does not run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_cio.core.watch.metrics import Measured, Subject
from airflow_provider_cio.core.watch.monitoring_file import Monitoring
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.watch.monitor import Expected, Monitor
from airflow_provider_cio.exceptions import GuardStoppedError, RejectedRowsError
from airflow_provider_cio.warehouse.state import ensure_tables
from airflow_provider_cio.warehouse.watch.metrics import write_metrics

pytest_plugins = ("sync_lab",)
PEOPLE, ORDERS, WINBACK = Subject("sync", "people"), Subject("sync", "orders"), Subject("audience", "winback")


def watch(lab: Any, *, now: datetime | None = None, **given: Any) -> dict[str, tuple[str, str]]:
    """Alert -> verdict and message."""
    expected = (
        Expected(PEOPLE, "retention", "@hourly"),
        Expected(ORDERS, "retention", None),
        Expected(WINBACK, "ads", None),
    )
    more = {name: given.pop(name) for name in ("events", "taxonomy") if name in given}
    monitoring = Monitoring.model_validate({"owner": "platform", "runbook": "https://runbook", **given})
    ensure_tables(lab.warehouse)
    moment = now or datetime.now(UTC)
    seen = Monitor(lab.warehouse, monitoring, expected, moment, **more).observe()
    return {each.alert: (each.verdict, each.message) for each in seen}


def verdicts(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {name: verdict for name, (verdict, _) in found.items()}


def history(lab: Any, subject: Subject, metric: str, values: list[float], part: str = "") -> None:
    """One run a day, the last just now."""
    for ago, value in enumerate(reversed(values)):
        lab.warehouse.transaction(
            lambda session, ago=ago, value=value: write_metrics(
                session,
                "cio_sync",
                subject,
                run_id=f"{metric}-{len(values) - ago}",
                measured=[Measured(metric, value, part)],
                replacing=[metric],
            )
        )
        lab.run(
            f"UPDATE cio_sync.metrics SET recorded_at = DATEADD(day, -{ago}, GETDATE()) "
            f"WHERE run_id = '{metric}-{len(values) - ago}'"
        )


def test_a_good_run_is_good_and_an_absent_one_is_not(lab):
    found = verdicts(watch(lab))
    assert found == {"no_run:sync:people": "warning"}  # never; the others are due by no clock
    lab.customers(5)
    run_sync(lab.context(lab.people()))
    found = verdicts(watch(lab))
    assert found["no_run:sync:people"] == "ok"
    assert found["volume:sync:people"] == "learning"
    assert {name for name, verdict in found.items() if verdict not in {"ok", "learning"}} == set()
    for hours, verdict in ((0.4, "warning"), (3, "critical")):
        lab.run("UPDATE cio_sync.runs SET started_at = GETDATE()")
        later = datetime.now(UTC).replace(minute=0) + timedelta(hours=1 + hours)
        assert verdicts(watch(lab, now=later))["no_run:sync:people"] == verdict


def test_runs_that_do_not_deliver(lab):
    lab.customers(10)
    sync = lab.people(max_rejected_pct=1)
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET name = 'New ' || customer_id")
    lab.faults({"status": 207, "match": '"c1"', "reason": "invalid"})
    with pytest.raises(RejectedRowsError):
        run_sync(lab.context(sync, "run-2"))
    lab.run("UPDATE cio_sync.runs SET started_at = DATEADD(hour, -7, started_at) WHERE run_id = 'run-2'")
    found = watch(lab)
    assert found["failed_run:sync:people"][0] == "warning"
    assert found["reject_rate:sync:people"] == (
        "critical",
        "10, limits 1 and 5 (rejected rows of the last run, in percent)",
    )
    with pytest.raises(GuardStoppedError):
        run_sync(lab.context(lab.people(guards={"min_rows": 11}), "run-3"))
    assert watch(lab)["failed_run:sync:people"][0] == "critical"
    run_sync(lab.context(sync, "run-4"))
    assert verdicts(watch(lab))["reject_rate:sync:people"] == "ok"
    states = dict(lab.rows("SELECT alert, state FROM cio_sync.alerts WHERE check_name <> 'volume'"))
    assert states["failed_run:sync:people"] == states["reject_rate:sync:people"] == "recovered"


def test_a_plan_that_hangs_and_two_at_a_time(lab):
    lab.customers(1)
    run_sync(lab.context(lab.people()))
    assert verdicts(watch(lab))["stuck_run:sync:people"] == "ok"
    lab.run("UPDATE cio_sync.plans SET status = 'open', created_at = DATEADD(hour, -4, GETDATE())")
    assert verdicts(watch(lab))["stuck_run:sync:people"] == "warning"
    lab.run("INSERT INTO cio_sync.plans SELECT * FROM cio_sync.plans")
    assert verdicts(watch(lab))["stuck_run:sync:people"] == "critical"


def test_old_and_late_data_although_every_run_is_green(lab):
    lab.orders(2)
    run_sync(lab.context(lab.events()))
    found = verdicts(watch(lab))
    assert (found["data_age:sync:orders"], found["late_data:sync:orders"]) == ("critical", "critical")
    lab.run("UPDATE cio_marts.orders SET ordered_at = GETDATE(), order_id = 'new ' || order_id")
    run_sync(lab.context(lab.events(), "run-2"))
    found = verdicts(watch(lab))
    assert (found["data_age:sync:orders"], found["late_data:sync:orders"]) == ("ok", "ok")


def test_volume_is_judged_once_a_run_and_what_was_odd_is_not_learned(lab):
    ensure_tables(lab.warehouse)
    history(lab, PEOPLE, "source_rows", [100, 101, 99] * 10)
    assert verdicts(watch(lab))["volume:sync:people"] == "ok"
    assert "volume:sync:people" not in watch(lab)
    history(lab, PEOPLE, "source_rows", [100, 101, 99] * 10 + [40])
    found = watch(lab)["volume:sync:people"]
    assert found[0] == "critical"
    assert found[1].startswith("40, usually 89")
    history(lab, PEOPLE, "source_rows", [100, 101, 99] * 10 + [40, 0])
    assert watch(lab)["volume:sync:people"][0] == "critical"
    rows = lab.rows("SELECT state, owner, runbook FROM cio_sync.alerts WHERE check_name = 'volume'")
    assert rows == [("critical", "retention", "https://runbook#volume")]


def test_known_anomalies_are_neither_judged_nor_learned(lab):
    ensure_tables(lab.warehouse)
    history(lab, PEOPLE, "source_rows", [100.0] * 20 + [400])
    sale = {"start": datetime.now(UTC) - timedelta(hours=2), "end": datetime.now(UTC) + timedelta(hours=2)}
    found = watch(lab, known_anomalies=[{**sale, "reason": "the sale", "subjects": ["people"]}])
    assert found["volume:sync:people"] == ("ok", "400: the sale")


def test_audiences_against_their_destinations_and_their_past(lab):
    ensure_tables(lab.warehouse)
    history(lab, WINBACK, "size_gap_pct", [25], part="meta")
    history(lab, WINBACK, "match_rate", [62, 61, 63, 62, 61, 62, 63, 62, 30], part="meta")
    found = watch(lab)
    assert found["audience_size:audience:winback:meta"][0] == "critical"
    assert found["match_rate:audience:winback:meta"][0] == "critical"
    owners = lab.rows("SELECT DISTINCT owner FROM cio_sync.alerts WHERE subject = 'winback'")
    assert owners == [("ads",)]


def test_emails_of_several_people_and_names_of_events(lab):
    ensure_tables(lab.warehouse)
    for key, email in (("1", "a@x.com"), ("2", "a@x.com"), ("3", "b@x.com")):
        lab.run(f"INSERT INTO cio_sync.identities VALUES ('people', '{key}', 'id', '{email}', GETDATE())")
    names = {
        "events": frozenset({"order_completed", "Order Completed"}),
        "taxonomy": frozenset({"Order Completed"}),
    }
    found = watch(lab, **names)
    assert found["duplicate_people:sync:people"][0] == "warning"
    assert "a@x.com" not in str(found)
    assert found["event_names:workspace:events"][0] == "warning"
    assert found["event_names:workspace:events"][1].endswith(": order_completed")
    lab.run("DELETE FROM cio_sync.identities WHERE row_key = '2'")
    assert watch(lab)["duplicate_people:sync:people"][0] == "ok"


def test_webhooks_that_stopped(lab):
    ensure_tables(lab.warehouse)
    assert "webhook_lag:reporting:webhooks" not in watch(lab)
    lab.run("CREATE SCHEMA IF NOT EXISTS cio_raw")
    lab.run("CREATE TABLE IF NOT EXISTS cio_raw.webhooks (received_at TIMESTAMP)")
    lab.run("INSERT INTO cio_raw.webhooks (received_at) VALUES (DATEADD(hour, -3, GETDATE()))")
    assert watch(lab)["webhook_lag:reporting:webhooks"][0] == "warning"


def test_what_is_turned_off_ends_its_alert(lab):
    ensure_tables(lab.warehouse)
    assert verdicts(watch(lab))["no_run:sync:people"] == "warning"
    found = watch(lab, overrides={"people": {"no_run": False}})
    assert found["no_run:sync:people"] == ("ok", "it is no longer checked")
    assert lab.rows("SELECT state FROM cio_sync.alerts") == [("recovered",)]
