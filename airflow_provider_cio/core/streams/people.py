"""People: who they are, what they did, and where they stand."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.streams.shape import Stream, fields

PEOPLE = (
    Stream(
        "people",
        "Profiles: how Customer.io's ids and yours belong together",
        ("cio_id",),
        fields("""
            cio_id text Customer.io's own id (internal_customer_id)
            customer_id text the person's id in the workspace
            email text address
            deleted boolean the profile was deleted
            suppressed boolean the profile was suppressed
            created_at moment when the profile was made; null where the file says 1970
            updated_at moment its last change
        """),
        ("data_out",),
        newest="updated_at",
    ),
    Stream(
        "attributes",
        "Attributes of people as they changed: the latest value of each",
        ("cio_id", "name"),
        fields("""
            cio_id text Customer.io's own id (internal_customer_id)
            name text the attribute's name
            value long its value, as text
            changed_at moment when it changed
        """),
        ("data_out",),
        newest="changed_at",
    ),
    Stream(
        "segment_membership",
        "Who is in which segment, at the last reading",
        ("cio_id", "segment_id"),
        fields("""
            segment_id integer the segment
            cio_id text Customer.io's own id of the person
            customer_id text the person's id in the workspace
        """),
        ("app_api",),
        snapshot=True,
    ),
    Stream(
        "activities",
        "The activity log: events, changes of attributes, messages; Customer.io keeps 30 days of it",
        ("activity_id",),
        fields("""
            activity_id text id
            cio_id text Customer.io's own id of the person
            customer_id text the person's id in the workspace
            type text event, page, attribute_change, sent_email, failed_attribute_change, ...
            name text of an event or attribute
            delivery_id text the message that it is about
            delivery_type text the message's channel
            occurred_at moment when it occurred
            data long details, a JSON object as text
        """),
        ("app_api",),
        timedelta(days=1),
    ),
    Stream(
        "esp_suppressions",
        "Addresses that Customer.io's e-mail provider no longer writes to, at the last reading",
        ("email", "category"),
        fields("""
            email text the address
            category text bounces or spam_reports
            reason text what the receiving side said
            status text its status code
            created_at moment since when
        """),
        ("app_api",),
        snapshot=True,
    ),
)
