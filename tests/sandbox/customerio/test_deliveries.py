"""The delivery engine, and the four routes by which its books can be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from conftest import Api

DAY = 86_400


def control(api: Api, path: str, **body: Any) -> dict[str, Any]:
    answer = api.track.post(f"/_sandbox/{path}", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def people(api: Api) -> Api:
    """150 people, a campaign that follows an order, a newsletter with a topic; ten days have gone by."""
    api.set(clock_offset=-40 * DAY)
    api.add(*(api.identify({"email": f"p{n}@example.com"}, id=f"p{n}") for n in range(150)))
    api.add(api.identify({"unsubscribed": True}, id="p0"))
    api.add(api.identify({"cio_subscription_preferences": {"topics": {"topic_1": False}}}, id="p1"))
    control(api, "campaigns", name="Thanks", trigger={"event": "Order Completed"})
    control(api, "topics", name="Offers")
    control(api, "newsletters", name="Spring", topic="1")
    for n in range(100):
        api.add(api.act("event", {"id": f"p{n}"}, name="Order Completed", attributes={}))
    api.set(clock_offset=-30 * DAY)
    control(api, "deliveries")
    return api


def messages(api: Api, **asked: Any) -> Iterator[dict[str, Any]]:
    start = ""
    while True:
        page = api.app.get("/v1/messages", params={"limit": 100, **asked, "start": start}).json()
        yield from page["messages"]
        start = page["next"]
        if not start:
            return


def test_it_writes_to_those_who_take_it(people: Api) -> None:
    found = {each["id"]: each for each in messages(people)}
    newsletter = {each["customer_id"] for each in found.values() if each["newsletter_id"]}
    assert newsletter == {f"p{n}" for n in range(2, 150)}
    campaign = {each["customer_id"] for each in found.values() if each["campaign_id"]}
    held_out = people.track.get("/_sandbox/deliveries").json()["held_out"]
    assert "p0" not in campaign
    assert held_out > 0
    assert len(campaign | {"p0"}) == pytest.approx(100 - held_out, abs=2)
    assert {name for each in found.values() for name in each["metrics"]} >= {
        "sent",
        "delivered",
        "opened",
        "clicked",
    }
    for each in found.values():
        assert min(each["metrics"].values(), default=each["created"]) >= each["created"]


def test_the_same_seed_gives_the_same_books_and_time_adds_to_them(people: Api) -> None:
    before = people.track.get("/_sandbox/books").json()["books"]
    control(people, "deliveries")
    assert people.track.get("/_sandbox/books").json()["books"] == before
    people.set(clock_offset=-40 * DAY)
    earlier = people.track.get("/_sandbox/books").json()["books"]
    assert sum(row[3] for row in earlier) < sum(row[3] for row in before)


def test_a_page_begins_with_the_last_row_of_the_one_before(people: Api) -> None:
    ids = [each["id"] for each in messages(people)]
    assert len(ids) > len(set(ids))
    people.set(page_repeats=False)
    ids = [each["id"] for each in messages(people)]
    assert len(ids) == len(set(ids)) == people.track.get("/_sandbox/deliveries").json()["deliveries"]


def test_a_start_alone_shows_the_last_six_months(people: Api) -> None:
    people.set(clock_offset=300 * DAY)
    assert list(messages(people, start_ts=1)) == []
    now = people.track.get("/_sandbox/settings").json()["clock_offset"]
    assert now == 300 * DAY


def test_a_key_without_a_scope_is_refused(people: Api) -> None:
    people.set(app_keys={"sandbox-app-key": ["campaigns"]})
    assert people.app.get("/v1/campaigns").status_code == 200
    assert people.app.get("/v1/messages").status_code == 403


def test_an_export_is_pending_and_its_link_expires(people: Api) -> None:
    assert people.app.post("/v1/exports/deliveries", json={}).status_code == 400
    number = people.app.post("/v1/exports/deliveries", json={"newsletter_id": 1}).json()["export"]["id"]
    states = [people.app.get(f"/v1/exports/{number}").json()["export"]["status"] for _ in range(3)]
    assert states == ["pending", "pending", "done"]
    url = people.app.get(f"/v1/exports/{number}/download").json()["url"]
    rows = list(csv.DictReader(io.StringIO(httpx.get(url).text)))
    assert len(rows) == 148
    people.set(clock_offset=-30 * DAY + 1000)
    assert httpx.get(url).status_code == 403


def test_data_out_writes_what_changed_since_the_last_time(people: Api, s3: Any) -> None:
    target = {"endpoint_url": s3.endpoint, "bucket": s3.bucket, "prefix": "out/"}
    keys = control(people, "data_out", **target, versions=[4, 5])["files"]
    tables = {key.split("/")[1].rsplit("_", 2)[0]: _read(s3, key) for key in keys}
    names = (
        "deliveries",
        "delivery_contents",
        "metrics",
        "outputs",
        "subjects",
        "people",
        "attributes",
    )
    assert set(tables) == {f"{name}_v{n}" for n in (4, 5) for name in names}
    assert tables["delivery_contents_v4"].num_rows == tables["deliveries_v4"].num_rows
    assert tables["subjects_v4"].num_rows == 100
    assert tables["metrics_v4"].column_names[4:6] == ["created_at", "reason"]
    assert tables["metrics_v5"].column_names[4:6] == ["reason", "link_id"]
    assert tables["metrics_v4"].num_rows == tables["metrics_v5"].num_rows
    assert tables["people_v4"]["created_at"][0].as_py().year == 1970
    people.set(clock_offset=-25 * DAY)
    people.add(people.act("event", {"id": "p120"}, name="Order Completed", attributes={}))
    people.set(clock_offset=-20 * DAY)
    later = [key for key in control(people, "data_out", **target)["files"] if "metrics" in key]
    assert set(_read(s3, later[0])["event_id"].to_pylist()).isdisjoint(
        tables["metrics_v4"]["event_id"].to_pylist()
    )


def _read(s3: Any, key: str) -> pa.Table:
    body = s3.client.get_object(Bucket=s3.bucket, Key=key)["Body"].read()
    return pq.read_table(pa.BufferReader(body))


class Taker(BaseHTTPRequestHandler):
    taken: ClassVar[list[dict[str, Any]]] = []
    most = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        full = len(self.taken) >= Taker.most
        if not full:
            self.taken.append(json.loads(body))
        self.send_response(500 if full else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


class Server(ThreadingHTTPServer):
    request_queue_size = 128


def test_webhooks_come_twice_and_late_and_stop_behind_a_refusal(people: Api) -> None:
    with Server(("127.0.0.1", 0), Taker) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        asked = {"endpoint": f"http://127.0.0.1:{server.server_port}/", "signing_key": "k"}
        Taker.most = 50
        stopped = control(people, "webhooks", **asked)
        Taker.most = 1_000_000
        rest = control(people, "webhooks", **asked)
        again = control(people, "webhooks", **asked)
        server.shutdown()
    assert 50 <= stopped["told"] < 70
    assert (rest["waiting"], again) == (0, {"told": 0, "waiting": 0})
    ids = [each["event_id"] for each in Taker.taken]
    assert len(set(ids)) < len(ids)
    times = [each["timestamp"] for each in Taker.taken]
    assert times != sorted(times)


def test_a_transactional_message_is_a_delivery(people: Api) -> None:
    control(people, "transactional", name="Receipt")
    body = {"transactional_message_id": 1, "identifiers": {"id": "p7"}, "to": "p7@example.com"}
    delivery = people.app.post("/v1/send/email", json=body).json()["delivery_id"]
    [found] = [each for each in messages(people) if each["id"] == delivery]
    assert (found["customer_id"], found["campaign_id"]) == ("p7", None)
    by_name = {"transactional_message_id": "receipt", "identifiers": {"email": "P7@example.com"}}
    assert people.app.post("/v1/send/email", json=by_name | {"to": "p7@example.com"}).status_code == 200
    for wrong in ({"id": "nobody"}, {"id": "p7", "email": "p7@example.com"}, {}, {"phone": "1"}):
        assert people.app.post("/v1/send/email", json=body | {"identifiers": wrong}).status_code == 400
