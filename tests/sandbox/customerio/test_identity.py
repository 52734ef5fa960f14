"""Who is meant, and which identifiers change: conflicts show only in the activity log."""

from __future__ import annotations

import pytest

TAKEN = "The identifier is already associated with a different profile."


def failures(api):
    return api.activities(type="failed_attribute_change")


@pytest.mark.parametrize("spelling", ["ann@example.com", "ANN@Example.COM"])
def test_email_has_no_case(api, spelling):
    api.add(api.identify({"email": "Ann@Example.com"}, id="1"), api.identify({"seen": True}, email=spelling))
    assert api.stats()["people"] == 1
    assert api.person("1")["attributes"] == {"seen": True}
    assert failures(api) == []


def test_id_has_case(api):
    api.add(api.identify(id="a"), api.identify(id="A"))
    assert api.stats()["people"] == 2


def test_a_new_id_adopts_the_person_with_that_email(api):
    api.add(api.identify({"plan": "x"}, email="ann@example.com"))
    cio_id = api.cio_id("ann@example.com")
    api.add(api.identify({"email": "Ann@example.com"}, id="7"))
    found = api.person("7")
    assert (found["cio_id"], found["attributes"]["plan"]) == (cio_id, "x")
    assert api.stats()["people"] == 1


def test_an_email_of_somebody_with_another_id_fails_in_silence(api):
    api.add(api.identify({"email": "ann@example.com"}, id="1"))
    api.add(api.identify({"email": "ANN@example.com", "plan": "pro"}, id="2"))
    second = api.person("2")
    assert (second["email"], second["attributes"]) == (None, {"plan": "pro"})
    (failed,) = failures(api)
    assert failed["customer_id"] == "2"
    assert failed["data"]["email"] == {"from": "", "to": "ANN@example.com", "reason": TAKEN}


@pytest.mark.parametrize(
    ("settings", "identifier", "changed"),
    [
        ({}, "id", False),
        ({"email_update_by_id": True}, "id", True),
        ({}, "cio_id", True),
    ],
)
def test_changing_an_email(api, settings, identifier, changed):
    api.set(**settings)
    api.add(api.identify({"email": "old@example.com"}, id="1"))
    key = {"id": "1"} if identifier == "id" else {"cio_id": api.cio_id("1")}
    api.add(api.identify({"email": "new@example.com", "x": 1}, **key))
    found = api.person("1")
    assert found["email"] == ("new@example.com" if changed else "old@example.com")
    assert found["attributes"]["x"] == 1
    assert len(failures(api)) == (0 if changed else 1)
    assert (api.person("new@example.com") is not None) is changed


def test_changing_an_id_needs_the_cio_id(api):
    api.add(api.identify(id="1"), api.identify(id="taken"))
    api.add(api.identify({"id": "2"}, id="1"))
    assert api.person("2") is None
    api.add(api.identify({"id": "taken"}, cio_id=api.cio_id("1")))
    assert len(failures(api)) == 2
    api.add(api.identify({"id": "2"}, cio_id=api.cio_id("1")))
    assert (api.person("1"), api.person("2")["id"]) == (None, "2")


def test_an_unset_email_is_set_by_id(api):
    api.add(api.identify(id="1"), api.identify({"email": "a@example.com"}, id="1"))
    assert api.person("a@example.com")["id"] == "1"


def test_freed_identifiers_can_be_taken_in_the_same_batch(api):
    api.add(api.identify({"email": "a@example.com"}, id="1"), api.identify(id="2"))
    api.add(
        api.identify({"touched": 1}, id="2"),
        api.identify({"email": "b@example.com"}, cio_id=api.cio_id("1")),
        api.identify({"email": "a@example.com"}, id="2"),
    )
    assert api.person("a@example.com")["id"] == "2"
    assert api.person("b@example.com")["id"] == "1"


def test_the_last_identifier_stays(api):
    api.add(api.identify(id="1"))
    api.add(api.identify({"id": ""}, cio_id=api.cio_id("1")))
    assert api.person("1")["id"] == "1"
    assert len(failures(api)) == 1


def test_an_id_only_workspace_lets_people_share_an_email(api):
    api.set(email_identifies=False)
    api.add(
        api.identify({"email": "a@example.com"}, id="1"), api.identify({"email": "A@example.com"}, id="2")
    )
    assert failures(api) == []
    assert [api.person(each)["email"] for each in ("1", "2")] == ["a@example.com", "A@example.com"]
    api.add(api.identify({"email": "b@example.com"}, id="2"))
    assert api.person("2")["email"] == "b@example.com"
    (error,) = api.batch(api.identify(email="a@example.com")).json()["errors"]
    assert error["field"] == "identifiers.email"


@pytest.mark.parametrize("v1", [True, False])
def test_cio_id_in_paths_has_a_prefix(api, v1):
    api.add(api.identify(id="1"))
    cio_id = api.cio_id("1")
    if v1:
        assert api.track.put(f"/api/v1/customers/cio_{cio_id}", json={"x": 1}).status_code == 200
    else:
        api.add(api.identify({"x": 1}, cio_id=cio_id))
    assert api.person("1")["attributes"] == {"x": 1}


def test_suppressed_email_cannot_be_given_to_another(api):
    api.add(
        api.act("suppress", {"email": "gone@example.com"}),
        api.identify({"email": "gone@example.com"}, id="1"),
    )
    assert api.person("1")["email"] is None
    assert len(failures(api)) == 1
