"""The App API reads back what Track wrote."""

from __future__ import annotations

import pytest


@pytest.fixture
def people(api):
    api.add(
        api.identify({"email": "Ann@example.com", "plan": "pro", "n": 1, "x.y": "dot"}, id="ann"),
        api.identify({"email": "bob@example.com", "plan": "free", "vip": True, "n": 1.5}, id="bob"),
        api.identify({"plan": "pro", "vip": False, 'q"t': "quote"}, email="cara@example.com"),
    )
    segment = api.segment()
    api.track.post(f"/api/v1/segments/{segment}/add_customers", json={"ids": ["bob"]})
    return segment


def attribute(field, operator, *value):
    return {"attribute": {"field": field, "operator": operator, **({"value": value[0]} if value else {})}}


def search(api, condition, **params):
    return api.app.post("/v1/customers", json={"filter": condition}, params=params)


FOUND = {
    "eq": (attribute("plan", "eq", "pro"), ["ann", ""]),
    "eq on a boolean": (attribute("vip", "eq", True), ["bob"]),
    "eq on a boolean as text": (attribute("vip", "eq", "false"), [""]),
    "eq on a number": (attribute("n", "eq", "1"), ["ann"]),
    "eq on a float": (attribute("n", "eq", 1.5), ["bob"]),
    "eq on nothing": (attribute("n", "eq", "7"), []),
    "eq on email, without case": (attribute("email", "eq", "ANN@example.com"), ["ann"]),
    "eq on id": (attribute("id", "eq", "bob"), ["bob"]),
    "name with a dot": (attribute("x.y", "eq", "dot"), ["ann"]),
    "name with a quote": (attribute('q"t', "exists"), [""]),
    "exists": (attribute("vip", "exists"), ["bob", ""]),
    "id exists": (attribute("id", "exists"), ["ann", "bob"]),
    "not": ({"not": attribute("plan", "eq", "pro")}, ["bob"]),
    "not id exists": ({"not": attribute("id", "exists")}, [""]),
    "not id": ({"not": attribute("id", "eq", "ann")}, ["bob", ""]),
    "and": ({"and": [attribute("plan", "eq", "pro"), attribute("id", "exists")]}, ["ann"]),
    "or": ({"or": [attribute("id", "eq", "ann"), attribute("id", "eq", "bob")]}, ["ann", "bob"]),
    "several properties of an inner object": (
        {
            "and": [
                {
                    "attribute": {"field": "plan", "operator": "eq", "value": "pro"},
                    "not": attribute("id", "exists"),
                }
            ]
        },
        [""],
    ),
    "nested": (
        {"and": [{"or": [attribute("plan", "eq", "pro")]}, {"not": {"and": [attribute("id", "exists")]}}]},
        [""],
    ),
}


@pytest.mark.parametrize(("condition", "ids"), FOUND.values(), ids=FOUND)
def test_search(api, people, condition, ids):
    answer = search(api, condition).json()
    assert (answer["ids"], answer["next"]) == (ids, "")
    assert [each["id"] or "" for each in answer["identifiers"]] == ids


def test_search_by_segment(api, people):
    assert search(api, {"segment": {"id": people}}).json()["ids"] == ["bob"]
    assert search(api, {"not": {"segment": {"id": people}}}).json()["ids"] == ["ann", ""]


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {},
        {"and": []},
        {"xor": []},
        {"segment": {"id": "7"}},
        attribute("a", "gt", "1"),
        attribute("a", "eq"),
        {"attribute": {"operator": "exists"}},
        {"and": [attribute("a", "exists")], "or": []},
    ],
)
def test_search_refuses_what_is_no_filter(api, condition):
    response = search(api, condition)
    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"]


def test_search_by_page(api):
    api.add(*(api.identify({"all": 1}, id=f"c{i}") for i in range(130)))
    first = search(api, attribute("all", "exists")).json()
    assert len(first["ids"]) == 50
    rest = search(api, attribute("all", "exists"), start=first["next"], limit=1000).json()
    assert (len(rest["ids"]), rest["next"]) == (80, "")
    assert not set(first["ids"]) & set(rest["ids"])


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@EXAMPLE.COM"])
def test_customers_by_email(api, people, email):
    (found,) = api.app.get("/v1/customers", params={"email": email}).json()["results"]
    assert (found["id"], found["email"]) == ("ann", "Ann@example.com")
    assert api.app.get("/v1/customers", params={"email": "nobody@example.com"}).json() == {"results": []}


def test_everybody_with_a_shared_email(api):
    api.set(email_identifies=False)
    api.add(
        api.identify({"email": "a@example.com"}, id="1"), api.identify({"email": "a@example.com"}, id="2")
    )
    found = search(api, attribute("email", "eq", "a@example.com")).json()["ids"]
    assert found == ["1", "2"]
    results = api.app.get("/v1/customers", params={"email": "a@example.com"}).json()["results"]
    assert [each["id"] for each in results] == ["1", "2"]


def test_attributes_are_strings(api):
    values = {"flag": True, "n": 3, "f": 0.5, "s": "x", "list": [1, "a"], "nested": {"a": {"b": 1}}}
    api.add(api.identify({**values, "email": "a@example.com"}, id="1"))
    customer = api.app.get("/v1/customers/1/attributes").json()["customer"]
    shown = customer["attributes"]
    assert {name: shown[name] for name in values} == {
        "flag": "true",
        "n": "3",
        "f": "0.5",
        "s": "x",
        "list": '[1,"a"]',
        "nested": '{"a":{"b":1}}',
    }
    assert (shown["id"], shown["email"], shown["cio_id"]) == ("1", "a@example.com", api.cio_id("1"))
    assert set(values) < set(customer["timestamps"])


@pytest.mark.parametrize(
    ("identifier", "params", "status"),
    [
        ("ann", {}, 200),
        ("ann", {"id_type": "email"}, 404),
        ("ann%40example.com", {"id_type": "email"}, 200),
        ("ann%40example.com", {}, 404),
        ("ann", {"id_type": "phone"}, 404),
        ("nobody", {}, 404),
    ],
)
@pytest.mark.parametrize(
    "what", ["attributes", "segments", "activities", "relationships", "subscription_preferences"]
)
def test_id_type_of_the_path(api, people, what, identifier, params, status):
    assert api.app.get(f"/v1/customers/{identifier}/{what}", params=params).status_code == status


def test_attributes_of_many_leave_out_strangers(api, people):
    response = api.app.post("/v1/customers/attributes", json={"ids": ["bob", "nobody", "ann"]})
    assert [each["customer"]["id"] for each in response.json()["customers"]] == ["bob", "ann"]


@pytest.mark.parametrize("ids", [[], [str(i) for i in range(101)], [1], None])
def test_attributes_of_1_to_100(api, ids):
    assert api.app.post("/v1/customers/attributes", json={"ids": ids}).status_code == 400


def test_activities_by_page_newest_first(api):
    api.add(*(api.act("event", {"id": "1"}, name=f"n{i}") for i in range(25)))
    seen, start = [], ""
    while True:
        page = api.app.get("/v1/activities", params={"type": "event", "start": start}).json()
        seen += [each["name"] for each in page["activities"]]
        start = page["next"]
        if not start:
            break
        assert len(page["activities"]) == 10
    assert seen == [f"n{i}" for i in reversed(range(25))]


def test_activities_of_one_person_by_name(api):
    api.add(api.act("event", {"id": "1"}, name="a"), api.act("event", {"id": "2"}, name="a"))
    api.add(api.act("event", {"id": "1"}, name="b"))
    assert [each["customer_id"] for each in api.activities(name="a")] == ["2", "1"]
    (found,) = api.activities(customer_id="1", name="a")
    assert found["customer_identifiers"]["id"] == "1"
    by_path = api.app.get("/v1/customers/1/activities", params={"type": "event"}).json()["activities"]
    assert [each["name"] for each in by_path] == ["b", "a"]


def test_workspace_counts(api, people):
    (workspace,) = api.app.get("/v1/workspaces").json()["workspaces"]
    assert (workspace["id"], workspace["people"]) == (1, 3)
