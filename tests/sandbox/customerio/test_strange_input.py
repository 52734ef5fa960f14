"""Whatever comes in: an answer that the documents know, and a store that still adds up."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FUZZ = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "1", "a@b.c", "cio_a0000001", "a0000001", "\u0000", "x" * 200]
)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUE = st.recursive(
    SCALAR, lambda each: st.lists(each, max_size=3) | st.dictionaries(TEXT, each, max_size=3), max_leaves=6
)
IDENTIFIERS = st.dictionaries(
    st.sampled_from(["id", "email", "cio_id", "phone", "object_type_id", "object_id", "cio_object_id", "x"]),
    VALUE,
    max_size=2,
)
RELATIONSHIPS = st.lists(
    st.fixed_dictionaries({"identifiers": IDENTIFIERS | VALUE}, optional={"relationship_attributes": VALUE}),
    max_size=2,
)
ACTIONS = [
    "identify",
    "identify_anonymous",
    "delete",
    "event",
    "page",
    "screen",
    "merge",
    "suppress",
    "unsuppress",
    "add_device",
    "delete_device",
    "add_relationships",
    "delete_relationships",
]
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(["person", "person", "object", "delivery"]), "action": st.sampled_from(ACTIONS)},
    optional={
        "identifiers": IDENTIFIERS,
        "primary": IDENTIFIERS,
        "secondary": IDENTIFIERS,
        "attributes": st.dictionaries(
            st.sampled_from(["id", "email", "_update", "anonymous_id", "a", "b"]), VALUE
        )
        | VALUE,
        "name": TEXT | VALUE,
        "id": VALUE,
        "timestamp": VALUE,
        "device": st.fixed_dictionaries(
            {"token": TEXT | VALUE}, optional={"platform": st.just("ios") | VALUE, "last_used": VALUE}
        ),
        "cio_relationships": RELATIONSHIPS | VALUE,
    },
)


@FUZZ
@given(items=st.lists(ITEM | VALUE, max_size=6))
def test_any_batch(api, items):
    before = api.stats()["items"]
    body = json.dumps({"batch": items})
    response = api.track.post("/api/v2/batch", content=body)
    assert response.status_code in {200, 207, 400, 413}
    after = api.stats()["items"]
    assert after["received"] == after["accepted"] + after["refused"] + after["dropped"]
    if response.status_code != 400:
        assert after["received"] == before["received"] + len(items)


@FUZZ
@given(
    body=st.dictionaries(
        TEXT | st.sampled_from(["name", "data", "type", "device", "timestamp"]), VALUE, max_size=4
    )
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/customers/1"),
        ("POST", "/api/v1/customers/1/events"),
        ("POST", "/api/v1/events"),
        ("PUT", "/api/v1/customers/1/devices"),
        ("POST", "/api/v1/merge_customers"),
        ("POST", "/api/v1/segments/1/add_customers"),
    ],
)
def test_any_v1_body(api, method, path, body):
    response = api.track.request(method, path, content=json.dumps(body))
    assert response.status_code in {200, 204, 400, 404}


@FUZZ
@given(
    condition=st.recursive(
        st.fixed_dictionaries(
            {
                "attribute": st.fixed_dictionaries(
                    {"field": TEXT, "operator": st.sampled_from(["eq", "exists"])}, optional={"value": VALUE}
                )
            }
        )
        | st.fixed_dictionaries({"segment": st.fixed_dictionaries({"id": VALUE})}),
        lambda each: (
            st.fixed_dictionaries({"and": st.lists(each, max_size=3)}) | st.fixed_dictionaries({"not": each})
        ),
        max_leaves=5,
    )
)
def test_any_filter(api, condition):
    response = api.app.post("/v1/customers", content=json.dumps({"filter": condition}))
    assert response.status_code in {200, 400}


@pytest.mark.parametrize("character", [*string.punctuation, "\u0000", "\n", "'", "☃", "\U0001f600"])
def test_every_character_may_be_in_an_identifier(api, character):
    text = f"a{character}b"
    api.add(api.identify({"n": 1}, id=text), api.identify({text: text}, id=text))
    assert api.stats()["people"] == 1
    (found,) = api.track.get("/_sandbox/people").json()["people"]
    assert (found["id"], found["attributes"]) == (text, {"n": 1, text: text})


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/v2/batch", DEEP), ("/api/v2/batch", f'{{"batch":{DEEP}}}'), ("/api/v2/entity", DEEP)],
)
def test_deep_nesting(api, path, body):
    assert api.track.post(path, content=body).status_code in {207, 400}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/segments/" + "9" * 40,
        "/v1/segments/²/membership",
        "/v1/activities?start=" + "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ==",
        "/v1/activities?limit=x&start=%00",
        "/v1/customers/a0000000000000000000000000/attributes?id_type=cio_id",
        "/_sandbox/people?limit=x&start=x",
        "/_sandbox/events?limit=-1&start=x",
        "/?person=%00",
        "/%ff",
    ],
)
def test_strange_paths(api, path):
    assert api.app.get(path).status_code in {200, 400, 404}
