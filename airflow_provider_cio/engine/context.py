"""Everything a verb needs: the sync, its contract, and the ways to Redshift, S3 and Customer.io."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.track import Sender
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.engine.selection import Selection
from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

_MEANING = (
    "kind",
    "identity",
    "event",
    "key",
    "occurred_at",
    "nulls",
    "object_type_id",
    "related",
    "secondary",
    "transport",
)


@dataclass(frozen=True)
class SyncContext:
    """One sync in one run.

    :param run_id: of the Airflow run. It is the holder of the lease, so tasks of one run share it.
    :param track: what sends, by the sync's `transport`; needed by preflight and send only.
    :param app: needed by what reads back.
    :param selection: the rows to keep to; None: all.
    :param folder: where the sync's YAML lies, for messages.
    :param lease_seconds: how long a run that died keeps others out. At least three times what the Track
        client may spend on one request.
    :param grace_seconds: how long, after the holder's own deadline, a request of it may still be under way.
    :param stop: set when the task is told to end: no further request starts, and the lease is not prolonged.
    :param lanes: requests in flight per shard; one person is always in the same lane.
    """

    sync: Sync
    contract: Contract
    warehouse: Warehouse
    bucket: Bucket
    run_id: str
    track: Sender | None = None
    app: AppClient | None = None
    selection: Selection | None = None
    folder: Path | None = None
    lease_seconds: int = 900
    grace_seconds: int = 60
    stop: threading.Event = field(default_factory=threading.Event)
    lanes: int = 4

    @property
    def file(self) -> str:
        """The sync's file, for messages."""
        name = f"{self.sync.name}.yaml"
        return str(self.folder / name) if self.folder else name

    @property
    def schema(self) -> str:
        """Of the package's tables."""
        return self.warehouse.schema

    @property
    def state(self) -> str:
        """The sync's state table, quoted."""
        return state.state_table(self.schema, self.sync.name)

    @property
    def mapping(self) -> str:
        """Fingerprint of what the sync says about keys and payload; a change sends every person again."""
        sync = self.sync
        meaning = sync.model_dump(
            mode="json",
            include=set(_MEANING),
        )
        values = [[key, value.model_dump(mode="json")] for key, value in sync.values.items()]
        text = json.dumps([meaning, values, self.contract.workspace], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
