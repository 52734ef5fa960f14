"""What audiences cost: normalising and hashing, the diff in the warehouse, and the platforms' own limits.

python tests/bench/audiences.py [--members 200000] [--change 2]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redshift_connector

from airflow_provider_cio.core.audience.capabilities import CAPABILITIES
from airflow_provider_cio.core.audience.forms import e164
from airflow_provider_cio.core.normalise import hash_all, normaliser_version
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
        f"NULL, GETDATE() FROM ({hashes.format(low=1, high=members)}) AS h"
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


def limits(members: int) -> None:
    """The least time that the documented limits allow, for a first upload of one identifier a member."""
    for name, can in CAPABILITIES.items():
        requests = -(-members // can.batch)
        minutes = requests / can.requests_per_minute
        say(f"{name}: {members:,} members are {requests:,} requests, {minutes:.1f} min at its limit")


def main() -> None:
    """Measure, and say all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=200_000)
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
    limits(5_000_000)


if __name__ == "__main__":
    main()
