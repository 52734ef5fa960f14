"""What there is in the workspace: campaigns and whatever else has a name."""

from __future__ import annotations

from airflow_provider_cio.core.streams.shape import Stream, fields

LISTS = (
    Stream(
        "campaigns",
        "Campaigns",
        ("campaign_id",),
        fields("""
            campaign_id integer id
            name text name
            type text kind of trigger
            state text draft, running, stopped, ...
            created_at moment when it was made
            updated_at moment its last change
        """),
        ("app_api",),
    ),
    Stream(
        "campaign_actions",
        "Steps of campaigns and API-triggered broadcasts",
        ("action_id",),
        fields("""
            action_id integer id
            campaign_id integer the campaign
            broadcast_id integer the broadcast
            name text name
            type text channel
            created_at moment when it was made
            updated_at moment its last change
        """),
        ("app_api",),
    ),
    Stream(
        "broadcasts",
        "API-triggered broadcasts",
        ("broadcast_id",),
        fields("""
            broadcast_id integer id
            name text name
            state text draft, running, stopped, ...
            created_at moment when it was made
            updated_at moment its last change
        """),
        ("app_api",),
    ),
    Stream(
        "newsletters",
        "Newsletters",
        ("newsletter_id",),
        fields("""
            newsletter_id integer id
            name text name
            type text channel
            sent_at moment when it was sent
            created_at moment when it was made
        """),
        ("app_api",),
    ),
    Stream(
        "transactional",
        "Transactional messages",
        ("transactional_message_id",),
        fields("""
            transactional_message_id integer id
            name text name
            description text description
            created_at moment when it was made
            updated_at moment its last change
        """),
        ("app_api",),
    ),
    Stream(
        "segments",
        "Segments",
        ("segment_id",),
        fields("""
            segment_id integer id
            name text name
            description text description
            type text manual or dynamic
            state text finished, or being worked out
            member_count integer people in it when it was read
            updated_at moment its last change
        """),
        ("app_api",),
    ),
    Stream(
        "subscription_topics",
        "Subscription topics",
        ("topic_id",),
        fields("""
            topic_id integer id
            identifier text topic_<id>, as it stands in cio_subscription_preferences
            name text name
            description text description
        """),
        ("app_api",),
    ),
    Stream(
        "sender_identities",
        "Senders",
        ("sender_id",),
        fields("""
            sender_id integer id
            name text name
            email text address
            address text name and address, as they stand in a message
            template_type text email or phone
            auto_generated boolean made by Customer.io
        """),
        ("app_api",),
    ),
)
