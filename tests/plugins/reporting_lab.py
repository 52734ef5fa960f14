"""Fixture `shop`: 60 simulated days of a workspace, told by all four routes, and loads of them into Redshift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import redshift_connector
from signed_webhooks import KEY

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

if TYPE_CHECKING:
    from receiver_lab import ReceiverProcess

    from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

pytest_plugins = ("receiver_lab",)
DAY = 86_400
BOTH = ["deliveries", "metrics"]


@dataclass
class Shop:
    """The sandbox, its routes, and a warehouse."""

    url: str
    s3: Any
    warehouse: Warehouse
    receiver: ReceiverProcess
    people: int
    first: date
    closing: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, auth=("sandbox-site", "sandbox-track-key"), timeout=600)
        self.offset = 0

    def control(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def set(self, **settings: Any) -> None:
        self.http.put("/_sandbox/settings", json=settings).raise_for_status()

    def go_to(self, offset: int) -> None:
        self.offset = offset
        self.set(clock_offset=offset)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.offset)

    def track(self, items: list[dict[str, Any]]) -> None:
        for first in range(0, len(items), 1000):
            answer = self.http.post("/api/v2/batch", json={"batch": items[first : first + 1000]})
            assert (answer.status_code, answer.json()) == (200, {})

    def begin(self) -> None:
        """Everybody, a campaign, a newsletter whose topic one in five takes, and a broadcast to ten people."""
        self.control("topics", name="Offers")
        off = {"topics": {"topic_1": False}}
        self.track(
            [
                _item(
                    "identify",
                    n,
                    attributes={"email": f"p{n}@example.com"}
                    | ({"cio_subscription_preferences": off} if n % 5 else {}),
                )
                for n in range(self.people)
            ]
        )
        self.control("campaigns", name="Thanks", trigger={"event": "Order Completed"})
        self.control("newsletters", name="Spring", topic="1")
        self.control("broadcasts", name="Flash sale")
        self.trigger(1, [f"p{n}" for n in range(10)])

    def trigger(self, broadcast: int, ids: list[str]) -> None:
        """What a program of the shop does."""
        key = {"Authorization": "Bearer sandbox-app-key"}
        body = {"ids": ids, "data": {"percent": 20}}
        self.http.post(
            f"/v1/campaigns/{broadcast}/triggers", json=body, headers=key, auth=None
        ).raise_for_status()

    def live(self, days: int, orders: int, *, since: int) -> None:
        """Days on which `orders` people order; the clock ends `days` after `since`."""
        for day in range(days):
            self.go_to(since + day * DAY)
            who = range(day * orders, (day + 1) * orders)
            self.track([_item("event", n % self.people, name="Order Completed", attributes={}) for n in who])
        self.go_to(since + days * DAY)
        self.control("deliveries")

    def tell_webhooks(self) -> int:
        """All that is due, to the receiver."""
        told = self.control("webhooks", endpoint=f"{self.receiver.url}/reporting", signing_key=KEY.decode())
        assert told["waiting"] == 0
        return int(told["told"])

    def data_out(self, *versions: int) -> list[str]:
        where = {"endpoint_url": self.s3.endpoint, "bucket": self.s3.bucket, "prefix": "out/"}
        files: list[str] = self.control("data_out", **where, versions=list(versions))["files"]
        return files

    def app(self) -> AppClient:
        client = AppClient(api_key="sandbox-app-key", base_url=self.url, rate=10_000, sleep=lambda _: None)
        self.closing.append(client)
        return client

    def bucket(self, prefix: str) -> Bucket:
        return Bucket(self.s3.client, f"s3://{self.s3.bucket}/{prefix}", self.s3.role)

    def context(self, source: str, **changes: Any) -> Reporting:
        files = {"data_out": "out", "webhooks": "hooks"}.get(source)
        values: dict[str, Any] = {
            "source": source,
            "warehouse": self.warehouse,
            "bucket": self.bucket("staging"),
            "run_id": "run-1",
            "first": self.first,
            "app": self.app(),
            "files": self.bucket(files) if files else None,
            "clock": self.now,
        }
        return Reporting(**values | changes)

    def load(self, source: str, streams: list[str] | None = None, **changes: Any) -> list[StreamReport]:
        ctx = self.context(source, **changes)
        chosen = reporting.chosen(streams or BOTH, source)
        exports = None
        if source == "export":
            exports = reporting.ask(ctx, chosen)
            while not all(ctx.app_client.export_is_done(each) for each in exports):
                continue
        return reporting.run(ctx, chosen, exports)

    def books(self) -> set[tuple[Any, ...]]:
        """The delivery engine's own account."""
        return {tuple(row) for row in self.http.get("/_sandbox/books").json()["books"]}


def _item(action: str, n: int, **rest: Any) -> dict[str, Any]:
    return {"type": "person", "action": action, "identifiers": {"id": f"p{n}"}, **rest}


@pytest.fixture
def shop(
    customerio: CustomerIOSandbox, s3: Any, redshift_dsn: dict[str, Any], receiver: ReceiverProcess
) -> Iterator[Shop]:
    warehouse = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    first = (datetime.now(UTC) - timedelta(days=91)).date()
    made = Shop(customerio.url, s3, warehouse, receiver, people=2000, first=first)
    yield made
    for thing in (*made.closing, made.http, warehouse):
        thing.close()
