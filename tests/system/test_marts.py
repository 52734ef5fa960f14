"""The marts under a real scheduler, over simulated days: what they say reaches Customer.io without anybody asking."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.lineage import lineage
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.sandbox.shop import load

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
ENRICHMENT = """
from pathlib import Path
from airflow_provider_cio.templates.enrichment import enrichment_dag
here = Path(__file__).parent
dag = enrichment_dag(here / "models.yaml", sql_folder=here / "sql", schedule=None)
"""
SYNC = {
    "kind": "people",
    "description": "VIPs",
    "owner": "system tests",
    "source": "cio_marts.retention_customer_state",
    "identity": {"id": "customer_id"},
    "attributes": {"vip_tier": "vip_tier", "vip_definition_version": "vip_definition_version"},
    "backfill": {"journeys_paused": True},
    "cadence": "0 0 1 1 *",
}


def copy_models(target: Path, *wanted: str) -> None:
    """The shipped models of these names, with what they read, and their checks."""
    folder = load_folder(ROOT / "sql")
    found = lineage(folder, load_models(ROOT / "dags/models.yaml"))
    waiting = set(wanted)
    needed: set[str] = set()
    while waiting:
        needed |= waiting
        waiting = set().union(*(found[name][0] for name in waiting)) - needed
    files = [folder.models[name].path for name in needed]
    files += [ROOT / f"sql/checks/{check.name}.sql" for check in folder.checks if check.model in needed]
    for file in files:
        (target / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / file.parent.name)


@pytest.fixture
def team(world):
    """A team of its own beside the other Dags, with the sample shop and two customers whom we know."""
    load(world.endpoints, customers=60, as_of=date(2026, 3, 1))
    for person in ("Ann", "Ben"):
        world.sql(
            "INSERT INTO shop.customers (customer_id, email, created_at, accepts_marketing) "
            f"VALUES ('{person}', '{person.lower()}@example.com', '2026-01-01', TRUE)"
        )
        world.sql(
            "INSERT INTO shop.orders (order_id, customer_id, ordered_at, currency, total) "
            f"VALUES ('O{person}', '{person}', '2026-03-02 10:00:00', 'GBP', 600)"
        )
    folder = world.dags / "team"
    copy_models(folder / "sql", "retention_customer_state", "vip_tier_history")
    (folder / "syncs").mkdir()
    shutil.copy(ROOT / "dags/models.yaml", folder)
    contract = yaml.safe_load((world.dags / "contract.yaml").read_text()) | {
        "attributes": {
            name: {"type": "string", "writer": "vips", "description": name} for name in SYNC["attributes"]
        }
    }
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    (folder / "syncs/vips.yaml").write_text(yaml.safe_dump(SYNC))
    shutil.copy(ROOT / "dags/cio_syncs.py", folder / "team_syncs.py")
    (folder / "team_marts.py").write_text(ENRICHMENT)
    for dag in ("cio_enrichment", "cio_sync_vips"):
        world.airflow.wait_for_dag(dag)
        world.airflow.unpause(dag)
    return folder


def build(world, as_of: str) -> None:
    runs = "/api/v2/dags/cio_enrichment/dagRuns"
    asked = {"logical_date": None, "conf": {"as_of": as_of}}
    run = world.airflow.call("POST", runs, json=asked)["dag_run_id"]
    state = world.airflow.wait_for(
        lambda: (found := world.airflow.get(f"{runs}/{run}")["state"]) in {"success", "failed"} and found,
        f"the marts as of {as_of}",
        seconds=400,
    )
    assert state == "success", world.tasks(world.airflow.get(f"{runs}/{run}"))


def tiers(world) -> dict[str, tuple[str, str]]:
    """What Customer.io holds of the two."""
    people = {
        person["id"]: person for person in world.control("GET", "people", params={"limit": 10_000})["people"]
    }
    return {
        name: (people[name]["attributes"]["vip_tier"], people[name]["attributes"]["vip_definition_version"])
        for name in ("Ann", "Ben")
        if name in people
    }


def test_a_definition_changes_and_a_refund_comes_late(world, team):
    build(world, "2026-03-05T00:00:00+00:00")
    silver = {"Ann": ("silver", "2026-01"), "Ben": ("silver", "2026-01")}
    world.airflow.wait_for(lambda: tiers(world) == silver, "the sync of the fresh mart to reach Customer.io")

    models = yaml.safe_load((team / "models.yaml").read_text())
    models["vip"].append(
        {"version": "2026-03", "since": date(2026, 3, 8), "change": "Gold from 500", "tiers": {"gold": 500}}
    )
    (team / "models.yaml").write_text(yaml.safe_dump(models))
    world.sql(
        "INSERT INTO shop.refunds (refund_id, order_id, refunded_at, amount) "
        "VALUES ('RBen', 'OBen', '2026-03-10 12:00:00', 600)"
    )
    build(world, "2026-03-12T00:00:00+00:00")
    changed = {"Ann": ("gold", "2026-03"), "Ben": ("none", "2026-03")}
    world.airflow.wait_for(lambda: tiers(world) == changed, "the change to reach Customer.io")
    assert world.sql(
        "SELECT customer_id, vip_tier, vip_definition_version, CAST(valid_from AS DATE) "
        "FROM cio_marts.vip_tier_history WHERE customer_id IN ('Ann', 'Ben') ORDER BY customer_id, valid_from"
    ) == [
        ("Ann", "none", "2026-01", date(2026, 1, 1)),
        ("Ann", "silver", "2026-01", date(2026, 3, 2)),
        ("Ann", "gold", "2026-03", date(2026, 3, 8)),
        ("Ben", "none", "2026-01", date(2026, 1, 1)),
        ("Ben", "silver", "2026-01", date(2026, 3, 2)),
        ("Ben", "gold", "2026-03", date(2026, 3, 8)),
        ("Ben", "none", "2026-03", date(2026, 3, 10)),
    ]
