"""What a source looked like, and what has become of its columns since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

ChangeKind = Literal["column_added", "column_dropped", "column_retyped", "column_renamed"]
ALIKE = 0.6
"""How similar two names are, of 1, for a rename."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Columns by their type, rows, and the names that the sync maps."""

    columns: Mapping[str, str]
    fields: tuple[str, ...]
    source_rows: int

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the columns and their types."""
        return hashlib.sha256(json.dumps(sorted(self.columns.items())).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One column's change; `was` and `now` are types, or names where it was renamed."""

    kind: ChangeKind
    name: str
    was: str = ""
    now: str = ""


def compare(before: Shape, now: Shape) -> list[ColumnChange]:
    """Columns added, dropped, retyped, and renamed (dropped and added, of one type and a similar name)."""
    added = [name for name in now.columns if name not in before.columns]
    found: list[ColumnChange] = []
    for name, family in before.columns.items():
        if name in now.columns:
            if now.columns[name] != family:
                found.append(ColumnChange("column_retyped", name, family, now.columns[name]))
            continue
        successor = _successor(name, [each for each in added if now.columns[each] == family])
        if successor is None:
            found.append(ColumnChange("column_dropped", name, family))
        else:
            added.remove(successor)
            found.append(ColumnChange("column_renamed", name, name, successor))
    return found + [ColumnChange("column_added", name, "", now.columns[name]) for name in added]


def _successor(name: str, candidates: list[str]) -> str | None:
    alike = [(SequenceMatcher(None, name, each).ratio(), each) for each in candidates]
    best = max(alike, default=(0.0, ""))
    return best[1] if best[0] >= ALIKE else None
