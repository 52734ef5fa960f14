"""Operations of the Track API, version 2: the shape of each kind of sync, and of its exits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_cio.core import json_text
from airflow_provider_cio.core.contract import ExitFlag, Kind
from airflow_provider_cio.core.json_object import Member, literal, members
from airflow_provider_cio.core.json_text import TEXT
from airflow_provider_cio.core.plan_rows import Pieces, PlanRows

Shape = Callable[[PlanRows], Pieces]


def upsert(rows: PlanRows) -> Pieces:
    """The operations of rows that are there."""
    return _UPSERTS[rows.sync.kind](rows)


def farewell(rows: PlanRows) -> Pieces | None:
    """The operations of rows that left; None where the sync has nothing to say about them."""
    shape = _FAREWELLS.get((rows.sync.kind, rows.sync.exit_policy))
    return None if shape is None else shape(rows)


def _person(action: str, rows: PlanRows) -> Pieces:
    return [f'{{"type":"person","action":"{action}","identifiers":', *rows.who()]


def _bare(action: str) -> Shape:
    return lambda rows: [*_person(action, rows), "}"]


def _identify(rows: PlanRows) -> Pieces:
    return [*_person("identify", rows), ',"attributes":', *rows.attributes(), "}"]


def _event(rows: PlanRows) -> Pieces:
    sync = rows.sync
    action = "event" if sync.event else "page" if sync.page else "screen"
    name: Pieces = [literal(sync.event)] if sync.event else rows.name(action)
    seconds = json_text.unix_seconds(rows.occurred_at()).cast(TEXT)
    moment: Pieces = [',"id":"', rows.event_id(), '","timestamp":', seconds]
    return [
        *_person(action, rows),
        *(',"name":', *name),
        *moment,
        *(',"attributes":', *rows.attributes(), "}"),
    ]


def _object(action: str, rows: PlanRows) -> Pieces:
    kind = f'"object_type_id":{literal(rows.sync.object_type_id)},'
    if rows.sync.identifier == "cio_object_id":
        kind = ""
    opening = f'{{"type":"object","action":"{action}","identifiers":{{{kind}"{rows.sync.identifier}":"'
    return [opening, rows.identifier(), '"}']


def _object_identify(rows: PlanRows) -> Pieces:
    return [*_object("identify", rows), ',"attributes":', *rows.attributes(), "}"]


def _related(rows: PlanRows) -> Pieces:
    """The identifiers of a relationship's object."""
    key = next(iter(rows.sync.related))
    kind = "" if key == "cio_object_id" else f'"object_type_id":{literal(rows.sync.object_type_id)},'
    return [f'{{{kind}"{key}":"', rows.partner(), '"}']


def _relationship(rows: PlanRows) -> Pieces:
    if rows.sync.identifier == "anonymous_id":
        opening: Pieces = ['{"type":"object","action":"identify_anonymous","identifiers":', *_related(rows)]
        other = rows.who()
    else:
        opening, other = _person("add_relationships", rows), _related(rows)
    return [
        *opening,
        *(',"cio_relationships":[{"identifiers":', *other),
        *(',"relationship_attributes":', *rows.attributes(), "}]}"),
    ]


def _relationship_ends(rows: PlanRows) -> Pieces:
    opening = _person("delete_relationships", rows)
    return [*opening, ',"cio_relationships":[{"identifiers":', *_related(rows), "}]}"]


def _device(rows: PlanRows) -> Pieces:
    known = [
        Member.of(key.removeprefix("device."), encoded.text, quoted=encoded.quoted)
        for key in rows.sync.values
        if key.startswith("device.")
        for encoded in [rows.value(key)]
    ]
    known.append(Member.of("token", rows.partner(), quoted=True))
    return [
        *_person("add_device", rows),
        *(',"device":{', *members(known)),
        *(',"attributes":', *rows.attributes(), "}}"),
    ]


def _device_gone(rows: PlanRows) -> Pieces:
    return [*_person("delete_device", rows), ',"device":{"token":"', rows.partner(), '"}}']


def _merge(rows: PlanRows) -> Pieces:
    """`identity` stays, `secondary` is gone afterwards."""
    gone = next(iter(rows.sync.secondary))
    return [
        *('{"type":"person","action":"merge","primary":', *rows.who()),
        *(f',"secondary":{{"{gone}":"', rows.partner(), '"}}'),
    ]


def merge(rows: PlanRows) -> Pieces:
    """People who share an email: `partner` is merged into `identifier`. Neither is looked at in other rows."""
    name = rows.sync.identifier
    return [
        f'{{"type":"person","action":"merge","primary":{{"{name}":"',
        rows.text("identifier"),
        f'"}},"secondary":{{"{name}":"',
        rows.text("partner"),
        '"}}',
    ]


def _cleared(rows: PlanRows) -> Mapping[str, Any]:
    """What an exit writes: the flag, or nothing in the place of every attribute."""
    if isinstance(rows.sync.on_exit, ExitFlag):
        return {rows.sync.on_exit.set_flag.attribute: rows.sync.on_exit.set_flag.value}
    return dict.fromkeys(rows.sync.fields, "")


def _person_updated(rows: PlanRows) -> Pieces:
    """Only an update: whoever is not there is not created for the sake of leaving."""
    attributes = literal({**_cleared(rows), "_update": True})
    return [*_person("identify", rows), f',"attributes":{attributes}}}']


def _object_updated(rows: PlanRows) -> Pieces:
    return [*_object("identify", rows), f',"attributes":{literal(_cleared(rows))}}}']


def _member_of_a_segment(rows: PlanRows) -> Pieces:
    """An element of `ids` in a call to remove people from a manual segment."""
    return ['"', rows.identifier(), '"']


_UPSERTS: Mapping[Kind, Shape] = {
    "people": _identify,
    "events": _event,
    "objects": _object_identify,
    "relationships": _relationship,
    "devices": _device,
    "merges": _merge,
    "suppressions": _bare("suppress"),
    "deletions": _bare("delete"),
}
_FAREWELLS: Mapping[tuple[Kind, str], Shape] = {
    ("people", "clear_attributes"): _person_updated,
    ("people", "set_flag"): _person_updated,
    ("people", "leave_segment"): _member_of_a_segment,
    ("people", "suppress"): _bare("suppress"),
    ("people", "delete"): _bare("delete"),
    ("objects", "clear_attributes"): _object_updated,
    ("objects", "set_flag"): _object_updated,
    ("objects", "delete"): lambda rows: [*_object("delete", rows), "}"],
    ("relationships", "delete"): _relationship_ends,
    ("devices", "delete"): _device_gone,
    ("suppressions", "unsuppress"): _bare("unsuppress"),
}
