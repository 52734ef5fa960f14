"""What audiences cost: normalising and hashing, the diff in the warehouse, and the platforms' own limits.

python tests/bench/audiences.py [--members 5000000] [--change 2]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import redshift_connector

from airflow_provider_cio.clients.destinations.base import Batch, Destination
from airflow_provider_cio.clients.destinations.google import GoogleUserList
from airflow_provider_cio.clients.destinations.meta import MetaAudience
from airflow_provider_cio.clients.destinations.rudderstack import RudderStackAudience
from airflow_provider_cio.clients.destinations.segments import ManualSegment
from airflow_provider_cio.clients.destinations.tiktok import TikTokAudience
from airflow_provider_cio.clients.destinations.webhook import WebhookAudience
from airflow_provider_cio.clients.rate import RateBudget
from airflow_provider_cio.core.audience.capabilities import CAPABILITIES
from airflow_provider_cio.core.audience.forms import e164
from airflow_provider_cio.core.normalise import hash_all, normaliser_version
from airflow_provider_cio.sandbox.ads import AdSandbox
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
from airflow_provider_cio.sandbox.redshift import LocalRedshift
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.changes import Target
from airflow_provider_cio.warehouse.audience.tables import Books, ensure_tables
from airflow_provider_cio.warehouse.session import Warehouse

PHONES = 50_000


def say(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(f"{line}\n")


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def normalising(rows: int) -> None:
    """Rows a second, distinct values, one thread."""
    emails = [f"First.Last{number}@Example.com" for number in range(rows)]
    phones = [f"+44 7911 {number:06d}" for number in range(PHONES)]
    for name, field, values in (
        ("meta", "EMAIL", emails),
        ("google", "emailAddress", emails),
        ("meta", "PHONE", phones),
    ):
        e164.cache_clear()
        seconds = timed(lambda n=name, f=field, v=values: hash_all(n, f, v))  # type: ignore[misc]
        say(f"normalise and hash {name} {field}: {len(values) / seconds:,.0f} rows/s")
    seconds = timed(lambda: hash_all("google", "phoneNumber", phones))
    say(f"the same phones again, from the cache: {len(phones) / seconds:,.0f} rows/s")


def diffing(warehouse: Warehouse, members: int, change_pct: float) -> None:
    """The frozen plan of one destination over hashes that the warehouse makes itself."""
    ensure_tables(warehouse)
    books = Books.of(warehouse.schema, "bench", "bench")
    moved = int(members * change_pct / 200)
    warehouse.run("CREATE TABLE digits (n INTEGER)")
    warehouse.run("INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
    number = " + ".join(f"{10**place} * d{place}.n" for place in range(7))
    numbers = f"SELECT {number} AS i FROM {', '.join(f'digits AS d{place}' for place in range(7))}"
    hashes = (
        f"SELECT SHA2(CAST(i AS VARCHAR(12)), 256) AS identifier FROM ({numbers}) AS g "
        "WHERE i BETWEEN {low} AND {high}"
    )
    warehouse.run(changes.create_desired(books))
    warehouse.run(
        f"INSERT INTO {books.members} SELECT 'bench', 'meta', 'EMAIL_SHA256', identifier, 'present', 1, 1, 'p', 0, "
        f"NULL, GETDATE(), NULL FROM ({hashes.format(low=1, high=members)}) AS h"
    )
    warehouse.run(
        f"INSERT INTO {books.desired} SELECT 'meta', 'EMAIL_SHA256', identifier, NULL, NULL "
        f"FROM ({hashes.format(low=1 + moved, high=members + moved)}) AS h"
    )
    targets = [Target("meta", 10_000, normaliser_version("meta"), None)]
    seconds = timed(lambda: warehouse.run(changes.freeze(books, "bench", targets)))
    found = {reason: int(count) for _, reason, count, _ in warehouse.fetch(changes.counts(books))}
    assert found == {"entered": moved, "left": moved}, found
    say(f"diff of {members:,} members with {change_pct:g} % change: {seconds:.1f} s on the local Redshift")


def clients(ads: AdSandbox, customerio: CustomerIOSandbox) -> dict[str, Destination]:
    """One audience at each platform of the sandbox, with no limit of rate."""
    quick: dict[str, Any] = {"requests_per_minute": 6_000_000}
    extras = ads.connections()
    for platform in ads.platforms:
        platform.make("1")
    segment = {"segment": {"name": "bench", "description": ""}}
    bearer = {"Authorization": "Bearer sandbox-app-key"}
    httpx.post(f"{customerio.url}/v1/segments", json=segment, headers=bearer).raise_for_status()
    google = extras["google"]
    token = google.pop("access_token")
    return {
        "customerio": ManualSegment(
            site_id="sandbox-site",
            api_key="sandbox-track-key",
            segment=1,
            app=None,
            base_url=customerio.url,
            **quick,
        ),
        "meta": MetaAudience(audience="1", **extras["meta"], **quick),
        "google": GoogleUserList(audience="1", token=lambda: token, **google, **quick),
        "tiktok": TikTokAudience(audience="1", **extras["tiktok"], **quick),
        "rudderstack": RudderStackAudience(audience="1", **extras["rudderstack"], **quick),
        "webhook": WebhookAudience(audience="1", **extras["webhook"], **quick),
    }


def one_request(kind: str, client: Destination) -> float:
    """Seconds of a full batch, the platform's own work included; the best of three."""
    can = CAPABILITIES[kind]
    _, field = next(iter(can.fields.values()))
    hashed = [sha256(str(number).encode()).hexdigest() for number in range(can.batch)]
    return min(
        timed(lambda n=n: client.apply(Batch(f"u{n}", "add", field, hashed)))  # type: ignore[misc]
        for n in range(3)
    )


def to_desired_state(members: int) -> None:
    """A first upload by the client's own budget at the documented limits, on a clock that does not wait, against the
    least time that the limits allow.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        AdSandbox() as ads,
        CustomerIOSandbox(Path(folder), port=None) as customerio,
    ):
        for kind, client in clients(ads, customerio).items():
            can, each, clock = CAPABILITIES[kind], one_request(kind, client), [0.0]

            def wait(seconds: float, clock: list[float] = clock) -> None:
                clock[0] += seconds

            budget = RateBudget(can.requests_per_minute / 60, clock=lambda c=clock: c[0], sleep=wait)  # type: ignore[misc]
            requests = -(-members // can.batch)
            for _ in range(requests):
                budget.acquire()
                wait(each)
            least = requests / can.requests_per_minute
            say(
                f"{kind}: {members:,} members are {requests:,} requests of {each * 1000:.0f} ms: "
                f"{clock[0] / 60:.1f} min to the desired state, {least:.1f} min at the least"
            )
            client.close()


def main() -> None:
    """Measure, and say all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=5_000_000)
    parser.add_argument("--change", type=float, default=2.0, help="percent of the members that come or go")
    arguments = parser.parse_args()
    normalising(min(arguments.members, 200_000))
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalRedshift(Path(folder), port=None, s3_endpoint="http://127.0.0.1:9") as server,
    ):
        warehouse = Warehouse(
            lambda: redshift_connector.connect(
                host=server.host,
                port=server.port,
                database=server.database,
                user=server.user,
                password=server.password,
                ssl=False,
            )
        )
        diffing(warehouse, arguments.members, arguments.change)
        warehouse.close()
    to_desired_state(arguments.members)


if __name__ == "__main__":
    main()
