"""Rows that cannot be sent: found column by column, told once a row, without values."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that is not sent: its position, why, and the key of the sync at fault; never a value."""

    index: int
    reason: str
    field: str


class Refusals:
    """Collects masks of refused rows; the first reason of a row is the one that is reported."""

    def __init__(self, count: int) -> None:
        self._found: list[tuple[pa.BooleanArray, str, str]] = []
        self.mask = pa.repeat(pa.scalar(value=False), count)

    def add(
        self, mask: pa.BooleanArray, reason: str, field: str, *, among: pa.BooleanArray | None = None
    ) -> None:
        """Refuse the rows of a mask. `among` limits them to some rows; a null in the mask refuses nothing."""
        if not pc.any(mask).as_py():
            return
        mask = pc.fill_null(mask, fill_value=False)
        if among is not None:
            mask = pc.and_(mask, among)
        self._found.append((mask, reason, field))
        self.mask = pc.or_(self.mask, mask)

    def listed(self) -> list[Refusal]:
        """One for each refused row, in order of the rows."""
        first: dict[int, Refusal] = {}
        for mask, reason, field in self._found:
            for index in pc.indices_nonzero(mask).to_pylist():
                first.setdefault(index, Refusal(index, reason, field))
        return [first[index] for index in sorted(first)]
