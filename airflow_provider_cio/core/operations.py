"""The renderer: rows of a frozen plan -> Customer.io Track v2 operations, column by column.

`preview`, the contract's mapping tests and the sender all use :func:`render`: what is shown is what is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core import identity, json_text
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import ExitFlag, FieldMapping, Sync
from airflow_provider_cio.core.json_object import Member, join, literal, members
from airflow_provider_cio.core.json_text import TEXT, JsonText
from airflow_provider_cio.core.redaction import mask
from airflow_provider_cio.core.refusals import Refusal, Refusals
from airflow_provider_cio.exceptions import SourceError

ITEM_LIMIT = 32_000
"""Bytes of one item. Customer.io takes 32 KB and does not say which KB (Track API, limits)."""

VALUE_LIMIT = 1000
"""Bytes of one attribute value of a person (Track API, limits)."""

Pieces = list[pa.LargeStringArray | str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """`items`: one operation a row as UTF-8 JSON, null where refused. `refusals`: one a row, in order."""

    items: pa.LargeBinaryArray
    refusals: list[Refusal]


def render(rows: pa.RecordBatch | pa.Table, sync: Sync, columns: Sequence[Column] = ()) -> Rendered:
    """Render rows of a frozen plan.

    :param rows: `operation` ('upsert', 'exit', or 'return' of somebody who had left: an upsert that clears the
        flag of `on_exit`), `identifier` (canonical), one `f_<position>` for each of `sync.fields`; for
        events also `event_id` and `occurred_at` (UTC).
    :param columns: the plan's `f_<position>` columns with their warehouse types, which Arrow cannot tell:
        SUPER arrives as JSON text, TIMESTAMPTZ as a timestamp without a zone, in UTC.
    :raises SourceError: a column is missing or its type cannot become the declared one.
    """
    plan = _Plan(rows, {column.name: column.family for column in columns})
    refusals = Refusals(plan.count)
    action = "event" if sync.kind == "events" else "identify"
    opening = f'{{"type":"person","action":"{action}","identifiers":{{"{sync.identifier}":"'
    head: Pieces = [opening, _identifier(plan, sync, refusals), '"}']
    leaving = pc.equal(plan["operation"], "exit")
    pieces = _attributes(plan, sync, refusals, pc.invert(leaving))
    if sync.kind == "events":
        pieces = [*_moment(plan, sync, refusals), *pieces]
    items = join(*head, *pieces, "}")
    if pc.any(leaving).as_py():
        items = pc.if_else(leaving, join(*head, _farewell(sync), "}"), items)
    items = items.cast(pa.large_binary())
    refusals.add(pc.greater(pc.binary_length(items), ITEM_LIMIT), "item_over_32000_bytes", "")
    refused = refusals.listed()
    if refused:
        items = pc.if_else(refusals.mask, pa.scalar(None, pa.large_binary()), items)
    return Rendered(items, refused)


def preview(
    rows: pa.RecordBatch | pa.Table,
    sync: Sync,
    *,
    redact: bool = True,
    columns: Sequence[Column] = (),
) -> list[dict[str, Any]]:
    """The operations as they would be sent, parsed; a refused row shows `refused` and `field`.

    With `redact`, values are replaced by their kind, and an identifier by its hash.
    """
    rendered = render(rows, sync, columns)
    refused = {refusal.index: refusal for refusal in rendered.refusals}
    shown: list[dict[str, Any]] = []
    for index, item in enumerate(rendered.items.to_pylist()):
        if item is None:
            shown.append({"refused": refused[index].reason, "field": refused[index].field})
        else:
            operation = json.loads(item)
            shown.append(mask(operation) if redact else operation)
    return shown


class _Plan:
    """Columns by name, as plain arrays."""

    def __init__(self, rows: pa.RecordBatch | pa.Table, families: dict[str, str]) -> None:
        self._rows = rows
        self.families = families
        self.count: int = rows.num_rows

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._rows.schema.names:
            raise SourceError(f"the plan has no column '{name}'.", next_step="make the plan again")
        column = self._rows.column(name)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _identifier(plan: _Plan, sync: Sync, refusals: Refusals) -> pa.LargeStringArray:
    text = json_text.string(plan["identifier"])
    key = f"identity.{sync.identifier}"
    refusals.add(pc.equal(pc.fill_null(text.sizes, 0), 0), "identifier_missing", key)
    refusals.add(pc.greater(text.sizes, identity.MAX_BYTES), "identifier_over_150_bytes", key)
    return text.text


def _moment(plan: _Plan, sync: Sync, refusals: Refusals) -> Pieces:
    """The event's name, id and time."""
    event_id, occurred_at = plan["event_id"], plan["occurred_at"]
    refusals.add(pc.is_null(event_id), "event_id_missing", "key")
    refusals.add(pc.is_null(occurred_at), "occurred_at_missing", "occurred_at")
    seconds = json_text.unix_seconds(occurred_at).cast(TEXT)
    return [f',"name":{literal(sync.event)},"id":"', event_id.cast(TEXT), '","timestamp":', seconds]


def _attributes(plan: _Plan, sync: Sync, refusals: Refusals, staying: pa.BooleanArray) -> Pieces:
    """Attributes of people, properties of events; the payload of who leaves is not looked at."""
    found: list[Member] = []
    for position, (name, field) in enumerate(sync.fields.items()):
        key = f"{sync.section}.{name}"
        encoded = _encoded(plan, position, key, field)
        for problem in encoded.problems:
            refusals.add(problem.mask, problem.reason, key, among=staying)
        if sync.kind == "people" and encoded.sizes is not None:
            too_long = pc.greater(encoded.sizes, VALUE_LIMIT)
            refusals.add(too_long, "value_over_1000_bytes", key, among=staying)
        text = encoded.text
        if sync.nulls_of(field) == "clear":
            text = pc.fill_null(text, "" if encoded.quoted else '""')
        found.append(Member.of(name, text, quoted=encoded.quoted))
    if isinstance(sync.on_exit, ExitFlag):
        cleared = pc.if_else(
            pc.equal(plan["operation"], "return"), pa.scalar("", TEXT), pa.scalar(None, TEXT)
        )
        found.append(Member.of(sync.on_exit.set_flag.attribute, cleared, quoted=True))
    return [',"attributes":{', *members(found), "}"]


def _encoded(plan: _Plan, position: int, key: str, field: FieldMapping) -> JsonText:
    family = plan.families.get(f"f_{position}")
    try:
        return json_text.encode(
            plan[f"f_{position}"],
            field.type,
            time_zone=None if family == "timestamptz" else field.time_zone,
            is_json=family == "super",
        )
    except TypeError as error:
        raise SourceError(
            f"{key}: {error}.", next_step="declare another type or cast it in the view"
        ) from None


def _farewell(sync: Sync) -> str:
    """Only an update: whoever is not there is not created for the sake of leaving."""
    if isinstance(sync.on_exit, ExitFlag):
        attributes: dict[str, Any] = {sync.on_exit.set_flag.attribute: sync.on_exit.set_flag.value}
    elif sync.on_exit == "clear_attributes":
        attributes = dict.fromkeys(sync.fields, "")
    else:
        raise SourceError(
            "the plan holds exits, but the sync keeps people who left.", next_step="make the plan again"
        )
    return f',"attributes":{literal(attributes | {"_update": True})}'
