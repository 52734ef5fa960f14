"""Calls of the Pipelines API: identify, track, page, screen, group."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.contract import Kind
from airflow_provider_cio.core.json_object import literal
from airflow_provider_cio.core.json_text import TEXT
from airflow_provider_cio.core.plan_rows import Pieces, PlanRows


def call(rows: PlanRows) -> Pieces:
    """The calls of rows that are there."""
    return _CALLS[rows.sync.kind](rows)


def _who(rows: PlanRows) -> Pieces:
    keys = [
        _KEYS[each]
        if isinstance(each, str)
        else pc.if_else(
            pc.equal(each, "anonymous_id"), pa.scalar("anonymousId", TEXT), pa.scalar("userId", TEXT)
        )
        for each in rows.identified_by()
    ]
    return ['"', *keys, '":"', rows.identifier(), '"']


def _identify(rows: PlanRows) -> Pieces:
    return ['{"type":"identify",', *_who(rows), ',"traits":', *rows.attributes(), "}"]


def _event(rows: PlanRows) -> Pieces:
    """`messageId` is the event's own id: a repeat carries the same."""
    sync = rows.sync
    if sync.event:
        kind, name = "track", [f'"event":{literal(sync.event)}']
    else:
        kind = "page" if sync.page else "screen"
        name = ['"name":', *rows.name(kind)]
    return [
        *(f'{{"type":"{kind}",', *_who(rows), ",", *name),
        *(',"messageId":"', rows.event_id(), '","timestamp":"', _iso(rows.occurred_at()), '"'),
        *(',"properties":', *rows.attributes(), "}"),
    ]


def _group(rows: PlanRows) -> Pieces:
    return [
        *('{"type":"group",', *_who(rows), ',"groupId":"', rows.partner()),
        *(f'","traits":{{"object_type_id":{literal(rows.sync.object_type_id)}', ',"relationshipAttributes":'),
        *(*rows.attributes(), "}}"),
    ]


def _iso(moments: pa.Array) -> pa.LargeStringArray:
    """ISO 8601 in UTC, to the millisecond."""
    whole = moments.cast(pa.timestamp("us")).cast(pa.timestamp("ms"), safe=False)
    return pc.strftime(whole, format="%Y-%m-%dT%H:%M:%SZ").cast(TEXT)


_KEYS = {"id": "userId", "anonymous_id": "anonymousId"}
_CALLS: Mapping[Kind, Callable[[PlanRows], Pieces]] = {
    "people": _identify,
    "events": _event,
    "relationships": _group,
}
