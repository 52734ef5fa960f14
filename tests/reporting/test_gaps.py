"""Days that were missed are read again, scopes that are missing are told, and six months are no limit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.engine.reporting import loading
from airflow_provider_cio.engine.reporting.lists import READERS
from airflow_provider_cio.exceptions import AuthenticationError, ExportFailedError

if TYPE_CHECKING:
    from reporting_lab import Shop

pytest_plugins = ("reporting_lab",)
DAY = 86_400


@pytest.fixture
def year(shop: Shop) -> Shop:
    """Forty people; newsletters 300, 100 and 50 days ago, with a click of the clock between."""
    shop.people = 40
    shop.go_to(-300 * DAY)
    shop.begin()
    for ago in (100, 50):
        shop.go_to(-ago * DAY)
        shop.control("deliveries")
        shop.control("newsletters", name=f"{ago} days ago", topic="1")
    shop.go_to(0)
    shop.control("deliveries")
    shop.first = shop.now().date() - timedelta(days=310)
    return shop


def days_of(shop: Shop) -> dict[date, int]:
    rows = shop.warehouse.fetch(
        "SELECT CAST(created_at AS DATE), COUNT(*) FROM cio_raw.deliveries WHERE source = 'app_api' GROUP BY 1"
    )
    return {row[0]: row[1] for row in rows}


def ago(shop: Shop, days: int) -> date:
    return (shop.now() - timedelta(days=days)).date()


def test_a_day_that_was_lost_is_found_and_read_again(year: Shop) -> None:
    first = year.load("app_api")
    loaded = days_of(year)
    assert {ago(year, 300), ago(year, 100), ago(year, 50)} == set(loaded)
    assert [each.gap_days for each in first] == [0, 0]
    year.warehouse.run(f"DELETE FROM cio_raw.deliveries WHERE CAST(created_at AS DATE) = '{ago(year, 100)}'")
    year.warehouse.run(f"DELETE FROM cio_sync.reporting_days WHERE covered_day = '{ago(year, 100)}'")
    again = year.load("app_api", ["deliveries"])
    assert [(each.gap_days, each.new) for each in again] == [(1, loaded[ago(year, 100)])]
    assert days_of(year) == loaded
    assert [each.gap_days for each in year.load("app_api", ["deliveries"])] == [0]
    gaps = year.warehouse.fetch("SELECT gap_days FROM cio_sync.reporting_runs WHERE gap_days > 0")
    assert gaps == [(1,)]


def test_days_that_have_settled_are_not_asked_for_again(year: Shop) -> None:
    year.load("app_api")
    client = year.app()
    rows = year.load("app_api", app=client)
    assert client.requests == 1
    assert [each.rows for each in rows] == [0, 0]


@pytest.mark.parametrize("repeats", [True, False])
def test_pages_that_stop_early_and_cursors_to_nothing_lose_no_message(year: Shop, repeats: bool) -> None:
    year.load("app_api")
    whole = days_of(year)
    for table in ("cio_raw.deliveries", "cio_sync.reporting_days"):
        year.warehouse.run(f"DELETE FROM {table}")
    year.set(page_rows=3, page_trails=True, page_repeats=repeats)
    client = year.app()
    year.load("app_api", app=client)
    assert days_of(year) == whole
    assert client.requests > sum(whole.values()) / 3


def test_an_export_that_failed_loads_nothing_and_is_asked_for_anew(year: Shop) -> None:
    year.set(export_fails=True)
    with pytest.raises(ExportFailedError, match="run the task again"):
        year.load("export", ["deliveries"])
    assert year.warehouse.fetch("SELECT COUNT(*) FROM cio_raw.deliveries") == [(0,)]
    year.set(export_fails=False)
    [deliveries] = year.load("export", ["deliveries"])
    assert deliveries.new > 20


def test_a_backfill_reads_its_own_days_only(year: Shop) -> None:
    lone = ago(year, 100)
    year.load("app_api", days=Days(lone - timedelta(days=2), lone + timedelta(days=2)))
    assert set(days_of(year)) == {lone}


def test_what_was_loaded_before_the_reading_broke_off_is_read_again(
    year: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "ROWS_A_LOAD", 1)
    fault = {"route": "/v1/messages", "status": 401, "after": 1}
    year.http.post("/_sandbox/faults", json=[fault]).raise_for_status()
    with pytest.raises(AuthenticationError):
        year.load("app_api")
    assert set(days_of(year)) == {ago(year, 300)}
    assert year.warehouse.fetch("SELECT COUNT(*) FROM cio_sync.reporting_days") == [(0,)]
    [deliveries, metrics] = year.load("app_api")
    assert set(days_of(year)) == {ago(year, 300), ago(year, 100), ago(year, 50)}
    whole = year.warehouse.fetch(
        "SELECT (SELECT COUNT(*) FROM cio_raw.deliveries), (SELECT COUNT(*) FROM cio_raw.metrics)"
    )
    assert [(deliveries.rows, metrics.rows)] == whole
    assert 0 < deliveries.new < deliveries.rows


def test_a_stream_without_its_scope_is_skipped_and_the_others_are_loaded(year: Shop) -> None:
    year.set(app_keys={"sandbox-app-key": ["newsletters", "segments"]})
    reports = year.load("app_api", ["deliveries", "campaigns", "newsletters", "segments"])
    assert {each.stream: each.status for each in reports} == {
        "deliveries": "skipped",
        "campaigns": "skipped",
        "newsletters": "loaded",
        "segments": "loaded",
    }
    told = year.warehouse.fetch(
        "SELECT stream, message FROM cio_sync.reporting_runs WHERE status = 'skipped'"
    )
    assert sorted(row[0] for row in told) == ["campaigns", "deliveries"]
    assert all("scope" in row[1] for row in told)
    year.set(app_keys={"another": []})
    with pytest.raises(AuthenticationError):
        year.load("app_api", ["newsletters"])


def test_every_list_is_loaded_whole_and_changes_win(year: Shop) -> None:
    lists = list(READERS)
    year.control("topics", name="News")
    year.control("transactional", name="Receipt")
    year.load("app_api")
    reports: dict[str, Any] = {each.stream: each for each in year.load("app_api", lists)}
    [(addresses,)] = year.warehouse.fetch(
        "SELECT COUNT(DISTINCT d.customer_id || m.metric) FROM cio_raw.metrics AS m "
        "JOIN cio_raw.deliveries AS d ON d.delivery_id = m.delivery_id "
        "WHERE m.metric IN ('bounced', 'spammed') AND d.type = 'email'"
    )
    assert {name: each.new for name, each in reports.items()} == {
        "campaigns": 1,
        "campaign_actions": 4,
        "broadcasts": 1,
        "newsletters": 3,
        "transactional": 1,
        "segments": 0,
        "segment_membership": 0,
        "subscription_topics": 2,
        "sender_identities": 2,
        "esp_suppressions": addresses,
    }
    year.http.put("/_sandbox/campaigns/1", json={"state": "stopped"}).raise_for_status()
    year.load("app_api", ["campaigns"])
    rows = year.warehouse.fetch("SELECT name, state, _extra.active::BOOLEAN FROM cio_raw.campaigns")
    assert rows == [("Thanks", "stopped", False)]
    view = year.warehouse.fetch(
        "SELECT campaign_name, channel FROM cio_staging.stg_customerio__campaign_actions"
    )
    assert sorted(view, key=str) == [
        ("Thanks", "email"),
        ("Thanks", "email"),
        ("Thanks", "push"),
        (None, "email"),
    ]
