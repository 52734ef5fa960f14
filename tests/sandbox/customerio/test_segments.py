"""Manual segments, from both sides."""

from __future__ import annotations

import pytest


def change(api, segment, verb, ids, **params):
    return api.track.post(f"/api/v1/segments/{segment}/{verb}_customers", json={"ids": ids}, params=params)


def members(api, segment, **params):
    return api.app.get(f"/v1/segments/{segment}/membership", params=params).json()


def test_life_of_a_segment(api):
    segment = api.segment("VIP")
    api.add(api.identify(id="1"), api.identify({"email": "b@example.com"}, id="2"))
    assert change(api, segment, "add", ["1", "2", "nobody", "1"]).json() == {}
    assert members(api, segment)["ids"] == ["1", "2"]
    assert api.app.get(f"/v1/segments/{segment}/customer_count").json() == {"segment_id": segment, "count": 2}
    assert api.app.get("/v1/customers/2/segments").json() == {"segments": [{"id": segment, "name": "VIP"}]}
    change(api, segment, "remove", ["2"])
    assert members(api, segment)["ids"] == ["1"]
    api.add(api.act("delete", {"id": "1"}))
    assert members(api, segment)["ids"] == []
    assert api.app.delete(f"/v1/segments/{segment}").status_code == 204
    assert api.app.get(f"/v1/segments/{segment}").status_code == 404
    assert api.app.get("/v1/segments").json() == {"segments": []}


@pytest.mark.parametrize(("kind", "found"), [("id", ["1"]), ("email", ["2"]), ("cio_id", ["3"])])
def test_id_types_do_not_mix(api, kind, found):
    segment = api.segment()
    api.add(api.identify(id="1"), api.identify({"email": "two@example.com"}, id="2"), api.identify(id="3"))
    change(api, segment, "add", ["1", "TWO@example.com", api.cio_id("3")], id_type=kind)
    assert members(api, segment)["ids"] == found


@pytest.mark.parametrize("ids", [[], [f"c{i}" for i in range(1001)], [1], "1", None])
def test_ids_are_1_to_1000_strings(api, ids):
    response = change(api, api.segment(), "add", ids)
    assert response.status_code == 400
    assert response.json()["meta"]["errors"]


def test_1000_at_once(api):
    segment = api.segment()
    ids = [f"c{i}" for i in range(1000)]
    api.add(*(api.identify(id=each) for each in ids))
    change(api, segment, "add", ids)
    assert api.app.get(f"/v1/segments/{segment}/customer_count").json()["count"] == 1000


def test_unknown_id_type(api):
    assert change(api, api.segment(), "add", ["1"], id_type="phone").status_code == 400


@pytest.mark.parametrize("segment", ["99", "vip"])
def test_unknown_segment(api, segment):
    response = change(api, segment, "add", ["1"])
    assert (response.status_code, response.json()) == (404, "Segment not found")
    for path in ("", "/used_by", "/customer_count", "/membership"):
        assert api.app.get(f"/v1/segments/{segment}{path}").status_code == 404
    assert api.app.delete(f"/v1/segments/{segment}").status_code == 404


def test_membership_by_page(api):
    segment = api.segment()
    ids = [f"c{i}" for i in range(7)]
    api.add(*(api.identify(id=each) for each in ids), api.identify(email="no-id@example.com"))
    change(api, segment, "add", ids)
    change(api, segment, "add", ["no-id@example.com"], id_type="email")
    seen, start = [], ""
    while True:
        page = members(api, segment, limit=3, start=start)
        seen += page["ids"]
        assert len(page["ids"]) == len(page["identifiers"]) <= 3
        start = page["next"]
        if not start:
            break
    assert seen == [*ids, ""]


@pytest.mark.parametrize("body", [{}, {"segment": {}}, {"segment": {"name": ""}}, {"name": "x"}, []])
def test_a_segment_needs_a_name(api, body):
    assert api.app.post("/v1/segments", json=body).status_code == 400
