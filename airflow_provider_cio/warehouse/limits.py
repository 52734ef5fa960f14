"""Customer.io's limits, looked for in SQL: what a row measures, and which measures withhold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract.findings import Action, action_of
from airflow_provider_cio.core.operations import ITEM_LIMIT
from airflow_provider_cio.core.plan_rows import NAME_LIMIT, VALUE_LIMIT

MILLISECONDS_FROM = 100_000_000_000
"""As seconds the year 5138, as milliseconds 1973."""

_TEXTS = frozenset({"text", "super"})
_ENVELOPE_BYTES = 80
"""At least, around the fields of an item."""


@dataclass(frozen=True)
class Limits:
    """Which limits hold for a sync, and what it does about what exceeds them."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    values: bool = False
    """Whether each value has a limit: people, not events."""
    moments: frozenset[str] = frozenset()
    """Columns of whole numbers that are sent as unix seconds."""
    titles: frozenset[str] = frozenset()
    """Columns that hold the name of a page or screen."""

    def action(self, name: str) -> Action:
        """What is done about a finding."""
        return action_of(self.actions, name)

    def payload(self, expression: str, column: Column) -> str:
        """The value that is hashed and sent: cut where it is too much and may be cut."""
        if column.name in self.moments and self.action("timestamp_in_milliseconds") == "truncate":
            return f"CASE WHEN {_milliseconds(expression)} THEN {expression} / 1000 ELSE {expression} END"
        if (
            column.family == "text"
            and column.name in self.titles
            and self.action("name_too_long") == "truncate"
        ):
            return _cut(expression, NAME_LIMIT)
        if self.values and column.family == "text" and self.action("value_too_long") == "truncate":
            return _cut(expression, VALUE_LIMIT)
        return expression


@dataclass(frozen=True)
class Check:
    """A condition over the measures of a row. `position` is that of the field, None for the whole row."""

    finding: str
    condition: str
    position: int | None
    withholds: bool


def measures(
    limits: Limits, identity_text: str, identifier: str, fields: tuple[tuple[str, Column], ...]
) -> list[str]:
    """Columns that :func:`checks` look at: of the source's own values, before anything is cut."""
    columns = [
        f"CASE WHEN OCTET_LENGTH({identity_text}) > OCTET_LENGTH({identifier}) THEN 1 ELSE 0 END AS padded"
    ]
    for expression, column in fields:
        text = f"JSON_SERIALIZE({expression})" if column.family == "super" else expression
        if column.family in _TEXTS:
            columns.append(f"COALESCE(OCTET_LENGTH({text}), 0) AS bytes_{column.name}")
        if column.name in limits.moments:
            columns.append(f"CASE WHEN {_milliseconds(expression)} THEN 1 ELSE 0 END AS ms_{column.name}")
    return columns


def checks(limits: Limits, fields: tuple[tuple[str, Column], ...], names: tuple[str, ...]) -> list[Check]:
    """Every check that can find something, one a field where it is about a field; `names` are the fields' keys."""
    found = [Check("identifier_padded", "padded = 1", None, limits.action("identifier_padded") != "truncate")]
    for position, (_, column) in enumerate(fields):
        if column.name in limits.moments:
            cut = limits.action("timestamp_in_milliseconds") == "truncate"
            found.append(Check("timestamp_in_milliseconds", f"ms_{column.name} = 1", position, not cut))
        if column.name in limits.titles and column.family == "text":
            found.append(Check("name_missing", f"bytes_{column.name} = 0", position, withholds=True))
            cut = limits.action("name_too_long") == "truncate"
            found.append(Check("name_too_long", f"bytes_{column.name} > {NAME_LIMIT}", position, not cut))
        if limits.values and column.family in _TEXTS:
            cut = limits.action("value_too_long") == "truncate" and column.family == "text"
            found.append(Check("value_too_long", f"bytes_{column.name} > {VALUE_LIMIT}", position, not cut))
    size = _item_bytes(limits, fields, names)
    if size is not None:
        found.append(Check("item_too_large", f"{size} > {ITEM_LIMIT}", None, withholds=True))
    return found


def counts(found: list[Check], stage: str) -> str:
    """One row: how many rows each check finds."""
    sums = [f"SUM(CASE WHEN {check.condition} THEN 1 ELSE 0 END)" for check in found]
    return f"SELECT {', '.join(sums)} FROM {stage}"


def _item_bytes(limits: Limits, fields: tuple[tuple[str, Column], ...], names: tuple[str, ...]) -> str | None:
    """The item's bytes, at least: escapes are not counted, the renderer counts them. None: it cannot be too large."""
    texts = [column for _, column in fields if column.family in _TEXTS]
    fixed = _ENVELOPE_BYTES + sum(len(name.encode()) + 4 for name in names)
    if limits.values and fixed + VALUE_LIMIT * len(texts) <= ITEM_LIMIT:
        return None
    sizes = [
        f"LEAST(bytes_{column.name}, {VALUE_LIMIT})" if limits.values else f"bytes_{column.name}"
        for column in texts
    ]
    return " + ".join([str(fixed), *sizes]) if texts else None


def _milliseconds(expression: str) -> str:
    return f"ABS({expression}) >= {MILLISECONDS_FROM}"


def _cut(text: str, limit: int) -> str:
    """At most so many bytes without breaking a character, which has up to four: Redshift cuts by characters only."""
    lengths = [limit // bytes_each for bytes_each in (1, 2, 3)]
    cases = " ".join(
        f"WHEN OCTET_LENGTH(LEFT({text}, {length})) <= {limit} THEN LEFT({text}, {length})"
        for length in lengths
    )
    shortened = f"CASE {cases} ELSE LEFT({text}, {limit // 4}) END"
    return f"CASE WHEN OCTET_LENGTH({text}) > {limit} THEN {shortened} ELSE {text} END"
