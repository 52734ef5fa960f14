"""A whole Airflow and a whole sandbox, once for all system tests, with syncs of their own."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import redshift_connector
import yaml
from xdist.scheduler import LoadScopeScheduling

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.lineage import lineage
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.sandbox import s3
from airflow_provider_cio.sandbox.demo.airflow_stack import AirflowStack
from airflow_provider_cio.sandbox.demo.syncs import set_connections
from airflow_provider_cio.sandbox.guardian import spawn
from airflow_provider_cio.sandbox.ports import free_port

DAGS = Path(__file__).parents[2] / "dags"
ROLE = "arn:aws:iam::123456789012:role/redshift-copy-unload"
STAGING = {"s3": "s3://cio-sandbox/cio", "iam_role": f"{{{{ var.value.get('unload_role', '{ROLE}') }}}}"}
FINISHED = {"success", "failed"}
OWN_STACK = {"test_celery.py", "test_demo.py", "test_page.py"}


class ByStack(LoadScopeScheduling):
    """Modules with a stack of their own run beside the others, which share one world in one process.

    (`--dist loadgroup` does nothing with pytest 9.2: xdist 3.8 renames tests in a way that it no longer sees.)
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0].rpartition("/")[2]
        return module if module in OWN_STACK else "world"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStack | None:
    """Only where whole scopes are handed out."""
    return ByStack(config, log) if config.getvalue("dist") == "loadscope" else None


@dataclass
class World:
    """The stack, the sandbox, and how a test speaks to both."""

    airflow: AirflowStack
    endpoints: dict[str, Any]
    dags: Path
    syncs: list[str] = field(default_factory=list)

    def sql(self, statement: str) -> list[tuple]:
        with redshift_connector.connect(**self.endpoints["redshift"], ssl=False) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        url = f"{self.endpoints['customerio']['url']}/_sandbox/{path}"
        answer = httpx.request(method, url, trust_env=False, timeout=60, **arguments).raise_for_status()
        return answer.json() if answer.content else None

    def storage(self) -> Any:
        return s3.client(self.endpoints["s3"]["endpoint_url"])

    def members(self, sync: str, count: int) -> None:
        """`count` people in the sync's source, all others gone."""
        self.sql(f"DELETE FROM source.{sync}")
        rows = ", ".join(f"('{sync}-{number}', {number})" for number in range(count))
        self.sql(f"INSERT INTO source.{sync} VALUES {rows}")

    def run(self, sync: str) -> dict[str, Any]:
        """Trigger the sync's Dag, wait for its end; the run."""
        return self.ended(sync, self.airflow.trigger(f"cio_sync_{sync}"))

    def ended(self, sync: str, run_id: str) -> dict[str, Any]:
        return self.finished(f"cio_sync_{sync}", run_id)

    def build_marts(self, as_of: datetime) -> dict[str, Any]:
        """Build the marts of this world as of a moment, wait for the end; the run."""
        dag, body = "cio_enrichment", {"logical_date": None, "conf": {"as_of": as_of.isoformat()}}
        run_id = self.airflow.call("POST", f"/api/v2/dags/{dag}/dagRuns", json=body)["dag_run_id"]
        return self.finished(dag, run_id)

    def define(self, **changed: Any) -> None:
        """Change keys of the models.yaml that the marts of this world are built by."""
        file = self.dags / "marts/models.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changed))

    def finished(self, dag_id: str, run_id: str) -> dict[str, Any]:
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        self.airflow.wait_for(
            lambda: self.airflow.get(path)["state"] in FINISHED, f"{dag_id} {run_id}", seconds=400
        )
        run: dict[str, Any] = self.airflow.get(path)
        if run["state"] == "failed":
            self._show_failures(run)
        return run

    def _show_failures(self, run: dict[str, Any]) -> None:
        """Print, for the report of a test that fails, how the logs of failed tasks end."""
        for task, states in self.tasks(run).items():
            print(task, states)  # noqa: T201
            folder = self.airflow.home / "logs" / f"dag_id={run['dag_id']}" / f"run_id={run['dag_run_id']}"
            for log in sorted(folder.glob(f"task_id={task}/**/*.log")) if "failed" in states else ():
                print(log.name, *log.read_text().splitlines()[-12:], sep="\n")  # noqa: T201

    def a_scheduler_loop_has_passed(self) -> None:
        """Airflow fails a task that is answered before its scheduler has heard that the asking process ended."""

        def heartbeat() -> str:
            return str(self.airflow.get("/api/v2/monitor/health")["scheduler"]["latest_scheduler_heartbeat"])

        for _ in range(2):
            last = heartbeat()
            self.airflow.wait_for(lambda last=last: heartbeat() != last, "the scheduler's next heartbeat")

    def tasks(self, run: dict[str, Any]) -> dict[str, str]:
        """States by task; of a mapped task, all its states sorted and joined."""
        path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        states: dict[str, list[str]] = {}
        for task in self.airflow.get(path, limit=200)["task_instances"]:
            states.setdefault(task["task_id"], []).append(task["state"])
        return {name: "+".join(sorted(set(found))) for name, found in states.items()}

    def report(self, run: dict[str, Any]) -> tuple:
        """(status, added, changed, unchanged, sent, accepted) of the run's row in cio_sync.runs."""
        found = self.sql(
            "SELECT status, added, changed, unchanged, sent, accepted FROM cio_sync.runs "
            f"WHERE run_id = '{run['dag_run_id']}'"
        )
        assert len(found) == 1, found
        return found[0]

    def people(self, sync: str) -> int:
        """People of this sync that Customer.io holds."""
        page = self.control("GET", "people", params={"limit": 10_000})
        return sum(str(person["id"]).startswith(f"{sync}-") for person in page["people"])


def _sync(name: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "people",
        "description": f"System test {name}",
        "owner": "system tests",
        "source": f"cio_marts.{name}",
        "identity": {"id": "customer_id"},
        "attributes": {f"score_{name}": "score"},
        "backfill": {"journeys_paused": True},
    } | more


SYNCS = {
    "calm": _sync("calm"),
    "torn": _sync("torn", rows_per_shard=5),
    "guarded": _sync("guarded", guards={"max_added": 5}),
    "stuck": _sync("stuck"),
    "asked": _sync("asked", approve=True),
    "cleared": _sync("cleared", rows_per_shard=5),
    "second_purchase": {
        "kind": "events",
        "description": "Ten days after a first cleanser, nothing bought since",
        "owner": "system tests",
        "source": "cio_marts.second_purchase",
        "identity": {"id": "customer_id"},
        "event": "Second Purchase Due",
        "key": "customer_id",
        "occurred_at": {"column": "due_at", "time_zone": "UTC"},
        "lookback": "36500d",
        "properties": {"first_order_id": "first_order_id"},
        "guards": {"min_rows": 0},
    },
    "late": _sync(
        "late",
        deadline={
            "within": "1s",
            "notify": {
                "notifier": "airflow.providers.http.notifications.HttpNotifier",
                "arguments": {
                    "http_conn_id": "owner_pager",
                    "endpoint": "/late",
                    "json": {
                        name: f"{{{{ {name} }}}}" for name in ("sync", "owner", "promise", "state", "message")
                    },
                },
            },
        },
    ),
}


ENRICHMENT = """
from pathlib import Path

from airflow_provider_cio.templates.enrichment import enrichment_dag

here = Path(__file__).parent
dag = enrichment_dag(here / "models.yaml", sql_folder=here / "sql", schedule=None)
"""
TIERS: dict[str, Any] = {
    "business": {"time_zone": "Europe/London", "currency": "GBP"},
    "schemas": {"marts": "tier_marts", "staging": "tier_staging", "build": "tier_build"},
    "sources": {
        "customers": {
            "table": "source.tier_customers",
            "columns": {name: name for name in ("customer_id", "email", "created_at")},
        },
        "orders": {
            "table": "source.tier_orders",
            "columns": {name: name for name in ("order_id", "customer_id", "ordered_at", "total")},
        },
        "refunds": {
            "table": "source.tier_refunds",
            "columns": {name: name for name in ("refund_id", "order_id", "refunded_at", "amount")},
        },
    },
    "vip": [{"version": "a", "since": "2026-01-01", "change": "first", "tiers": {"gold": 70}}],
}


AUDIENCES: dict[str, dict[str, Any]] = {
    "buyers": {
        "description": "Bought in the last seven days and kept it",
        "owner": "system tests",
        "purpose": "suppression",
        "suppresses": "purchasers",
        "source": "cio_marts.recent_buyers",
        "identity": {"id": "customer_id", "email": "email"},
    },
    "promo": {
        "description": "Everybody who wants news and has not just bought",
        "owner": "system tests",
        "purpose": "winback",
        "source": "cio_marts.promo_people",
        "identity": {"id": "customer_id", "email": "email"},
        "consent": ["accepts_marketing"],
        "suppressions": ["buyers"],
        "holdout": {"experiment": "promo", "percent": 20, "salt": "pepper"},
        "destinations": {
            "meta": {"type": "meta", "audience": "120000000000000001"},
            "google": {"type": "google", "audience": "7000000001"},
            "tiktok": {"type": "tiktok", "audience": "1700000000000000001"},
            "rudderstack": {"type": "rudderstack", "audience": "promo"},
            "journeys": {"type": "customerio", "audience": "1"},
            "crm": {"type": "webhook", "audience": "promo", "identifiers": ["id"]},
        },
    },
}


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    write_marts(folder / "dags/marts", TIERS, "recent_purchasers", "vip_tier_history", "model_changelog")
    with _open_world(folder, SYNCS) as opened:
        yield opened


@pytest.fixture
def mart_dags() -> Callable[..., None]:
    """:func:`write_marts`, for a world of one's own, before it is opened."""
    return write_marts


def write_marts(folder: Path, models: dict[str, Any], *marts: str) -> None:
    """A Dag that builds these marts and what they read, or all, when it is asked to; `World.build_marts` asks."""
    shipped = load_folder(DAGS.parent / "sql")
    reads = lineage(shipped, load_models(DAGS / "models.yaml"))
    needed, waiting = set[str](), set(marts or reads)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting |= reads[name][0] - needed
    for name in needed:
        model = shipped.models[name]
        (folder / "sql" / model.layer).mkdir(parents=True, exist_ok=True)
        shutil.copy(model.path, folder / "sql" / model.layer)
    (folder / "models.yaml").write_text(yaml.safe_dump(models))
    contract = {"workspace": "system-tests", "staging": STAGING}
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    (folder / "cio_enrichment.py").write_text(ENRICHMENT)


@pytest.fixture(scope="session")
def open_world() -> Callable[..., AbstractContextManager[World]]:
    """For tests that need a stack of their own: `open_world(folder, syncs, **stack)`."""
    return _open_world


@contextmanager
def _open_world(folder: Path, syncs: dict[str, dict[str, Any]], **stack: Any) -> Iterator[World]:
    """Start the sandbox and Airflow with these syncs; `stack` goes to the AirflowStack."""
    dags = _write_dags(folder / "dags", syncs)
    argv = [sys.executable, "-m", "airflow_provider_cio.sandbox", "up", "--folder", str(folder / "sandbox")]
    argv += [
        part
        for name in ("redshift", "s3", "customerio", "ads")
        for part in (f"--{name}-port", str(free_port()))
    ]
    sandbox = spawn(argv, log=folder / "sandbox.log")
    ready = folder / "sandbox" / "endpoints.json"
    airflow = AirflowStack(folder / "airflow", dags, port=free_port(), **stack)
    try:
        airflow.start()
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert sandbox.poll() is None, (folder / "sandbox.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        world = World(airflow, json.loads(ready.read_text()), dags, list(syncs))
        _create_sources(world)
        set_connections(airflow, world.endpoints)
        for name in syncs:
            airflow.wait_for_dag(f"cio_sync_{name}")
            airflow.unpause(f"cio_sync_{name}")
        yield world
    finally:
        airflow.stop()
        sandbox.stop()


def _write_dags(folder: Path, syncs: dict[str, dict[str, Any]]) -> Path:
    (folder / "syncs").mkdir(parents=True)
    (folder / "audiences").mkdir()
    for loader in ("cio_syncs.py", "cio_audiences.py"):
        shutil.copy(DAGS / loader, folder)
    for name, audience in AUDIENCES.items():
        (folder / "audiences" / f"{name}.yaml").write_text(yaml.safe_dump(audience))
    contract = {
        "workspace": "system-tests",
        "staging": STAGING,
        "attributes": {
            f"score_{name}": {"type": "integer", "writer": name, "description": "A number"}
            for name, sync in syncs.items()
            if sync["kind"] == "people"
        },
        "events": {
            sync["event"]: {
                "description": sync["description"],
                "properties": {name: {"type": "string"} for name in sync["properties"]},
            }
            for sync in syncs.values()
            if sync["kind"] == "events"
        },
    }
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    for name, sync in syncs.items():
        (folder / "syncs" / f"{name}.yaml").write_text(yaml.safe_dump(sync))
    return folder


def _create_sources(world: World) -> None:
    for schema in ("source", "cio_marts"):
        world.sql(f"CREATE SCHEMA {schema}")
    for name in world.syncs:
        world.sql(f"CREATE TABLE source.{name} (customer_id VARCHAR(64), score BIGINT)")
        world.sql(f"CREATE VIEW cio_marts.{name} AS SELECT * FROM source.{name} WITH NO SCHEMA BINDING")
