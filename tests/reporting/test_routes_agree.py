"""2,000 people over 60 simulated days: every route, and all together, end in the delivery engine's own books."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse.session import Session

if TYPE_CHECKING:
    from reporting_lab import Shop

pytest_plugins = ("reporting_lab",)
pytestmark = pytest.mark.timeout(900)
DAY = 86_400

BOOKS = """
SELECT parent, metric, TO_CHAR(last_at, 'YYYY-MM-DD'), COUNT(*) FROM (
    SELECT m.delivery_id, m.metric, MAX(m.occurred_at) AS last_at, MIN(d.parent) AS parent
    FROM cio_raw.metrics AS m JOIN (
        SELECT delivery_id, MAX(CASE WHEN campaign_id IS NOT NULL THEN 'campaign:' || CAST(campaign_id AS VARCHAR(20))
            WHEN newsletter_id IS NOT NULL THEN 'newsletter:' || CAST(newsletter_id AS VARCHAR(20))
            WHEN broadcast_id IS NOT NULL THEN 'broadcast:' || CAST(broadcast_id AS VARCHAR(20)) END) AS parent
        FROM cio_raw.deliveries WHERE source {sources} GROUP BY delivery_id
    ) AS d ON d.delivery_id = m.delivery_id
    WHERE m.source {sources} AND m.metric NOT LIKE 'human%' GROUP BY m.delivery_id, m.metric
) AS latest GROUP BY 1, 2, 3
"""
STAGED = """
SELECT CASE WHEN campaign_id IS NOT NULL THEN 'campaign:' || CAST(campaign_id AS VARCHAR(20))
    WHEN newsletter_id IS NOT NULL THEN 'newsletter:' || CAST(newsletter_id AS VARCHAR(20))
    WHEN broadcast_id IS NOT NULL THEN 'broadcast:' || CAST(broadcast_id AS VARCHAR(20)) END, {counts}
FROM cio_staging.stg_customerio__deliveries AS d
JOIN cio_staging.stg_customerio__delivery_metrics AS m ON m.delivery_id = d.delivery_id GROUP BY 1
"""
METRICS = (
    "sent", "delivered", "opened", "clicked", "converted", "unsubscribed", "bounced", "spammed", "deferred", "dropped",
    "failed",
)  # fmt: skip
ROUTES = ("app_api", "export", "data_out", "webhooks")


def loaded(shop: Shop, *sources: str) -> set[tuple[Any, ...]]:
    """One independent query: deliveries by parent, metric and day of its last occurrence."""
    for table in ("deliveries", "metrics"):  # or the plan is one for tables that were empty a minute ago
        shop.warehouse.run(f"ANALYZE cio_raw.{table}")
    names = ", ".join(f"'{source}'" for source in sources)
    return set(shop.warehouse.fetch(BOOKS.format(sources=f"IN ({names})")))


def staged(shop: Shop) -> Counter[tuple[str, str]]:
    """Deliveries by parent and metric, as the staging views have them."""
    columns = ", ".join(f"COUNT(first_{metric}_at)" for metric in METRICS)
    rows = shop.warehouse.fetch(STAGED.format(counts=columns))
    return Counter({(row[0], metric): n for row in rows for metric, n in zip(METRICS, row[1:], strict=True)})


def counts(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.warehouse.fetch(
        "SELECT 'd', source, COUNT(*), COUNT(DISTINCT delivery_id) FROM cio_raw.deliveries GROUP BY 2 UNION ALL "
        "SELECT 'm', source, COUNT(*), COUNT(DISTINCT event_id) FROM cio_raw.metrics GROUP BY 2 ORDER BY 1, 2"
    )


def test_each_route_and_all_together_equal_the_books(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign(shop, monkeypatch, days=60, orders=8)


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_a_year_of_a_hundred_thousand_people(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CIO_SOAK_PEOPLE=5000 CIO_SOAK_DAYS=120` for less of it."""
    shop.people = int(os.environ.get("CIO_SOAK_PEOPLE", "100000"))
    days = int(os.environ.get("CIO_SOAK_DAYS", "365"))
    shop.first = (shop.now() - timedelta(days=days + 31)).date()
    campaign(shop, monkeypatch, days=days, orders=max(8, shop.people * 3 // 1000))


def campaign(shop: Shop, monkeypatch: pytest.MonkeyPatch, *, days: int, orders: int) -> None:
    """Live through the days, load on the way and at their end, crash and replay."""
    half_time = days // 2
    start = -(days + 30) * DAY
    shop.receiver.start()
    shop.go_to(start)
    shop.begin()
    shop.live(half_time, orders=orders, since=start)
    shop.data_out(4)
    shop.tell_webhooks()
    for route in ("app_api", "export"):
        shop.load(route)
    half = loaded(shop, "app_api")
    shop.live(days - half_time, orders=orders, since=start + half_time * DAY)
    shop.go_to(0)  # nothing lies ahead any more, so the books stand still
    books = shop.books()
    assert len(books - half) > 100

    # A crash in the middle of a load: nothing of it stays, and the same load again is whole.
    real = raw.merge

    def crash(session: Session, *rest: Any) -> Any:
        real(session, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(raw, "merge", crash)
    before = counts(shop)
    for route in ("app_api", "data_out"):
        with pytest.raises(KeyboardInterrupt):
            shop.load(route)
    assert counts(shop) == before
    monkeypatch.undo()

    shop.data_out(4, 5)
    shop.tell_webhooks()
    shop.receiver.stop()
    for route in ROUTES:
        shop.load(route)
        assert loaded(shop, route) == books, route
    assert loaded(shop, *ROUTES) == books
    told = Counter[tuple[str, str]]()
    for parent, metric, _, deliveries in books:
        told[parent, metric] += deliveries
    assert staged(shop) == told

    # Replays change nothing.
    after = counts(shop)
    for route in ROUTES:
        assert [report.new for report in shop.load(route)] == [0, 0], route
    assert counts(shop) == after
    shop.warehouse.run("DELETE FROM cio_sync.loaded_objects")
    for route in ("data_out", "webhooks"):
        assert [report.new for report in shop.load(route)] == [0, 0], route
    assert counts(shop) == after
