"""`make bench-marts`: a full and an incremental build of the marts on the local Redshift, with time and memory.

1,000,000 customers, about 2,000,000 orders, 10,000,000 order lines and 3,000,000 messages by default. The local
Redshift is PostgreSQL on one machine: the figures say that the models scale with their rows, not how fast a cluster is.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import redshift_connector
from moto.server import ThreadedMotoServer

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.engine.enrichment import EnrichmentContext, run
from airflow_provider_cio.sandbox import s3
from airflow_provider_cio.sandbox.redshift import LocalRedshift
from airflow_provider_cio.sandbox.shop import load
from airflow_provider_cio.warehouse.session import Warehouse

ROOT = Path(__file__).parents[2]
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
MESSAGES = (
    "CREATE SCHEMA cio_staging",
    """CREATE TABLE cio_staging.stg_customerio__deliveries DISTKEY (customer_id) AS
    SELECT
        customers.customer_id || ':' || numbers.number AS delivery_id,
        customers.customer_id,
        CAST(NULL AS VARCHAR(64)) AS cio_id,
        CAST(CASE MOD(numbers.number, 2) WHEN 0 THEN 'sms' ELSE 'email' END AS VARCHAR(16)) AS channel,
        CAST(numbers.number AS BIGINT) AS campaign_id,
        CAST(NULL AS BIGINT) AS broadcast_id,
        CAST(NULL AS BIGINT) AS newsletter_id,
        CAST(NULL AS BIGINT) AS transactional_message_id,
        CAST(numbers.number AS BIGINT) AS variation,
        DATEADD(day, -10 * numbers.number, CAST('2026-02-28' AS TIMESTAMP)) AS sent_at
    FROM (SELECT DISTINCT customer_id FROM shop.customers) AS customers
    CROSS JOIN (SELECT 1 AS number UNION ALL SELECT 2 UNION ALL SELECT 3) AS numbers""",
    """CREATE TABLE cio_staging.stg_customerio__delivery_metrics DISTKEY (delivery_id) AS
    SELECT
        delivery_id,
        DATEADD(hour, 1, sent_at) AS first_human_opened_at,
        CASE WHEN channel = 'sms' THEN DATEADD(hour, 2, sent_at) END AS first_clicked_at,
        CAST(NULL AS TIMESTAMP) AS first_unsubscribed_at
    FROM cio_staging.stg_customerio__deliveries""",
)


@contextmanager
def shop(customers: int, folder: Path) -> Iterator[EnrichmentContext]:
    """The sample shop with its lines doubled and three messages for everybody, in a Redshift of its own."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    s3.client(endpoint).create_bucket(Bucket="bench")
    with LocalRedshift(folder, port=None, s3_endpoint=endpoint) as local:
        login = {
            "host": local.host,
            "port": local.port,
            "database": local.database,
            "user": local.user,
            "password": local.password,
        }
        storage = {"endpoint_url": endpoint, "bucket": "bench"}
        load({"redshift": login, "s3": storage}, customers=customers, as_of=date(2026, 3, 1))
        warehouse = Warehouse(lambda: redshift_connector.connect(**login, ssl=False))
        warehouse.run(
            "INSERT INTO shop.order_lines "
            "SELECT order_id, line_number + 10, sku, quantity, unit_price FROM shop.order_lines"
        )
        for statement in MESSAGES:
            warehouse.run(statement)
        yield EnrichmentContext(load_models(ROOT / "dags/models.yaml"), load_folder(ROOT / "sql"), warehouse)
        warehouse.close()
    server.stop()


class Memory(threading.Thread):
    """The most private memory that the database's processes had at once, looked at twice a second."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        (self._pid_file,) = folder.rglob("postmaster.pid")
        self.peak, self.done = 0, threading.Event()

    def run(self) -> None:
        """Look until it is done."""
        postmaster = self._pid_file.read_text().split()[0]
        while not self.done.wait(0.5):
            self.peak = max(self.peak, sum(map(self._private, self._processes(postmaster))))

    @staticmethod
    def _processes(postmaster: str) -> list[Path]:
        found = [Path("/proc", postmaster, "status")]
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = stat.read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue  # it has ended
            found += [stat.with_name("status")] if parent == postmaster else []
        return found

    @staticmethod
    def _private(status: Path) -> int:
        try:
            return int(status.read_text().partition("RssAnon:")[2].split()[0])
        except (OSError, IndexError):
            return 0  # it has ended


def main() -> None:
    """Measure and print a line per model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as folder, shop(parser.parse_args().customers, Path(folder)) as ctx:
        memory = Memory(Path(folder))
        memory.start()
        counted = ctx.warehouse.fetch("SELECT COUNT(*) FROM shop.order_lines")[0][0]
        print(f"{counted:,} order lines")  # noqa: T201
        for kind, moment in (("full", AS_OF), ("incremental", AS_OF.replace(day=2))):
            began = last = time.monotonic()
            running = ""

            def progress(name: str) -> None:
                nonlocal last, running
                if running:
                    print(f"{kind:12} {running:28} {time.monotonic() - last:8.1f} s", flush=True)  # noqa: T201, B023
                last, running = time.monotonic(), name

            rows = run(ctx, moment, progress=progress)
            progress("")
            seconds = time.monotonic() - began
            print(f"{kind:12} {sum(rows.values()):,} rows of all models in {seconds:.1f} s")  # noqa: T201
        memory.done.set()
        print(f"memory of the database at most {memory.peak / 1024:.0f} MB")  # noqa: T201
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of this process at most {used:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
