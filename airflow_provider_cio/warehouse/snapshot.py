"""Our tables, read for a snapshot: each query answers few rows, whatever the age of the installation."""

from __future__ import annotations

from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.state import table

RUNS, DAYS, REASONS, SAMPLES = 60, 400, 20, 5
"""How many runs, days and reasons a snapshot holds, and hashed keys for each reason."""

RUN_COLUMNS = (
    *("run_id", "plan_id", "status", "message", "source_rows", "added", "changed", "unchanged", "exited"),
    *("unidentified", "accepted", "rejected", "unknown", "unsent", "requests", "retries", "rate_limited"),
    *("bytes", "seconds", "finished_at"),
)
DESTINATION_COLUMNS = (
    *("destination", "members", "held_out", "unidentified", "uploaded", "unsettled", "size", "match_rate"),
    *("ready", "as_expected", "measured_at"),
)


def runs(schema: str, sync: str) -> str:
    """The latest runs, newest first: :data:`RUN_COLUMNS`."""
    return (
        f"SELECT {', '.join(RUN_COLUMNS)} FROM {table(schema, 'runs')} WHERE sync = {sql.literal(sync)} "
        f"ORDER BY finished_at DESC, plan_id DESC LIMIT {RUNS}"
    )


def days(schema: str, sync: str) -> str:
    """``(day, runs, bad, accepted, rejected, unsent, longest)``, oldest first."""
    return (
        "SELECT TO_CHAR(finished_at, 'YYYY-MM-DD') AS day, COUNT(*), "
        "SUM(CASE WHEN status IN ('sent', 'nothing_to_send') THEN 0 ELSE 1 END), "
        f"SUM(accepted), SUM(rejected), SUM(unknown + unsent), MAX(seconds) FROM {table(schema, 'runs')} "
        f"WHERE sync = {sql.literal(sync)} AND finished_at >= DATEADD(day, -{DAYS}, TRUNC(GETDATE())) "
        "GROUP BY 1 ORDER BY 1"
    )


def delivered(schema: str, sync: str) -> str:
    """``(when)`` everything was last delivered."""
    return (
        f"SELECT MAX(finished_at) FROM {table(schema, 'runs')} "
        f"WHERE sync = {sql.literal(sync)} AND status IN ('sent', 'nothing_to_send')"
    )


def rejects(schema: str, sync: str, plan_ids: list[str]) -> str:
    """``(plan_id, class, reason, field, rows, samples)`` of some runs, the most frequent reasons first."""
    among = ", ".join(map(sql.literal, plan_ids))
    hashes = (
        "SELECT plan_id, class, reason, COALESCE(field, '') AS field, key_hash, "
        "ROW_NUMBER() OVER (PARTITION BY plan_id, class, reason, COALESCE(field, '') ORDER BY key_hash) AS nth, "
        "COUNT(*) OVER (PARTITION BY plan_id, class, reason, COALESCE(field, '')) AS rows_of_reason "
        f"FROM {table(schema, 'rejects')} WHERE sync = {sql.literal(sync)} AND plan_id IN ({among})"
    )
    grouped = (
        "SELECT plan_id, class, reason, field, MAX(rows_of_reason) AS rows_of_reason, "
        "LISTAGG(key_hash, ',') WITHIN GROUP (ORDER BY key_hash) AS samples "
        f"FROM ({hashes}) AS h WHERE nth <= {SAMPLES} GROUP BY plan_id, class, reason, field"
    )
    ranked = (
        "SELECT plan_id, class, reason, field, rows_of_reason, samples, "
        "ROW_NUMBER() OVER (PARTITION BY plan_id ORDER BY rows_of_reason DESC, reason, field) AS nth "
        f"FROM ({grouped}) AS g"
    )
    return (
        f"SELECT plan_id, class, reason, field, rows_of_reason, samples FROM ({ranked}) AS r "
        f"WHERE nth <= {REASONS} ORDER BY plan_id DESC, rows_of_reason DESC"
    )


def drift(schema: str, sync: str) -> str:
    """``(reason, field, rows)`` that are open."""
    return (
        f"SELECT reason, COALESCE(field, ''), COUNT(*) FROM {table(schema, 'drift')} "
        f"WHERE sync = {sql.literal(sync)} AND repaired_at IS NULL GROUP BY 1, 2 ORDER BY 3 DESC LIMIT {REASONS}"
    )


def has_alerts(schema: str) -> str:
    """A row when there are alerts at all: an older installation has no such table."""
    return (
        "SELECT 1 FROM information_schema.tables "
        f"WHERE table_schema = {sql.literal(schema)} AND table_name = 'alerts'"
    )


def alerts(schema: str) -> str:
    """``(subject_kind, subject, check_name, part, state, message, since, runbook)`` of what is open, oldest first."""
    return (
        "SELECT subject_kind, subject, check_name, part, state, message, since, runbook "
        f"FROM {table(schema, 'alerts')} WHERE state IN ('warning', 'critical') ORDER BY since, alert"
    )


def findings(schema: str, sync: str, run_id: str) -> str:
    """``(name, severity, field, rows, message)`` of one run."""
    return (
        f"SELECT name, severity, COALESCE(field, ''), rows, message FROM {table(schema, 'findings')} "
        f"WHERE sync = {sql.literal(sync)} AND run_id = {sql.literal(run_id)} ORDER BY rows DESC LIMIT {REASONS}"
    )


def measurements(schema: str, audience: str) -> str:
    """:data:`DESTINATION_COLUMNS` and ``run_id``: the last of each day and destination, oldest first."""
    columns = ", ".join((*DESTINATION_COLUMNS, "run_id"))
    ranked = (
        f"SELECT {columns}, ROW_NUMBER() OVER (PARTITION BY destination, TRUNC(measured_at) "
        f"ORDER BY measured_at DESC) AS nth FROM {table(schema, 'match_rates')} "
        f"WHERE audience = {sql.literal(audience)} AND measured_at >= DATEADD(day, -{DAYS}, TRUNC(GETDATE()))"
    )
    return f"SELECT {columns} FROM ({ranked}) AS m WHERE nth = 1 ORDER BY measured_at, destination"


def uploads(schema: str, audience: str) -> str:
    """``(run_id, identifiers, refused, undecided, requests, reason, finished_at)`` by run, newest first."""
    return (
        "SELECT run_id, SUM(identifiers), "
        "SUM(CASE WHEN outcome = 'rejected' THEN identifiers ELSE invalid END), "
        "SUM(CASE WHEN outcome IN ('unknown', 'pending') THEN identifiers ELSE 0 END), COUNT(*), "
        "MAX(reason), MAX(sent_at) "
        f"FROM {table(schema, 'audience_uploads')} WHERE audience = {sql.literal(audience)} "
        f"AND sent_at >= DATEADD(day, -{DAYS}, TRUNC(GETDATE())) GROUP BY run_id ORDER BY 7 DESC LIMIT {RUNS}"
    )


def reporting_runs(schema: str, source: str) -> str:
    """``(run_id, status, rows_read, rows_new, gap_days, message, finished_at)`` by run, newest first."""
    return (
        "SELECT run_id, MAX(status), SUM(rows_read), SUM(rows_new), SUM(gap_days), MAX(message), "
        f"MAX(finished_at) FROM {table(schema, 'reporting_runs')} WHERE source = {sql.literal(source)} "
        f"AND finished_at >= DATEADD(day, -{DAYS}, TRUNC(GETDATE())) GROUP BY run_id ORDER BY 7 DESC LIMIT {RUNS}"
    )
