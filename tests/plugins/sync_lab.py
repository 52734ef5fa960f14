"""Fixture `lab`: a local Redshift, S3 and Customer.io, and the engine's context over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redshift_connector

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

ROLE = "arn:aws:iam::123456789012:role/redshift"

CUSTOMERS = """
CREATE TABLE cio_marts.customers (
    customer_id VARCHAR(400), email VARCHAR(400), name VARCHAR(4000), orders INTEGER, spent DECIMAL(12,2),
    vip BOOLEAN, born DATE, seen_at TIMESTAMPTZ, extra SUPER
)
"""
ORDERS = """
CREATE TABLE cio_marts.orders (
    order_id VARCHAR(600), customer_id VARCHAR(400), ordered_at TIMESTAMP, total DECIMAL(12,2), items INTEGER
)
"""


def numbers(count: int, start: int) -> str:
    """A relation of the numbers from `start` on, as column i; below 100,000."""
    number = "a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n"
    tens = "digits a, digits b, digits c, digits d, digits e"
    where = f"{number} >= {start} AND {number} < {start + count}"
    return f"(SELECT {number} AS i FROM {tens} WHERE {where}) AS numbers"


@dataclass
class Lab:
    """What the tests of the engine stand on."""

    dsn: dict[str, Any]
    bucket: Bucket
    s3_client: Any
    customerio: CustomerIOSandbox
    folder: Path
    closing: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.warehouse = self.new_warehouse()
        for statement in ("CREATE SCHEMA cio_marts", CUSTOMERS, ORDERS, "CREATE TABLE digits (n INTEGER)"):
            self.warehouse.run(statement)
        self.warehouse.run("INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")

    def new_warehouse(self) -> Warehouse:
        """Another session."""
        warehouse = Warehouse(lambda: redshift_connector.connect(**self.dsn))
        self.closing.append(warehouse)
        return warehouse

    def track(self, **options: Any) -> TrackClient:
        """A client of the sandbox that does not wait between its tries."""
        settings: dict[str, Any] = {"attempts": 2, "timeout": 5.0, "rate": 10_000, "sleep": lambda _: None}
        client = TrackClient(
            site_id="sandbox-site",
            api_key="sandbox-track-key",
            base_url=self.customerio.url,
            **settings | options,
        )
        self.closing.append(client)
        return client

    def app(self) -> AppClient:
        """A client of the sandbox's App API."""
        client = AppClient(
            api_key="sandbox-app-key",
            base_url=self.customerio.url,
            rate=10_000,
            attempts=2,
            sleep=lambda _: None,
        )
        self.closing.append(client)
        return client

    def setting(self, **changes: Any) -> None:
        """Settings of the sandbox."""
        self._sandbox("PUT", "settings", json=changes)

    def writer(self, *items: dict[str, Any]) -> None:
        """Somebody else who writes to the same workspace."""
        answer = httpx.post(
            f"{self.customerio.url}/api/v2/batch",
            json={"batch": list(items)},
            auth=("sandbox-site", "sandbox-track-key"),
        )
        assert (answer.status_code, answer.json()) == (200, {})

    def context(self, sync: Sync, run_id: str = "run-1", **changes: Any) -> SyncContext:
        """The sync in a run."""
        contract = Contract.model_validate(
            {"workspace": "shop", "staging": {"s3": self.bucket.uri(""), "iam_role": ROLE}}
        )
        values: dict[str, Any] = {
            "sync": sync,
            "contract": contract,
            "warehouse": self.warehouse,
            "bucket": self.bucket,
            "run_id": run_id,
            "track": self.track(),
        }
        return SyncContext(**values | changes)

    def people(self, **changes: Any) -> Sync:
        """A people sync over `cio_marts.customers`."""
        return Sync.model_validate(
            {
                "name": "people",
                "kind": "people",
                "description": "State of customers",
                "owner": "retention",
                "source": "cio_marts.customers",
                "identity": {"id": "customer_id"},
                "attributes": {"name": "name", "order_count": "orders", "spent": "spent", "vip": "vip"},
                "backfill": {"journeys_paused": True},
                **changes,
            }
        )

    def events(self, **changes: Any) -> Sync:
        """An event sync over `cio_marts.orders`."""
        return Sync.model_validate(
            {
                "name": "orders",
                "kind": "events",
                "description": "Orders",
                "owner": "retention",
                "source": "cio_marts.orders",
                "identity": {"id": "customer_id"},
                "event": "Order Completed",
                "key": "order_id",
                "occurred_at": {"column": "ordered_at", "time_zone": "UTC"},
                "lookback": "36500d",
                "properties": {"order_id": "order_id", "total": "total", "items": "items"},
                "backfill": {"live": True},
                **changes,
            }
        )

    def customers(self, count: int, start: int = 0) -> None:
        """Customers c<start>..., each with other attributes."""
        self.run(
            "INSERT INTO cio_marts.customers (customer_id, name, orders, spent, vip) "
            f"SELECT 'c' || i, 'Name ' || i, i, i + 0.5, i % 2 = 1 FROM {numbers(count, start)}"
        )

    def orders(self, count: int, start: int = 0, people: int = 10) -> None:
        """Orders o<start>... of customers c0..., a second apart."""
        self.run(
            "INSERT INTO cio_marts.orders (order_id, customer_id, ordered_at, total, items) "
            f"SELECT 'o' || i, 'c' || (i % {people}), DATEADD(second, i, CAST('2024-03-01' AS TIMESTAMP)), "
            f"i + 0.25, i FROM {numbers(count, start)}"
        )

    def insert(self, target: str, rows: list[str]) -> None:
        """Rows of VALUES into a table of the marts."""
        for first in range(0, len(rows), 500):
            self.warehouse.run(
                f"INSERT INTO cio_marts.{target} VALUES {', '.join(rows[first : first + 500])}"
            )

    def run(self, sql: str) -> None:
        """One statement."""
        self.warehouse.run(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A small result."""
        return self.warehouse.fetch(sql)

    def expire_lease(self) -> None:
        """As if the holder had died long ago."""
        self.run("UPDATE cio_sync.leases SET expires_at = DATEADD(hour, -1, GETDATE())")

    def stats(self) -> dict[str, Any]:
        """What Customer.io counted."""
        stats: dict[str, Any] = self._sandbox("GET", "stats")
        return stats

    def received(self) -> int:
        """Items that reached Customer.io, accepted or not."""
        return int(self.stats()["items"]["received"])

    def person(self, identifier: str) -> dict[str, Any]:
        """A person as stored there."""
        person: dict[str, Any] = self._sandbox("GET", f"people/{identifier}")
        return person

    def events_of(self, identifier: str) -> list[dict[str, Any]]:
        """Their events as stored there."""
        found = self._sandbox("GET", "events", params={"identifier": identifier})
        events: list[dict[str, Any]] = found["events"] if isinstance(found, dict) else found
        return events

    def faults(self, *faults: dict[str, Any]) -> None:
        """Faults of the batch route, in order."""
        self._sandbox("POST", "faults", json=[{"route": "/api/v2/batch", **fault} for fault in faults])

    def _sandbox(self, method: str, path: str, **arguments: Any) -> Any:
        answer = httpx.request(method, f"{self.customerio.url}/_sandbox/{path}", timeout=60, **arguments)
        answer.raise_for_status()
        return answer.json() if answer.content else None


@pytest.fixture
def lab(
    redshift_dsn: dict[str, Any], s3: Any, customerio: CustomerIOSandbox, tmp_path: Path
) -> Iterator[Lab]:
    bucket = Bucket(s3.client, f"s3://{s3.bucket}/{tmp_path.name}", ROLE)
    lab = Lab(redshift_dsn, bucket, s3.client, customerio, tmp_path)
    yield lab
    for thing in lab.closing:
        thing.close()
