"""Data-out to S3: Parquet files of what changed since the last export, several versions side by side.

Column orders of version 4 are those a loader in the field relies on; version 5 adds columns to metrics and moves some.
"""

from __future__ import annotations

import io
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from airflow_provider_cio.sandbox.customerio.reporting import data_out_rows as rows_of
from airflow_provider_cio.sandbox.customerio.workspace import Workspace

FIRST_SEQUENCE = 241600000000311123
"""File sequences do not fit into 32 bits."""
MOMENT = pa.timestamp("us", tz="UTC")
TYPES = {
    **dict.fromkeys(("workspace_id", "campaign_id", "action_id", "newsletter_id", "content_id"), pa.int64()),
    **dict.fromkeys(("trigger_id", "transactional_message_id", "link_id", "seq_num"), pa.int64()),
    **dict.fromkeys(("split_test_index", "branch_index", "manual_segment_id"), pa.int64()),
    **dict.fromkeys(("deleted", "suppressed", "proxied", "prefetched", "machine"), pa.bool_()),
    **dict.fromkeys(("draft", "link_tracked", "add_to_manual_segment"), pa.bool_()),
    **dict.fromkeys(
        ("created_at", "updated_at", "started_campaign_at", "delay_ends_at", "timestamp"), MOMENT
    ),
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
CONTENTS = _schema(
    "workspace_id delivery_id campaign_id action_id newsletter_id content_id from reply_to bcc recipient subject body"
    " body_amp body_plain preheader url method headers type"
)
OUTPUTS = _schema(
    "workspace_id output_id subject_name output_type action_id explanation delivery_id draft link_tracked"
    " split_test_index delay_ends_at branch_index manual_segment_id add_to_manual_segment created_at seq_num"
)
SUBJECTS = _schema(
    "workspace_id subject_name internal_customer_id campaign_type campaign_id event_id trigger_id"
    " started_campaign_at created_at seq_num"
)
ATTRIBUTES = _schema("workspace_id internal_customer_id attribute_name attribute_value timestamp")
_SAME = {
    "deliveries": DELIVERIES,
    "delivery_contents": CONTENTS,
    "outputs": OUTPUTS,
    "subjects": SUBJECTS,
    "people": PEOPLE,
    "attributes": ATTRIBUTES,
}
SCHEMAS = {4: {**_SAME, "metrics": METRICS}, 5: {**_SAME, "metrics": METRICS_5}}


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
    number_of_workspace = workspace.settings.environment_id
    marks = dict(db.execute("SELECT name, value FROM marks WHERE name LIKE 'data_out%'").fetchall())
    number = FIRST_SEQUENCE + marks.get("data_out_files", 0)
    since = marks.get("data_out", 0)
    delivery, journey = marks.get("data_out_delivery", 0), marks.get("data_out_journey", 0)
    tables = {
        "deliveries": rows_of.deliveries(db, delivery),
        "delivery_contents": rows_of.contents(db, delivery),
        "metrics": rows_of.metrics(db, since, now, marks.get("data_out_metric", 0)),
        "outputs": [*rows_of.outputs(db, delivery), *rows_of.cohorts(db, journey)],
        "subjects": rows_of.subjects(db, journey),
        "people": rows_of.people(db, since),
        "attributes": rows_of.attributes(db, since),
    }
    keys: list[str] = []
    for version in asked.get("versions", [4]):
        for name, rows in tables.items():
            if rows:
                listed = [{"workspace_id": number_of_workspace, **row} for row in rows]
                table = pa.Table.from_pylist(listed, schema=SCHEMAS[version][name])
                sink = io.BytesIO()
                pq.write_table(table, sink)
                keys.append(f"{asked['prefix']}{name}_v{version}_{number_of_workspace}_{number}.parquet")
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
                ("data_out_journey", _last(workspace, "journeys", "id")),
            ],
        )
    return keys


def _last(workspace: Workspace, table: str, column: str = "seq") -> int:
    return int(workspace.store.db.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()[0])
