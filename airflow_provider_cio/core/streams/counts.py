"""Counts by day, as Customer.io itself shows them: no person in them, and no message."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.streams.shape import Stream, fields

COUNTS = (
    Stream(
        "series_metrics",
        "Metrics of campaigns, broadcasts, newsletters and transactional messages by day",
        ("parent_id", "parent_type", "bucket_start"),
        fields("""
            parent_type text campaign, broadcast, newsletter or transactional
            parent_id integer its id
            bucket_start moment the begin of the day, in UTC
            time_zone text where the day begins at midnight: Etc/UTC for campaigns, EST (UTC-5) for all others
            attempted integer attempted
            bounced integer bounced
            clicked integer clicks
            human_clicked integer clicks by people (since 2025-04-20)
            prefetch_clicked integer clicks by machines (since 2025-04-20)
            converted integer converted
            created integer made
            deferred integer deferred
            delivered integer delivered
            drafted integer drafted
            failed integer failed
            opened integer opened
            human_opened integer opens by people (since 2025-03-20)
            prefetch_opened integer opens by machines (since 2025-03-20)
            sent integer sent
            spammed integer spammed
            suppressed integer not sent, because the person is suppressed
            undeliverable integer could not be delivered
            topic_unsubscribed integer unsubscribed from a topic
            unsubscribed integer unsubscribed from everything
            http_2xx integer answers of webhooks with 2xx
            http_3xx integer answers of webhooks with 3xx
            http_4xx integer answers of webhooks with 4xx
            http_5xx integer answers of webhooks with 5xx
        """),
        ("app_api",),
        timedelta(days=45),
    ),
    Stream(
        "link_metrics",
        "Clicks by link and day",
        ("parent_id", "parent_type", "link_id", "bucket_start"),
        fields("""
            parent_type text campaign, broadcast, newsletter or transactional
            parent_id integer its id
            link_id integer the link
            href text its address
            bucket_start moment the begin of the day in EST (UTC-5), in UTC
            clicked integer clicks
            human_clicked integer clicks by people
            prefetch_clicked integer clicks by machines
        """),
        ("app_api",),
        timedelta(days=45),
    ),
    Stream(
        "journey_metrics",
        "Journeys of campaigns by the day on which they started",
        ("campaign_id", "bucket_start"),
        fields("""
            campaign_id integer the campaign
            bucket_start moment the begin of the day in EST (UTC-5), in UTC
            started integer journeys that started
            activated integer of them: people who matched the campaign's filters
            exited_early integer of them: left before the end
            finished integer of them: came to the end
            converted integer of them: reached the goal
            never_activated integer of them: never matched the filters
            messaged integer of them: got a message
        """),
        ("app_api",),
        timedelta(days=45),
    ),
)
