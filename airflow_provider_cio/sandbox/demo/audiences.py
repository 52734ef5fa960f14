"""The audiences of the demo: their places at the platforms, their Dags, and whether both sides agree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml

from airflow_provider_cio.sandbox.demo.airflow_stack import AirflowStack
from airflow_provider_cio.sandbox.demo.reconcile import rows
from airflow_provider_cio.sandbox.demo.screen import Steps
from airflow_provider_cio.sandbox.demo.syncs import await_runs

FOUND = """
SELECT r.destination, r.members, r.held_out, r.size,
       COUNT(CASE WHEN l.state = 'present' THEN 1 END) AS uploaded,
       COUNT(CASE WHEN l.state <> 'present' THEN 1 END) AS unsettled
FROM cio_sync.match_rates r
LEFT JOIN cio_sync.audience_members l ON l.audience = r.audience AND l.destination = r.destination
WHERE r.audience = %s AND r.run_id = %s GROUP BY r.destination, r.members, r.held_out, r.size ORDER BY r.destination
"""
HELD = """
SELECT COUNT(*) AS n FROM cio_sync.audience_members
WHERE audience = %s AND destination = %s AND state = 'present'
"""


@dataclass(frozen=True)
class AudienceRun:
    """An audience and the Dag run that carried it."""

    name: str
    run_id: str
    state: str


def with_destinations(folder: Path) -> dict[str, dict[str, Any]]:
    """The audience files that go somewhere, by name."""
    found = {file.stem: yaml.safe_load(file.read_text()) for file in sorted(folder.glob("*.yaml"))}
    return {name: content for name, content in found.items() if content.get("destinations")}


def set_connections(airflow: AirflowStack, ads: dict[str, Any]) -> None:
    """One connection for each platform, as `cio_<type>_default`."""
    for kind, extra in ads.items():
        airflow.set_connection(f"cio_{kind}_default", f"cio_{kind}", extra=json.dumps(extra["connection"]))


def make_places(endpoints: dict[str, Any], audiences: dict[str, dict[str, Any]]) -> None:
    """Audiences and segments with the ids that the files name, as their owners would make them in the UI."""
    wanted = [each for content in audiences.values() for each in content["destinations"].values()]
    ads, customerio = endpoints["ads"], endpoints["customerio"]
    with httpx.Client(trust_env=False, timeout=60) as http:
        for place in wanted:
            if place["type"] in ads:
                url = f"{ads[place['type']]['url']}/_sandbox/audiences"
                http.post(url, json={"id": place["audience"]}).raise_for_status()
        segments, key = f"{customerio['url']}/v1/segments", customerio["app_api_key"]
        bearer = {"Authorization": f"Bearer {key}"}
        last = max(int(place["audience"]) for place in wanted if place["type"] == "customerio")
        there = {
            each["id"] for each in http.get(segments, headers=bearer).raise_for_status().json()["segments"]
        }
        for number in range(len(there) + 1, last + 1):
            body = {"segment": {"name": f"Audience {number}", "description": "Filled from Redshift"}}
            http.post(segments, json=body, headers=bearer).raise_for_status()


def run_audiences(
    airflow: AirflowStack, audiences: dict[str, dict[str, Any]], steps: Steps
) -> list[AudienceRun]:
    """Trigger the Dags of all audiences, and wait for them."""
    dag_ids = {name: f"cio_audience_{name}" for name in audiences}
    for name, dag_id in dag_ids.items():
        steps.show(name, 0, 1, "waiting to be parsed")
        airflow.wait_for_dag(dag_id)
    started = datetime.now(UTC)
    for dag_id in dag_ids.values():
        airflow.trigger(dag_id)
        airflow.unpause(dag_id)
    ended = await_runs(airflow, dag_ids, started, steps)
    return [AudienceRun(name, run["dag_run_id"], run["state"]) for name, run in ended.items()]


def read(connection: Any, runs: list[AudienceRun]) -> dict[str, list[dict[str, Any]]]:
    """What the books say of each destination now, by audience: Google confirms after its run was measured."""
    return {run.name: rows(connection, FOUND, run.name, run.run_id) for run in runs}


def compare(
    endpoints: dict[str, Any], connection: Any, audiences: dict[str, dict[str, Any]], runs: list[AudienceRun]
) -> list[str]:
    """Every disagreement between the ledger and what the platforms hold, in words."""
    differences = [f"{run.name}: the Dag run ended {run.state}" for run in runs if run.state != "success"]
    with httpx.Client(trust_env=False, timeout=60) as http:
        for run in runs:
            for name, place in audiences[run.name]["destinations"].items():
                held = int(rows(connection, HELD, run.name, name)[0]["n"])
                there = _there(http, endpoints, place)
                if held != there:
                    differences.append(f"{run.name}: {name} holds {there}, the ledger says {held}")
    return differences


def _there(http: httpx.Client, endpoints: dict[str, Any], place: dict[str, Any]) -> int:
    """How many identifiers a platform has, by its own count."""
    if place["type"] == "customerio":
        customerio = endpoints["customerio"]
        answer = http.get(
            f"{customerio['url']}/v1/segments/{place['audience']}/customer_count",
            headers={"Authorization": f"Bearer {customerio['app_api_key']}"},
        )
        return int(answer.raise_for_status().json()["count"])
    answer = http.get(f"{endpoints['ads'][place['type']]['url']}/_sandbox/members/{place['audience']}")
    return sum(len(each) for each in answer.raise_for_status().json().values())
