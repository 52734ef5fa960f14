"""Customer.io's own OpenAPI documents against the sandbox: what they describe is taken, and answered so."""

from __future__ import annotations

import httpx
import pytest
from openapi_shapes import Document, folder

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox, app_api, segments, track_v1, track_v2
from airflow_provider_cio.sandbox.customerio.reporting import addresses, broadcasts, series

FILES = {"track": "track-2026-08.json", "app": "app-2025.json"}
MISSING = [name for name in FILES.values() if not (folder() / name).exists()]
if MISSING:
    pytest.skip(
        f"no {', '.join(MISSING)} in {folder()}: set CIO_SPECS to the folder of the documents",
        allow_module_level=True,
    )

DOCUMENTS = {name: Document(folder() / file) for name, file in FILES.items()}
PARAMETERS = {
    "identifier": "42",
    "device": "token-42",
    "segment": "1",
    "form": "form-1",
    "delivery": "RPILAgUBcRhIBqSfeiIwdIYJKxTY",
    "customer_id": "42",
    "campaign_id": "1",
    "broadcast_id": "1",
    "newsletter_id": "1",
    "transactional_id": "1",
    "object_type_id": "1",
    "object_id": "acme",
    "suppression_type": "bounces",
}
SPEC_NAMES = {
    "device": "device_id",
    "segment": "segment_id",
    "form": "form_id",
    "delivery": "delivery_id",
}
QUERIES = {
    "/v1/customers": {"email": "test@example.com"},
    "/v1/campaigns/1/metrics": {"version": "2", "res": "days", "tz": "America/New_York"},
    "/v1/campaigns/1/journey_metrics": {"start": 1_700_000_000, "end": 1_700_086_400, "res": "days"},
}
CONTRADICTIONS = {
    ("PUT", "/api/v1/customers/{identifier}"): {400},
    ("POST", "/api/v1/segments/{segment_id}/add_customers"): {404},
    ("POST", "/api/v1/segments/{segment_id}/remove_customers"): {404},
}
"""Statuses that the prose of the documents describes and their lists of responses leave out."""


def routes():
    """Every operation of the sandbox: document, method, path as documented, path to call."""
    for module in (track_v2, track_v1, segments, app_api, broadcasts, series, addresses):
        for route in module.ROUTES:
            if (
                route.endpoint is broadcasts.trigger
            ):  # takes ids, emails and recipients of five documented forms
                continue
            template = route.path.replace(":quoted", "")
            called, documented = template, template
            for name, value in PARAMETERS.items():
                called = called.replace(f"{{{name}}}", value)
                documented = documented.replace(f"{{{name}}}", f"{{{SPEC_NAMES.get(name, name)}}}")
            (method,) = route.methods - {"HEAD"}
            yield "app" if template.startswith("/v1/") else "track", method, documented, called


ROUTES = sorted(routes())
IDS = [f"{method} {path}" for _, method, path, _ in ROUTES]


def with_value(body):
    """Only the prose says that an eq in a filter must have a value."""
    if isinstance(body, list):
        return [with_value(each) for each in body]
    if not isinstance(body, dict):
        return body
    missing = {"value": "x"} if body.get("operator") == "eq" and "value" not in body else {}
    return {name: with_value(each) for name, each in body.items()} | missing


def bodies():
    for document, method, documented, called in ROUTES:
        schema = DOCUMENTS[document].request(method, documented)
        if schema is None:
            yield pytest.param(document, method, documented, called, None, id=f"{method} {documented}")
            continue
        for number, found in enumerate(DOCUMENTS[document].instances(schema)):
            body = with_value(found)
            yield pytest.param(
                document, method, documented, called, body, id=f"{method} {documented} {number}"
            )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with CustomerIOSandbox(tmp_path_factory.mktemp("customerio"), port=None) as running:
        yield running


@pytest.fixture(scope="module")
def clients(sandbox):
    with (
        httpx.Client(base_url=sandbox.url, auth=("sandbox-site", "sandbox-track-key")) as track,
        httpx.Client(base_url=sandbox.url, headers={"Authorization": "Bearer sandbox-app-key"}) as app,
    ):
        yield {"track": track, "app": app}


@pytest.fixture
def call(clients):
    """A workspace with one person, who has one of everything."""
    track, app = clients["track"], clients["app"]
    assert track.post("/_sandbox/reset").status_code == 204
    track.put("/_sandbox/settings", json={"phone_identifies": True})
    acme = {"object_type_id": "1", "object_id": "acme"}
    person = {"type": "person", "identifiers": {"id": "42"}}
    attributes = {
        "email": "test@example.com",
        "plan": "pro",
        "cio_subscription_preferences": {"topics": {"topic_1": True}},
    }
    items = [
        {
            **person,
            "action": "identify",
            "attributes": attributes,
            "cio_relationships": [{"identifiers": acme}],
        },
        {**person, "action": "identify", "attributes": {"plan": "free"}},
        {**person, "action": "event", "name": "purchase", "attributes": {"price": 1.5}},
        {**person, "action": "add_device", "device": {"token": "token-42", "platform": "ios"}},
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"id": "43"},
            "attributes": {"email": "test@example.com"},
        },
    ]
    assert track.post("/api/v2/batch", json={"batch": items}).status_code == 200
    app.post("/v1/segments", json={"segment": {"name": "VIP"}})
    track.post("/_sandbox/campaigns", json={"name": "Thanks", "trigger": {"event": "purchase"}})
    for what in ("newsletters", "broadcasts", "transactional"):
        track.post(f"/_sandbox/{what}", json={"name": "Spring"})
    track.post("/api/v1/segments/1/add_customers", json={"ids": ["42"]})

    def _call(document, method, path, *, body=None):
        return clients[document].request(method, path, json=body, params=QUERIES.get(path))

    return _call


def check(document, method, path, response):
    """The status is documented, and the body is what the document promises for it."""
    allowed = DOCUMENTS[document].statuses(method, path) | CONTRADICTIONS.get((method, path), set())
    assert response.status_code in allowed
    validator = DOCUMENTS[document].validator(method, path, response.status_code)
    if validator is not None:
        validator.validate(response.json())


def test_every_operation_of_the_sandbox_is_documented():
    unknown = [
        f"{method} {path}" for name, method, path, _ in ROUTES if not DOCUMENTS[name].operation(method, path)
    ]
    assert unknown == []


def test_every_track_operation_is_in_the_sandbox():
    documented = {
        (method.upper(), path)
        for path, operations in DOCUMENTS["track"].paths.items()
        for method in operations
        if method in {"get", "post", "put", "delete"}
    }
    assert documented == {(method, path) for name, method, path, _ in ROUTES if name == "track"}


@pytest.mark.parametrize(("document", "method", "documented", "path", "body"), list(bodies()))
def test_documented_requests_are_taken_and_answered_as_documented(
    call, document, method, documented, path, body
):
    response = call(document, method, path, body=body)
    assert 200 <= response.status_code < 300, response.text
    assert response.status_code != 207, response.text
    check(document, method, documented, response)


def test_all_documented_operations_in_one_batch(call):
    items = DOCUMENTS["track"].instances(DOCUMENTS["track"].request("POST", "/api/v2/entity"))
    assert {(each["type"], each["action"]) for each in items} >= {
        ("person", "identify"),
        ("person", "merge"),
        ("object", "identify"),
        ("delivery", "event"),
    }
    response = call("track", "POST", "/api/v2/batch", body={"batch": items})
    assert (response.status_code, response.json()) == (200, {})


REFUSED = [
    ("POST", "/api/v2/entity", {"type": "person"}, 400),
    ("POST", "/api/v2/batch", {"batch": [{"type": "person"}]}, 207),
    ("POST", "/api/v2/batch", {"batch": 7}, 400),
    ("PUT", "/api/v1/customers/{identifier}", {"a" * 151: 1}, 400),
    ("PUT", "/api/v1/customers/{identifier}/devices", {}, 400),
    ("POST", "/api/v1/customers/{identifier}/events", {}, 400),
    ("POST", "/api/v1/events", {}, 400),
    ("POST", "/api/v1/merge_customers", {}, 400),
    ("POST", "/api/v1/forms/{form_id}/submit", {"data": {}}, 400),
    ("POST", "/api/v1/segments/{segment_id}/add_customers", {"ids": []}, 400),
    ("POST", "/api/v1/segments/{segment_id}/remove_customers", {"ids": []}, 400),
    ("POST", "/v1/segments", {}, 400),
    ("POST", "/v1/customers/attributes", {"ids": []}, 400),
    ("GET", "/v1/segments/{segment_id}", "absent", 404),
    ("DELETE", "/v1/segments/{segment_id}", "absent", 404),
    ("GET", "/v1/segments/{segment_id}/membership", "absent", 404),
    ("GET", "/v1/customers/{customer_id}/attributes", "absent", 404),
    ("GET", "/v1/customers/{customer_id}/segments", "absent", 404),
    ("GET", "/v1/customers/{customer_id}/activities", "absent", 404),
]


@pytest.mark.parametrize(("method", "documented", "body", "status"), REFUSED)
def test_refusals_are_answered_as_documented(call, method, documented, body, status):
    (document, path) = next((name, path) for name, m, d, path in ROUTES if (m, d) == (method, documented))
    if body == "absent":
        path, body = path.replace("/42", "/999").replace("/1", "/999"), None
        path = path.replace("/v999", "/v1")
    response = call(document, method, path, body=body)
    assert response.status_code == status
    check(document, method, documented, response)


@pytest.mark.parametrize(("document", "method", "documented", "path"), ROUTES, ids=IDS)
def test_no_key_is_a_401_unless_the_call_is_open(call, sandbox, document, method, documented, path):
    operation = DOCUMENTS[document].operation(method, documented)
    response = httpx.request(method, sandbox.url + path, json={} if method in {"PUT", "POST"} else None)
    assert (response.status_code == 401) is bool(operation["security"])


@pytest.mark.parametrize(
    ("document", "method", "path", "status", "wrong"),
    [
        ("app", "GET", "/v1/customers", 200, {"results": [{"id": "1"}]}),
        (
            "app",
            "GET",
            "/v1/customers/{customer_id}/attributes",
            200,
            {"customer": {"attributes": {"plan": 7}}},
        ),
        ("app", "GET", "/v1/segments/{segment_id}/customer_count", 200, {"segment_id": 1, "count": "3"}),
        ("track", "POST", "/api/v2/batch", 207, {"errors": [{"batch_index": "0"}]}),
    ],
)
def test_the_validator_sees_a_wrong_answer(document, method, path, status, wrong):
    validator = DOCUMENTS[document].validator(method, path, status)
    assert validator is not None
    assert not validator.is_valid(wrong)
