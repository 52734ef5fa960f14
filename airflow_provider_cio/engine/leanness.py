"""Is the payload lean? Warnings with measured numbers, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.findings import said
from airflow_provider_cio.warehouse import width
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

WIDE_BYTES = 2_000
"""An average payload of more is not curated: a batch of 475,000 bytes holds fewer than 240 of them."""
MANY_FIELDS = 100
"""A third of what Customer.io takes of one person."""
MANY_ROWS = 1_000
"""Fewer say nothing about how many values a field has."""
LONG_BYTES = 40
"""Longer than an id, a UUID or a name."""
NEARLY_UNIQUE = 0.9
MANY_EVENTS = 500
"""Of one person in one plan."""
_KNOWN_UNIQUE = frozenset({"attributes.email", "attributes.phone"})


def find_heavy(ctx: SyncContext, session: Session, source: Source) -> Iterator[PreflightFinding]:
    """Wide rows, long values that are all different, and people with very many events."""
    rows, *numbers = session.fetch(width.measured(source))[0]
    if not rows:
        return
    keys, places = list(ctx.sync.values), width.texts(source)
    sizes = dict(zip(places, map(float, numbers[::2]), strict=True))
    different = dict(zip(places, map(int, numbers[1::2]), strict=True))
    names = sum(len(name.encode()) + 4 for name in source.names)
    size = names + sum(sizes.get(place, width.OTHER_BYTES) for place in range(len(keys)))
    if size > WIDE_BYTES or len(keys) > MANY_FIELDS:
        widest = max(sizes, key=lambda place: sizes[place], default=None)
        told = "" if widest is None else f"; the widest is {keys[widest]} with {sizes[widest]:,.0f}"
        yield said(
            ctx, "payload_wide", "", int(rows), f"{len(keys)} fields of {size:,.0f} bytes on average{told}"
        )
    for place in places:
        unique = different[place] / rows
        if rows < MANY_ROWS or keys[place] in _KNOWN_UNIQUE:
            continue
        if unique >= NEARLY_UNIQUE and sizes[place] >= LONG_BYTES:
            numbers_ = f"{different[place]:,} different values of {sizes[place]:,.0f} bytes on average"
            yield said(ctx, "values_nearly_unique", keys[place], int(rows), numbers_)
    if ctx.sync.kind == "events":
        people, most = session.fetch(width.busiest(MANY_EVENTS))[0]
        if people:
            numbers_ = f"{int(people):,} people with more than {MANY_EVENTS:,} events each, the busiest {int(most):,}"
            yield said(ctx, "events_of_one_person", f"identity.{ctx.sync.identifier}", int(people), numbers_)
