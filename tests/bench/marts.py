"""`make bench-marts`: a full and an incremental build of the marts on the local Redshift, with time and memory.

1,000,000 customers, about 2,000,000 orders and 10,000,000 order lines by default. The local Redshift is PostgreSQL on
one machine: the figures say that the models scale with their rows, not how fast a cluster is.
"""

from __future__ import annotations

import argparse
import logging
import os
import resource
import tempfile
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


@contextmanager
def shop(customers: int) -> Iterator[EnrichmentContext]:
    """The sample shop with its lines doubled, in a Redshift of its own."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    s3.client(endpoint).create_bucket(Bucket="bench")
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalRedshift(Path(folder), port=None, s3_endpoint=endpoint) as local,
    ):
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
        yield EnrichmentContext(load_models(ROOT / "dags/models.yaml"), load_folder(ROOT / "sql"), warehouse)
        warehouse.close()
    server.stop()


def main() -> None:
    """Measure and print a line per model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=1_000_000)
    with shop(parser.parse_args().customers) as ctx:
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
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of this process at most {used:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
