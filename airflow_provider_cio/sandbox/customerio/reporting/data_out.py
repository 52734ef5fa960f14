"""Data-out to S3: Parquet files of what changed since the last export, several versions side by side.

Column orders of version 4 are those a loader in the field relies on; version 5 adds columns to metrics and moves some.
"""

from __future__ import annotations

import io
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_cio.sandbox.customerio.payload import decode
from airflow_provider_cio.sandbox.customerio.people import cio_id
from airflow_provider_cio.sandbox.customerio.workspace import ENVIRONMENT_ID, Workspace

FIRST_SEQUENCE = 241600000000311123
"""File sequences do not fit into 32 bits."""
MOMENT = pa.timestamp("us", tz="UTC")
TYPES = {
    **dict.fromkeys(("workspace_id", "campaign_id", "action_id", "newsletter_id", "content_id"), pa.int64()),
    **dict.fromkeys(("trigger_id", "transactional_message_id", "link_id", "seq_num"), pa.int64()),
    **dict.fromkeys(("deleted", "suppressed", "proxied", "prefetched", "machine"), pa.bool_()),
    **dict.fromkeys(("created_at", "updated_at"), MOMENT),
}
"""Of columns that are no text."""


def _schema(names: str) -> pa.Schema:
    return pa.schema([(name, TYPES.get(name, pa.string())) for name in names.split()])


DELIVERIES = _schema(
    "workspace_id delivery_id internal_customer_id subject_id event_id delivery_type campaign_id action_id"
    " newsletter_id content_id trigger_id created_at transactional_message_id seq_num"
)
METRICS = _schema("event_id workspace_id delivery_id metric created_at reason link_id link_url seq_num")
METRICS_5 = _schema(
    "event_id workspace_id delivery_id metric reason link_id link_url created_at proxied prefetched machine"
    " inbox_provider seq_num"
)
PEOPLE = _schema(
    "workspace_id customer_id internal_customer_id deleted suppressed created_at updated_at email_addr"
)
SCHEMAS = {
    4: {"deliveries": DELIVERIES, "metrics": METRICS, "people": PEOPLE},
    5: {"deliveries": DELIVERIES, "metrics": METRICS_5, "people": PEOPLE},
}


def write(workspace: Workspace, asked: dict[str, Any]) -> list[str]:
    """Write the files; their keys."""
    client = boto3.client(
        "s3",
        endpoint_url=asked["endpoint_url"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )
    db, now = workspace.store.db, workspace.now()
    marks = dict(db.execute("SELECT name, value FROM marks WHERE name LIKE 'data_out%'").fetchall())
    number = FIRST_SEQUENCE + marks.get("data_out_files", 0)
    since = marks.get("data_out", 0)
    tables = {
        "deliveries": _deliveries(workspace, marks.get("data_out_delivery", 0)),
        "metrics": _metrics(workspace, since, now, marks.get("data_out_metric", 0)),
        "people": _people(workspace, since),
    }
    keys: list[str] = []
    for version in asked.get("versions", [4]):
        for name, rows in tables.items():
            if rows:
                table = pa.Table.from_pylist(rows, schema=SCHEMAS[version][name])
                sink = io.BytesIO()
                pq.write_table(table, sink)
                keys.append(f"{asked['prefix']}{name}_v{version}_{ENVIRONMENT_ID}_{number}.parquet")
                client.put_object(Bucket=asked["bucket"], Key=keys[-1], Body=sink.getvalue())
                number += 1
    client.close()
    with workspace.store.transaction() as writing:
        writing.executemany(
            "INSERT OR REPLACE INTO marks VALUES (?, ?)",
            [
                ("data_out", now),
                ("data_out_files", number - FIRST_SEQUENCE),
                ("data_out_delivery", _last(workspace, "deliveries")),
                ("data_out_metric", _last(workspace, "metrics")),
            ],
        )
    return keys


def _last(workspace: Workspace, table: str) -> int:
    return int(workspace.store.db.execute(f"SELECT coalesce(max(seq), 0) FROM {table}").fetchone()[0])


def _deliveries(workspace: Workspace, after: int) -> list[dict[str, Any]]:
    rows = workspace.store.db.execute(
        "SELECT id, cio, journey, event, channel, campaign, action, newsletter, content, created_at, transactional,"
        " seq FROM deliveries WHERE seq > ? ORDER BY seq",
        (after,),
    )
    names = [name for name in DELIVERIES.names if name not in {"workspace_id", "trigger_id"}]
    found = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        values["internal_customer_id"] = cio_id(values["internal_customer_id"])
        values["subject_id"] = None if values["subject_id"] is None else f"s{values['subject_id']}"
        values["created_at"] *= 1_000_000
        found.append({**values, "workspace_id": ENVIRONMENT_ID, "trigger_id": None})
    return found


def _metrics(workspace: Workspace, since: int, now: int, after: int) -> list[dict[str, Any]]:
    """Those that occurred since, and those of deliveries that were made since."""
    rows = workspace.store.db.execute(
        "SELECT event_id, delivery, metric, at, data, seq FROM metrics WHERE (at > ? OR seq > ?) AND at <= ?"
        " ORDER BY seq",
        (since, after, now),
    )
    found = []
    for event_id, delivery, metric, at, text, seq in rows:
        data = decode(text)
        found.append(
            {
                "event_id": event_id,
                "workspace_id": ENVIRONMENT_ID,
                "delivery_id": delivery,
                "metric": metric,
                "created_at": at * 1_000_000,
                "reason": data.get("failure_message"),
                "link_id": data.get("link_id"),
                "link_url": data.get("href"),
                "proxied": data.get("proxied", False),
                "prefetched": data.get("prefetched", False),
                "machine": data.get("machine", False),
                "inbox_provider": "example",
                "seq_num": seq,
            }
        )
    return found


def _people(workspace: Workspace, since: int) -> list[dict[str, Any]]:
    """Those who changed; a time of 1970 stands for none."""
    rows = workspace.store.db.execute(
        "SELECT cio, id, email, changed_at FROM people WHERE changed_at > ? OR changed_at = 0 ORDER BY cio",
        (since,),
    )
    return [
        {
            "workspace_id": ENVIRONMENT_ID,
            "customer_id": identifier,
            "internal_customer_id": cio_id(cio),
            "deleted": False,
            "suppressed": False,
            "created_at": 0,
            "updated_at": changed_at * 1_000_000,
            "email_addr": email,
        }
        for cio, identifier, email, changed_at in rows
    ]
