from __future__ import annotations

import pytest

from airflow_provider_cio.core.rudderstack import name_of, track_call


@pytest.mark.parametrize(
    ("channel", "metric", "name"),
    [
        ("email", "spammed", "Email Marked as Spam"),
        ("email", "clicked", "Email Link Clicked"),
        ("sms", "delivered", "SMS Delivered"),
        ("slack", "clicked", "Slack Message Link Clicked"),
        ("webhook", "attempted", "Webhook Message Attempted"),
        ("customer", "unsubscribed", "Customer Unsubscribed"),
        ("in_app", "opened", "In-App Message Opened"),
        ("fax", "sent", "Unknown Event"),
    ],
)
def test_names_are_those_of_rudderstacks_own_source(channel: str, metric: str, name: str) -> None:
    assert name_of(channel, metric) == name


def test_a_click_names_the_person_the_link_and_the_moment() -> None:
    identifiers = {"id": "7", "email": "a@x.io", "cio_id": "c7"}
    data = {"identifiers": identifiers, "href": "https://x.io", "link_id": 3, "delivery_id": "d"}
    event = {
        "event_id": "E",
        "object_type": "email",
        "metric": "clicked",
        "timestamp": 1_700_000_000,
        "data": data,
    }
    call = track_call(event)
    assert (call["userId"], call["event"], call["messageId"]) == ("7", "Email Link Clicked", "E")
    assert call["originalTimestamp"] == "2023-11-14T22:13:20+00:00"
    assert call["context"] == {
        "traits": {"cioId": "c7", "email": "a@x.io"},
        "link": {"url": "https://x.io", "id": 3},
    }
    assert call["properties"]["delivery_id"] == "d"


def test_a_person_without_an_id_is_anonymous_by_address() -> None:
    event = {"object_type": "email", "metric": "sent", "data": {"identifiers": {"email": "a@x.io"}}}
    assert track_call(event)["anonymousId"] == "a@x.io"
    assert "userId" not in track_call(event)
