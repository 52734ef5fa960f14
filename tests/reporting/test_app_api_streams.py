"""What only the App API tells: counts by day in their zones, who is where, the log, addresses, broadcasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.engine.reporting.counts import last_days

if TYPE_CHECKING:
    from reporting_lab import Shop

pytest_plugins = ("reporting_lab",)
DAY = 86_400
SENT = """
SELECT {parent}, TO_CHAR(DATEADD(hour, {hours}, m.occurred_at), 'YYYY-MM-DD'), COUNT(*)
FROM cio_raw.metrics AS m JOIN cio_raw.deliveries AS d ON d.delivery_id = m.delivery_id
WHERE m.metric = '{metric}' AND {parent} IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
SERIES = """
SELECT parent_id, TO_CHAR(DATEADD(hour, {hours}, bucket_start), 'YYYY-MM-DD'), {metric} FROM cio_raw.series_metrics
WHERE parent_type = '{kind}' AND {metric} > 0 ORDER BY 1, 2
"""


@pytest.fixture
def month(shop: Shop) -> Shop:
    """Sixty people over forty days: a campaign, a newsletter, a broadcast, and a receipt."""
    shop.people = 60
    shop.first = shop.now().date() - timedelta(days=40)
    shop.go_to(-39 * DAY)
    shop.begin()
    shop.live(6, orders=10, since=-39 * DAY)
    shop.go_to(-20 * DAY)
    shop.control("newsletters", name="Late spring", topic="1")
    shop.go_to(0)
    shop.control("deliveries")
    return shop


@pytest.mark.parametrize(
    ("kind", "hours", "zone"),
    [("campaign", 0, "Etc/UTC"), ("newsletter", -5, "EST"), ("broadcast", -5, "EST")],
)
def test_counts_stand_at_the_days_on_which_they_occurred(
    month: Shop, kind: str, hours: int, zone: str
) -> None:
    month.load("app_api")
    [report] = month.load("app_api", ["series_metrics"])
    assert report.odd.to_dict() == {}
    for metric in ("sent", "delivered"):
        asked = {"hours": hours, "metric": metric}
        counted = month.warehouse.fetch(SENT.format(parent=f"{kind}_id", **asked))
        assert counted
        assert month.warehouse.fetch(SERIES.format(kind=kind, **asked)) == counted
    zones = month.warehouse.fetch(
        "SELECT DISTINCT time_zone, DATE_PART(hour, bucket_start) FROM cio_raw.series_metrics "
        f"WHERE parent_type = '{kind}'"
    )
    assert zones == [(zone, -hours)]


def test_counts_change_in_place_and_settled_days_are_not_asked_for(month: Shop) -> None:
    first = month.load("app_api", ["series_metrics", "link_metrics", "journey_metrics"])
    assert all(report.new for report in first)
    again = month.load("app_api", ["series_metrics", "link_metrics", "journey_metrics"])
    assert [report.new for report in again] == [0, 0, 0]
    lone = Days(month.first, month.first + timedelta(days=1))
    [campaigns] = month.load("app_api", ["journey_metrics"], days=lone)
    assert campaigns.rows == 2
    [links] = month.load(
        "app_api",
        ["link_metrics"],
        days=Days(lone.first - timedelta(days=90), lone.first - timedelta(days=80)),
    )
    assert links.rows == 0


def test_links_and_journeys_agree_with_what_happened(month: Shop) -> None:
    month.load("app_api", ["link_metrics", "journey_metrics"])
    month.data_out(5)
    month.load("data_out", ["deliveries", "metrics", "subjects", "outputs"])
    clicks = (
        "SELECT m.link_url, COUNT(*) FROM cio_raw.metrics AS m "
        "JOIN cio_raw.deliveries AS d ON d.delivery_id = m.delivery_id "
        "WHERE m.metric = 'clicked' AND d.campaign_id IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    series = "SELECT href, SUM(clicked) FROM cio_raw.link_metrics WHERE parent_type = 'campaign' GROUP BY 1 ORDER BY 1"
    clicked = month.warehouse.fetch(clicks)
    assert clicked
    assert month.warehouse.fetch(series) == clicked
    figures = month.warehouse.fetch(
        "SELECT SUM(started), SUM(messaged), SUM(converted) FROM cio_raw.journey_metrics"
    )
    journeys = month.warehouse.fetch(
        "SELECT COUNT(*), "
        "(SELECT COUNT(DISTINCT o.subject_name) FROM cio_raw.outputs AS o JOIN cio_raw.metrics AS m "
        "ON m.delivery_id = o.delivery_id WHERE m.metric = 'sent'), "
        "(SELECT COUNT(DISTINCT o.subject_name) FROM cio_raw.outputs AS o JOIN cio_raw.metrics AS m "
        "ON m.delivery_id = o.delivery_id WHERE m.metric = 'converted') FROM cio_raw.subjects"
    )
    assert figures == journeys
    assert figures[0][0] == 60


def test_who_left_a_segment_is_no_member_any_more(shop: Shop) -> None:
    shop.people = 30
    shop.begin()
    key = {"Authorization": "Bearer sandbox-app-key"}
    for name in ("VIP", "Lapsed"):
        shop.http.post(
            "/v1/segments", json={"segment": {"name": name}}, headers=key, auth=None
        ).raise_for_status()

    def change(verb: str, segment: int, *numbers: int) -> None:
        body = {"ids": [f"p{n}" for n in numbers]}
        shop.http.post(f"/api/v1/segments/{segment}/{verb}_customers", json=body).raise_for_status()

    def members() -> list[tuple[Any, ...]]:
        [report] = shop.load("app_api", ["segment_membership"])
        rows = shop.warehouse.fetch(
            "SELECT segment_id, customer_id FROM cio_raw.segment_membership ORDER BY 1, 2"
        )
        assert report.rows == len(rows)
        return rows

    change("add", 1, 1, 2, 3)
    change("add", 2, 2)
    assert members() == [(1, "p1"), (1, "p2"), (1, "p3"), (2, "p2")]
    change("remove", 1, 3)
    change("remove", 2, 2)
    assert members() == [(1, "p1"), (1, "p2")]


def test_the_log_is_read_back_to_where_the_last_reading_began(shop: Shop) -> None:
    shop.people = 250
    shop.first = shop.now().date() - timedelta(days=30)
    shop.go_to(-10 * DAY)
    shop.begin()

    def load() -> tuple[int, int]:
        client = shop.app()
        [report] = shop.load("app_api", ["activities"], app=client)
        return report.new, client.requests

    new, pages = load()
    assert new >= 250
    shop.go_to(0)
    order = {"name": "Order Completed", "attributes": {"total": 7}}
    shop.track([{"type": "person", "action": "event", "identifiers": {"id": "p1"}, **order}])
    assert load() == (1, pages)  # the day before the last reading is read again
    assert load() == (0, 2)
    rows = shop.warehouse.fetch(
        "SELECT customer_id, type, data FROM cio_raw.activities WHERE name = 'Order Completed'"
    )
    assert [(row[0], row[1], '"total": 7' in row[2]) for row in rows] == [("p1", "event", True)]


def test_a_broadcast_is_one_parent_by_every_route(month: Shop) -> None:
    month.data_out(4)
    for route in ("app_api", "export", "data_out"):
        month.load(route, ["deliveries"])
        rows = month.warehouse.fetch(
            "SELECT campaign_id, broadcast_id, COUNT(*) FROM cio_raw.deliveries "
            f"WHERE source = '{route}' AND broadcast_id IS NOT NULL GROUP BY 1, 2"
        )
        assert [row[:2] for row in rows] == [(None, 1)], route
        assert rows[0][2] > 5
    view = month.warehouse.fetch("SELECT name FROM cio_raw.broadcasts")
    assert view == []
    month.load("app_api", ["broadcasts"])
    assert month.warehouse.fetch("SELECT name FROM cio_raw.broadcasts") == [("Flash sale",)]


def test_data_out_tells_attributes_steps_and_contents(month: Shop) -> None:
    month.data_out(4, 5)
    month.track(
        [
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": "p7"},
                "attributes": {"city": "Bern"},
            }
        ]
    )
    month.go_to(60)
    month.track(
        [
            {
                "type": "person",
                "action": "identify",
                "identifiers": {"id": "p7"},
                "attributes": {"city": "Basel"},
            }
        ]
    )
    month.data_out(5)
    reports = month.load("data_out", ["people", "attributes", "subjects", "outputs", "content"])
    assert [report.odd.to_dict() for report in reports] == [{}] * 5
    rows = month.warehouse.fetch(
        "SELECT p.customer_id, a.value FROM cio_raw.attributes AS a JOIN cio_raw.people AS p ON p.cio_id = a.cio_id "
        "WHERE a.name = 'city'"
    )
    assert rows == [("p7", "Basel")]
    held_out = month.http.get("/_sandbox/deliveries").json()["held_out"]
    assert month.warehouse.fetch(
        "SELECT COUNT(*) FROM cio_raw.outputs WHERE output_type = 'random_cohort' AND branch_index = 0"
    ) == [(held_out,)]
    [(contents, deliveries, subjects)] = month.warehouse.fetch(
        "SELECT COUNT(*), COUNT(DISTINCT delivery_id), COUNT(DISTINCT subject) "
        "FROM cio_raw.content WHERE body LIKE '<p>%'"
    )
    assert contents == deliveries == month.http.get("/_sandbox/deliveries").json()["deliveries"]
    assert subjects > 3


def test_the_running_day_is_the_last() -> None:
    begins = last_days(3, datetime(2026, 3, 10).date())
    assert [each.astimezone(UTC).isoformat() for each in begins] == [
        "2026-03-08T05:00:00+00:00",
        "2026-03-09T05:00:00+00:00",
        "2026-03-10T05:00:00+00:00",
    ]
