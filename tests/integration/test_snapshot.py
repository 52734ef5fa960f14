"""A snapshot says what the tables say, at the moment it is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.snapshot import About, Snapshot
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.snapshot import take
from airflow_provider_cio.exceptions import AuthenticationError, GuardStoppedError
from airflow_provider_cio.warehouse.snapshot import DAYS, RUNS

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)


def about(subject: Any = "sync", name: str = "people") -> About:
    return About(subject=subject, name=name, kind="people", owner="retention")


def snapshot(lab: Lab) -> Snapshot:
    return take(lab.warehouse, about())


def test_a_run_with_rejects(lab: Lab) -> None:
    lab.customers(8)
    due = datetime.now(UTC) - timedelta(minutes=5)
    lab.faults({"status": 207, "match": '"c3"', "reason": "invalid", "field": "name"})
    ctx = lab.context(lab.people(max_rejected_pct=100), run_id=f"scheduled__{due.isoformat()}")
    report = run_sync(ctx)
    taken = snapshot(lab)
    (run,) = taken.detail.runs
    assert run == taken.summary.last
    assert (run.run_id, run.plan_id, run.status) == (ctx.run_id, report.plan_id, report.status)
    assert (run.source, run.added, run.accepted, run.rejected, run.withheld) == (
        report.counts.source_rows,
        report.counts.added,
        report.accepted,
        report.rejected,
        report.counts.unidentified,
    )
    assert run.lag is not None  # Redshift tells whole seconds
    assert 299 <= run.lag < 3600
    (day,) = taken.detail.days
    assert (day.runs, day.accepted, day.rejected) == (1, report.accepted, report.rejected)
    (reject,) = taken.detail.rejects
    assert (reject.kind, reject.reason, reject.field, reject.rows) == ("permanent", "invalid", "name", 1)
    known = {row[0] for row in lab.rows("SELECT key_hash FROM cio_sync.rejects")}
    assert set(reject.samples) == known
    assert Snapshot.model_validate_json(taken.model_dump_json()) == taken


def test_a_guard_that_stopped_is_the_last_run_and_no_delivery(lab: Lab) -> None:
    lab.customers(3)
    run_sync(lab.context(lab.people(), run_id="first"))
    delivered = snapshot(lab).summary.delivered_at
    lab.customers(9, start=3)
    with pytest.raises(GuardStoppedError):
        run_sync(lab.context(lab.people(guards={"max_added": 1}), run_id="second"))
    taken = snapshot(lab)
    assert taken.summary.last is not None
    assert (taken.summary.last.run_id, taken.summary.last.status) == ("second", "guard_stopped")
    assert "max_added" in taken.summary.last.message
    assert taken.summary.delivered_at == delivered
    assert taken.summary.recent == [3, 0]
    assert (taken.detail.days[0].runs, taken.detail.days[0].bad) == (2, 1)


def test_a_year_of_hourly_runs_stays_small(lab: Lab) -> None:
    run_sync(lab.context(lab.people(guards={"min_rows": 0})))
    lab.run(
        "INSERT INTO cio_sync.runs SELECT sync, plan_id, run_id || h, status, source_rows, tracked, h, changed, "
        "unchanged, exited, unidentified, quarantined, sent, h, rejected, unknown, unsent, requests, bytes, retries, "
        "rate_limited, seconds, message, DATEADD(hour, -h, started_at), DATEADD(hour, -h, finished_at) "
        "FROM cio_sync.runs CROSS JOIN (SELECT ROW_NUMBER() OVER () AS h FROM "
        "(SELECT 1 FROM pg_attribute LIMIT 110) AS a CROSS JOIN (SELECT 1 FROM pg_attribute LIMIT 96) AS b) AS n"
    )
    taken = snapshot(lab)
    assert len(taken.detail.runs) == RUNS
    days = taken.detail.days
    assert datetime.fromisoformat(days[-1].day) - datetime.fromisoformat(days[0].day) == timedelta(days=DAYS)
    assert [day.runs for day in days[:-1]] == [24] * DAYS
    assert 1 <= days[-1].runs <= 24
    assert len(taken.summary.model_dump_json()) < 2_000
    assert len(taken.detail.model_dump_json(exclude_defaults=True)) < 65_535


def test_nothing_ran_yet(lab: Lab) -> None:
    run_sync(lab.context(lab.people(guards={"min_rows": 0})))
    taken = take(lab.warehouse, about(name="other"))
    assert (taken.summary.last, taken.detail.runs, taken.detail.days) == (None, [], [])


def test_what_was_not_sent_is_no_delivery(lab: Lab) -> None:
    lab.customers(2)
    lab.faults({"status": 401, "times": 100})
    with pytest.raises(AuthenticationError):
        run_sync(lab.context(lab.people()))
    taken = snapshot(lab)
    assert taken.summary.last is not None
    assert (taken.summary.last.status, taken.summary.last.unsent) == ("partial", 2)
    assert taken.summary.delivered_at is None
