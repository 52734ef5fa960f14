"""What only data-out tells of journeys and of the contents of messages."""

from __future__ import annotations

from airflow_provider_cio.core.streams.shape import Stream, fields

DATA_OUT = (
    Stream(
        "subjects",
        "Journeys through campaigns and API-triggered broadcasts",
        ("subject_name",),
        fields("""
            subject_name text id of the journey
            cio_id text Customer.io's own id of the person (internal_customer_id)
            campaign_type text kind of trigger
            campaign_id integer the campaign or broadcast
            trigger_event_id text id of the event that started it
            trigger_id integer the call of the API that triggered the broadcast
            started_campaign_at moment when the person matched the filters
            created_at moment when it began
        """),
        ("data_out",),
        newest="created_at",
    ),
    Stream(
        "outputs",
        "Steps of journeys: messages, delays, branches, cohorts",
        ("output_id",),
        fields("""
            output_id text id of the step
            subject_name text the journey
            output_type text email, push, delay, branch, ...
            action_id integer the step of the campaign
            explanation text why a message was not sent
            delivery_id text the message that was made
            draft boolean made as a draft
            link_tracked boolean links are tracked
            split_test_index integer the variation of a split test
            delay_ends_at moment when the delay ends
            branch_index integer the branch that was taken
            manual_segment_id integer the manual segment that was changed
            add_to_manual_segment boolean added to it, or removed
            created_at moment when it was made
        """),
        ("data_out",),
        newest="created_at",
    ),
    Stream(
        "content",
        "What was written to whom; without bcc and recipient, which belong to the profile",
        ("delivery_id",),
        fields("""
            delivery_id text the message
            campaign_id integer parent, if a campaign or broadcast sent it
            action_id integer the step
            newsletter_id integer parent, if a newsletter sent it
            content_id integer the newsletter's variation
            type text channel
            from_address text sender
            reply_to text where answers go
            subject text subject line
            preheader text preview text
            body long HTML or text; beyond 60,000 bytes it is cut
            body_plain long plain text
            body_amp long AMP
            url text of a webhook
            method text of a webhook
            headers text additional headers
        """),
        ("data_out",),
    ),
)
