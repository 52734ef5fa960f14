"""The tables that this provider fills: messages, holdouts, audiences. They need no mapping."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_provider_cio.core.models.source_shape import SourceTable, key, moment, text, truth, whole

OURS: Mapping[str, SourceTable] = {
    "deliveries": SourceTable(
        "Messages that Customer.io made, one row each",
        "sent_at",
        {
            "delivery_id": key("Customer.io's id of the message"),
            "customer_id": key("Customer's number", "a message is given to a person by cio_id only"),
            "cio_id": key("Customer.io's own id of the person", "messages without customer_id are nobody's"),
            "channel": key("email, sms, push, in_app, whatsapp", "all messages count as email"),
            "campaign_id": whole("Campaign that sent it", "messages of campaigns are of no campaign"),
            "broadcast_id": whole("Broadcast that sent it", "messages of broadcasts are of none"),
            "newsletter_id": whole("Newsletter that sent it", "messages of newsletters are of none"),
            "transactional_message_id": whole(
                "Transactional message", "transactional messages count as contact"
            ),
            "variation": whole("Step or variation", "performance is not told by step"),
            "sent_at": moment("When it was sent"),
        },
        "marts of messages are empty, last_message_ts and engagement are null: nobody counts as messaged",
        ours="cio_staging.stg_customerio__deliveries",
    ),
    "delivery_metrics": SourceTable(
        "What became of messages, by first moments",
        None,
        {
            "delivery_id": key("Customer.io's id of the message"),
            "first_opened_at": moment(
                "Opened, by whomever; read for messages other than emails",
                "opens of other messages than emails count where they are marked as a person's",
            ),
            "first_human_opened_at": moment("Opened by a person, not by a machine", "nobody opened an email"),
            "first_clicked_at": moment(
                "A link was clicked, by whomever; read for messages other than emails",
                "clicks in other messages than emails count where they are marked as a person's",
            ),
            "first_human_clicked_at": moment(
                "A link was clicked by a person, not by a machine", "nobody clicked in an email"
            ),
            "first_unsubscribed_at": moment("Unsubscribed from it", "nobody unsubscribed from a message"),
        },
        "nobody opened or clicked anything",
        ours="cio_staging.stg_customerio__delivery_metrics",
    ),
    "profiles": SourceTable(
        "Customer.io's ids of people",
        None,
        {
            "cio_id": key("Customer.io's own id of the person"),
            "customer_id": key("Customer's number"),
        },
        "messages without customer_id are nobody's",
        ours="cio_staging.stg_customerio__people",
    ),
    "campaign_actions": SourceTable(
        "Steps of campaigns",
        None,
        {
            "campaign_id": whole("Campaign"),
            "campaign_name": text("Its name", "campaigns have no names"),
            "campaign_state": key("Its state", "a stopped campaign's journeys count as live"),
        },
        "campaigns have no names, and every one counts as running",
        ours="cio_staging.stg_customerio__campaign_actions",
    ),
    "holdouts": SourceTable(
        "Who was held out of which experiment",
        "assigned_at",
        {
            "experiment": key("Experiment"),
            "member": key("Customer's number, or email"),
            "held_out": truth("Held out, or treated"),
            "assigned_at": moment("When it was drawn"),
        },
        "holdout_lift is empty",
        ours="cio_sync.holdout_assignments",
    ),
    "audience_members": SourceTable(
        "Which identifiers are in which audience",
        "added_at",
        {
            "audience": key("Audience"),
            "destination": key("Destination"),
            "field": key("Kind of identifier"),
            "identifier": key("Hash, or id"),
            "state": key("present, adding, add_sent, removing, remove_sent or absent"),
            "added_at": moment("When it was added"),
        },
        "channel_overlap is empty",
        ours="cio_sync.audience_members",
    ),
}
