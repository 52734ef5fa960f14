"""The page shows people and totals, and runs nobody's script."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("asked", ["ann", "ANN@example.com", "cio_id"])
def test_one_person(api, asked):
    api.add(
        api.identify({"email": "ann@example.com", "plan": "pro"}, id="ann"),
        api.act("event", {"id": "ann"}, name="Order Completed", timestamp=1_700_000_000),
        api.act("add_device", {"id": "ann"}, device={"token": "tok-1", "platform": "ios"}),
    )
    segment = api.segment("Regulars")
    api.track.post(f"/api/v1/segments/{segment}/add_customers", json={"ids": ["ann"]})
    asked = api.cio_id("ann") if asked == "cio_id" else asked
    page = api.track.get("/", params={"person": asked})
    assert page.status_code == 200
    for text in (
        "plan",
        "pro",
        "Order Completed",
        "2023-11-14 22:13:20",
        "tok-1",
        "Regulars",
        "profile_create",
    ):
        assert text in page.text


def test_totals(api):
    api.add(*(api.identify(id=f"c{i}") for i in range(3)), api.identify(cio_id="a0000fff"))
    page = api.track.get("/").text
    for text in ("<b>3</b>", "/api/v2/batch", "unknown_cio_id", "c2"):
        assert text in page


def test_nobody(api):
    page = api.track.get("/", params={"person": "<b>x"})
    assert page.status_code == 404
    assert "Nobody has this identifier" in page.text
    assert "<b>x" not in page.text


def test_markup_in_data_stays_text(api):
    evil = "<script>alert(1)</script>"
    api.add(api.identify({evil: evil}, id=evil), api.act("event", {"id": evil}, name=evil, timestamp=10**17))
    assert evil not in api.track.get("/", params={"person": evil}).text
    assert evil not in api.track.get("/").text


def test_no_address_leaves_the_machine(api):
    assert "http" not in api.track.get("/").text
