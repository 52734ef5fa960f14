"""Every documented size, one byte below and one above."""

from __future__ import annotations

import json

import pytest


def padded(api, size, **identifier):
    """An identify of exactly ``size`` bytes as sent; values stay below 1000 bytes."""
    attributes = {}
    while True:
        item = api.identify(attributes, **identifier)
        missing = size - len(json.dumps(item, separators=(",", ":")).encode())
        if missing == 0:
            return item
        name = f"pad{len(attributes):04d}"
        attributes[name] = ""
        room = size - len(json.dumps(api.identify(attributes, **identifier), separators=(",", ":")).encode())
        attributes[name] = "x" * (room if room <= 1000 else 900)


def as_sent(value):
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize(("size", "refused"), [(32_000, False), (32_001, True)])
def test_item_of_32_kb(api, size, refused):
    item = padded(api, size, id="a")
    response = api.track.post("/api/v2/batch", content=b'{"batch":[' + as_sent(item) + b"]}")
    assert response.status_code == (207 if refused else 200)
    assert api.track.post("/api/v2/entity", content=as_sent(item)).status_code == (413 if refused else 200)


def test_whitespace_counts(api):
    item = as_sent(padded(api, 31_990, id="a")).replace(b'"type":', b'"type":' + b" " * 20)
    assert api.track.post("/api/v2/batch", content=b'{"batch":[' + item + b"]}").status_code == 207


@pytest.mark.parametrize(("size", "status"), [(500_000, 200), (500_001, 413)])
def test_batch_of_500_kb(api, size, status):
    items = [as_sent(padded(api, 31_000, id=f"c{i}")) for i in range(16)]
    body = b'{"batch":[' + b",".join(items)
    body += b" " * (size - len(body) - 2) + b"]}"
    response = api.track.post("/api/v2/batch", content=body)
    assert (len(body), response.status_code) == (size, status)
    assert api.stats()["people"] == (16 if status == 200 else 0)


def test_a_kilobyte_may_be_1024(api):
    item = padded(api, 32_500, id="a")
    assert api.batch(item).status_code == 207
    api.set(kilobyte=1024)
    assert api.batch(item).status_code == 200


@pytest.mark.parametrize(
    ("attributes", "refused"),
    [
        ({"a" * 150: 1}, False),
        ({"a" * 151: 1}, True),
        ({"é" * 76: 1}, True),
        ({"v": "x" * 1000}, False),
        ({"v": "x" * 1001}, True),
        ({"v": "☃" * 334}, True),
        ({"v": ["x" * 997]}, True),
        ({"cio_subscription_preferences": {"topics": {f"topic_{i}": True for i in range(90)}}}, False),
        ({f"a{i}": i for i in range(300)}, False),
        ({f"a{i}": i for i in range(301)}, True),
    ],
)
def test_attribute_limits(api, attributes, refused):
    assert api.batch(api.identify(attributes, id="a")).status_code == (207 if refused else 200)
    assert api.stats()["people"] == (0 if refused else 1)
    v1 = api.track.put("/api/v1/customers/a", json=attributes)
    assert v1.status_code == (400 if refused else 200)


def test_a_profile_holds_300_attributes(api):
    api.add(api.identify({f"a{i}": i for i in range(300)}, id="a"))
    api.add(api.identify({"one_more": 1, "a0": "changed"}, id="a"))
    attributes = api.person("a")["attributes"]
    assert (len(attributes), attributes["a0"]) == (300, "changed")
    (failed,) = api.activities(type="failed_attribute_change")
    assert set(failed["data"]) == {"one_more"}


@pytest.mark.parametrize(("size", "status"), [(99_000, 200), (100_001, 400)])
def test_v1_event_data_of_100000_bytes(api, size, status):
    body = {"name": "big", "data": {"text": "x" * size}}
    assert api.track.post("/api/v1/customers/a/events", json=body).status_code == status
