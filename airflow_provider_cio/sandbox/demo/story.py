"""The story the demo tells: start everything, load a shop, let Airflow build marts and run syncs, reconcile."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redshift_connector

from airflow_provider_cio.sandbox import shop
from airflow_provider_cio.sandbox.demo import audiences
from airflow_provider_cio.sandbox.demo.airflow_stack import AirflowStack, StackError
from airflow_provider_cio.sandbox.demo.audiences import AudienceRun
from airflow_provider_cio.sandbox.demo.newsletter import read_reporting, send_newsletter
from airflow_provider_cio.sandbox.demo.reconcile import compare, read_customerio, read_findings, read_runs
from airflow_provider_cio.sandbox.demo.screen import Screen, Steps
from airflow_provider_cio.sandbox.demo.syncs import (
    MARTS,
    REPORTING,
    SyncRun,
    hold_syncs,
    run_dag,
    run_syncs,
    set_connections,
)
from airflow_provider_cio.sandbox.guardian import Guarded, spawn
from airflow_provider_cio.sandbox.ports import free_port

PACKAGE = Path(__file__).resolve().parents[2]
DAGS = next(path for path in (PACKAGE.parent / "dags", PACKAGE / "_shipped" / "dags") if path.is_dir())
TOTALS = ("rows", "added", "changed", "unchanged", "sent", "accepted", "rejected")


class DemoError(Exception):
    """The demo cannot go on; the message says what to read or do."""


@dataclass(frozen=True)
class Outcome:
    """What the demo found at the end."""

    shop: str
    syncs: list[SyncRun]
    runs: dict[str, dict[str, Any]]
    customerio: dict[str, Any]
    came_back: dict[str, int]
    audiences: dict[str, list[dict[str, Any]]]
    findings: dict[str, int]
    differences: list[str]
    seconds: float
    addresses: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """Totals by kind from the runs, and the Customer.io sandbox's own figures."""
        totals = {
            kind: {column: sum(run[column] for run in self._runs_of(kind)) for column in TOTALS}
            for kind in ("people", "events")
        }
        found = {"customerio": self.customerio, "came_back": self.came_back, "audiences": self.audiences}
        return {"demo": totals | found | {"seconds": self.seconds}}

    def _runs_of(self, kind: str) -> list[dict[str, Any]]:
        return [self.runs[sync.name] for sync in self.syncs if sync.kind == kind and sync.name in self.runs]


@contextmanager
def tell_story(folder: Path, customers: int, orders: Path | None, screen: Screen) -> Iterator[Outcome]:
    """Run everything in ``folder``; the services stay up until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    airflow = AirflowStack(folder / "airflow", DAGS, port=free_port(8080))
    sandbox: Guarded | None = None
    try:
        with screen.steps() as steps, _starting(airflow, steps) as started:
            sandbox, endpoints = _start_sandbox(folder / "sandbox", steps)
            name = _load_shop(endpoints, customers, orders, steps)
            started()
            set_connections(airflow, endpoints)
            held_back = hold_syncs(airflow, DAGS / "syncs", steps)
            run_dag(airflow, MARTS, steps)
            syncs = run_syncs(airflow, held_back, steps)
            send_newsletter(endpoints["customerio"])
            run_dag(airflow, REPORTING, steps)
            # Orders of a real shop come without emails and consent: there is nobody to show an ad.
            wanted = {} if orders else audiences.with_destinations(DAGS / "audiences")
            carried = _run_audiences(airflow, endpoints, wanted, steps)
        with redshift_connector.connect(**endpoints["redshift"], ssl=False) as connection:
            runs = read_runs(connection, syncs)
            held = read_customerio(endpoints["customerio"])
            findings = read_findings(connection)
            came_back = read_reporting(connection, endpoints["customerio"])
            differences = compare(connection, syncs, runs, held)
            places = audiences.read(connection, carried)
            differences += audiences.compare(endpoints, connection, wanted, carried)
        if came_back["messages"] != came_back["made"]:
            differences.append(
                f"{came_back['made']} messages in Customer.io, {came_back['messages']} in Redshift"
            )
        addresses = {
            "Airflow": airflow.url,
            "Customer.io sandbox": endpoints["customerio"]["url"],
            "Redshift": "{host}:{port}, database {database}, user {user}".format(**endpoints["redshift"]),
            "Ad platforms": ", ".join(each["url"] for each in endpoints["ads"].values()),
            "S3": endpoints["s3"]["endpoint_url"],
            "Logs": str(folder),
        }
        yield Outcome(
            name, syncs, runs, held, came_back, places, findings, differences, screen.seconds, addresses
        )
    except StackError as error:
        raise DemoError(str(error)) from error
    finally:
        airflow.stop()
        if sandbox is not None:
            sandbox.stop()


def _run_audiences(
    airflow: AirflowStack, endpoints: dict[str, Any], wanted: dict[str, Any], steps: Steps
) -> list[AudienceRun]:
    if not wanted:
        return []
    audiences.set_connections(airflow, endpoints["ads"])
    audiences.make_places(endpoints, wanted)
    return audiences.run_audiences(airflow, wanted, steps)


@contextmanager
def _starting(airflow: AirflowStack, steps: Steps) -> Iterator[Callable[[], None]]:
    """Start Airflow beside the block, which calls what it is given to wait for it."""
    with ThreadPoolExecutor(1) as background:
        future = background.submit(airflow.start, lambda note: steps.show("Airflow", 0, 1, note))

        def wait() -> None:
            future.result()
            steps.show("Airflow", 1, 1, "ready")

        try:
            yield wait
        except BaseException:
            airflow.cancel()
            raise


def _start_sandbox(folder: Path, steps: Steps) -> tuple[Guarded, dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    ready, log = folder / "endpoints.json", folder / "sandbox.log"
    ready.unlink(missing_ok=True)
    steps.show("Sandbox", 0, 1, "starting Redshift, S3, Customer.io and the ad platforms")
    argv = [sys.executable, "-m", "airflow_provider_cio.sandbox", "up", "--folder", str(folder)]
    guarded = spawn(argv, log=log)
    while not ready.exists():
        if guarded.poll() is not None:
            raise DemoError(f"the sandbox ended while starting. Next step: read {log}")
        time.sleep(0.1)
    steps.show("Sandbox", 1, 1, "ready")
    return guarded, json.loads(ready.read_text())


def _load_shop(endpoints: dict[str, Any], customers: int, orders: Path | None, steps: Steps) -> str:
    """Load the shop once; a second run in the same folder finds it there."""
    name = f"sample shop of {customers:,} customers" if orders is None else f"orders of {orders.name}"
    steps.show("Shop", 0, 1, f"loading the {name}")
    shop.ensure_loaded(endpoints, customers=customers, orders=orders)
    if orders is None:
        shop.go_on(endpoints)
    steps.show("Shop", 1, 1, f"{name} in Redshift")
    return name
