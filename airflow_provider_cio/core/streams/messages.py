"""Messages, and what became of each of them."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.streams.shape import Stream, fields

MESSAGES = (
    Stream(
        "deliveries",
        "Messages to one person each",
        ("delivery_id",),
        fields("""
            delivery_id text Customer.io's id of the message
            cio_id text Customer.io's own id of the person (internal_customer_id)
            customer_id text the person's id in the workspace
            campaign_id integer parent, if a campaign sent it
            action_id integer the step of the campaign
            broadcast_id integer parent, if an API-triggered broadcast sent it
            trigger_id integer the call of the API that triggered the broadcast
            newsletter_id integer parent, if a newsletter sent it
            content_id integer the newsletter's variation
            transactional_message_id integer parent, if it is transactional
            journey_id text the journey through the campaign (webhooks; data-out: subject)
            trigger_event_id text id of the event that started it
            type text channel: email, push, twilio or sms, in_app, webhook, slack, whatsapp
            subject text subject line
            created_at moment when it was made
        """),
        ("app_api", "export", "data_out", "webhooks"),
        timedelta(days=30),
    ),
    Stream(
        "metrics",
        "What became of deliveries: one row for each occurrence that a route shows",
        ("delivery_id", "metric", "occurred_at"),
        fields("""
            delivery_id text the message
            metric text sent, delivered, opened, clicked, converted, bounced, dropped, failed, deferred, ...
            occurred_at moment when it occurred; the App API and exports show the latest occurrence only
            event_id text id of the occurrence (webhooks, data-out)
            link_id integer the link that was clicked
            link_url text its address
            reason text why it failed
            proxied boolean opened through a proxy
            prefetched boolean opened by a machine ahead of the person
            machine boolean clicked by a machine
            inbox_provider text who runs the mailbox (data-out version 5)
        """),
        ("app_api", "export", "data_out", "webhooks"),
        timedelta(days=30),
    ),
)
