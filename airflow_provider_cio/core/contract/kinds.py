"""What each kind of sync needs, may say, and may do about rows that left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_cio.core.contract.words import Identifier, Kind

PERSON: tuple[Identifier, ...] = ("id", "email", "phone", "cio_id")
ONLY_SOME = frozenset(
    {"attributes", "event", "page", "screen", "key", "occurred_at", "lookback", "properties", "after"}
    | {"object_type_id", "related", "device", "secondary"}
)
"""Keys that belong to some kinds only."""
MIXABLE: tuple[frozenset[Identifier], ...] = (frozenset(PERSON), frozenset({"id", "anonymous_id"}))
"""Identifiers of which a sync may name several; a row goes by the first that it has, in this order of `PERSON`."""
SINGLE: frozenset[Kind] = frozenset({"objects", "merges"})
"""Kinds whose rows all go by one identifier."""


@dataclass(frozen=True)
class Rules:
    """Keys that a kind needs and may have (of those in :data:`ONLY_SOME`), its identifiers and its exits."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = PERSON
    exits: tuple[str, ...] = ("keep",)


KINDS: Mapping[Kind, Rules] = {
    "people": Rules(
        needs=("attributes",),
        exits=("keep", "clear_attributes", "set_flag", "leave_segment", "suppress", "delete"),
    ),
    "events": Rules(
        needs=("key", "occurred_at", "lookback"),
        may=("event", "page", "screen", "properties", "after"),
        identifiers=(*PERSON, "anonymous_id"),
    ),
    "objects": Rules(
        needs=("object_type_id", "attributes"),
        identifiers=("object_id", "cio_object_id"),
        exits=("keep", "clear_attributes", "set_flag", "delete"),
    ),
    "relationships": Rules(
        needs=("object_type_id", "related"),
        may=("attributes", "after"),
        identifiers=(*PERSON, "anonymous_id"),
        exits=("keep", "delete"),
    ),
    "devices": Rules(needs=("device",), may=("attributes", "after"), exits=("keep", "delete")),
    "merges": Rules(needs=("secondary",), may=("after",), identifiers=("id", "email", "cio_id")),
    "suppressions": Rules(may=("after",), exits=("keep", "unsuppress")),
    "deletions": Rules(may=("after",)),
}
DESTRUCTIVE_KINDS: frozenset[Kind] = frozenset({"merges", "suppressions", "deletions"})
DESTRUCTIVE_EXITS = frozenset({"suppress", "delete"})
"""What cannot be taken back, or not without the person noticing."""
