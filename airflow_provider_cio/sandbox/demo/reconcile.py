"""Do the numbers agree? Our own tables on one side, the Customer.io sandbox's own figures on the other."""

from __future__ import annotations

from typing import Any

import httpx

from airflow_provider_cio.sandbox.demo.syncs import SyncRun

RUN = """
SELECT status, source_rows AS rows, added, changed, unchanged, exited, unidentified,
       sent, accepted, rejected, unknown
FROM cio_sync.runs WHERE sync = %s AND run_id = %s
"""


def rows(connection: Any, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    """A query's result."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read_runs(connection: Any, syncs: list[SyncRun]) -> dict[str, dict[str, Any]]:
    """The run row of each sync, as an analyst would query it."""
    found = {sync.name: rows(connection, RUN, sync.name, sync.run_id) for sync in syncs}
    return {name: of_run[0] for name, of_run in found.items() if of_run}


def read_findings(connection: Any) -> dict[str, int]:
    """What the loader of the shop counted and did not hide."""
    return {
        row["finding"]: row["rows"]
        for row in rows(connection, "SELECT finding, rows FROM shop.load_findings")
    }


def read_customerio(customerio: dict[str, Any]) -> dict[str, Any]:
    """People and events that the Customer.io sandbox holds, by its own count."""
    stats = httpx.get(f"{customerio['url']}/_sandbox/stats", trust_env=False).raise_for_status().json()
    return {"people": stats["people"], "events": stats["events"], "by_event": stats["events_by_name"]}


def compare(
    connection: Any, syncs: list[SyncRun], runs: dict[str, dict[str, Any]], held: dict[str, Any]
) -> list[str]:
    """Every disagreement, in words; an empty list when all numbers reconcile."""
    differences = [
        f"{sync.name}: the Dag run ended {sync.state}" for sync in syncs if sync.state != "success"
    ]
    differences += [
        f"{sync.name}: there is no row in cio_sync.runs" for sync in syncs if sync.name not in runs
    ]
    for name, run in runs.items():
        found = run["added"] + run["changed"] + run["unchanged"] + run["unidentified"]
        if found != run["rows"]:
            differences.append(f"{name}: {run['rows']} rows in the source, {found} accounted for by the plan")
        planned = run["added"] + run["changed"] + run["exited"]
        ended = run["accepted"] + run["rejected"] + run["unknown"]
        if planned != ended:
            differences.append(f"{name}: {planned} rows planned, {ended} accepted, rejected or unknown")
    for kind in ("people", "events"):
        tracked = sum(
            rows(connection, f"SELECT COUNT(*) AS n FROM cio_sync.state__{sync.name}")[0]["n"]
            for sync in syncs
            if sync.kind == kind and sync.name in runs
        )
        if held[kind] != tracked:
            differences.append(f"{tracked} {kind} accepted so far, {held[kind]} in Customer.io")
    return differences
