"""Where the operations of a sync go: the batch call, or the call that takes people out of a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.clients.track import BatchResult, Sender, TrackClient
from airflow_provider_cio.core.batching import BATCH, IDS, Envelope
from airflow_provider_cio.core.contract import ExitSegment, Sync
from airflow_provider_cio.exceptions import ContractError


@dataclass(frozen=True)
class Door:
    """A call of Customer.io that takes many rows: the envelope of its body, and how it is sent."""

    envelope: Envelope
    send: Callable[[Sender, bytes, int], BatchResult]


BATCH_DOOR = Door(BATCH, lambda track, body, count: track.send_batch(body, count))


def doors(sync: Sync, rows: pa.Table) -> Iterator[tuple[Door, pa.Table]]:
    """The rows by the door they go through, in order."""
    if not isinstance(sync.on_exit, ExitSegment):
        if rows.num_rows:
            yield BATCH_DOOR, rows
        return
    leaving = pc.equal(rows["operation"], "exit")
    segment, kind = sync.on_exit.leave_segment.id, sync.identifier

    def remove(track: Sender, body: bytes, _: int) -> BatchResult:
        if not isinstance(track, TrackClient):
            raise ContractError("segments are left by the Track API.", next_step="write `transport: track`")
        return track.remove_from_segment(segment, kind, body)

    out = Door(IDS, remove)
    for door, part in ((BATCH_DOOR, rows.filter(pc.invert(leaving))), (out, rows.filter(leaving))):
        if part.num_rows:
            yield door, part
