"""JSON objects, a row each, out of columns of JSON text: few copies, right commas."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from airflow_provider_cio.core.json_text import TEXT


class Member(NamedTuple):
    """One `"key":value` of an object, in three pieces; `value` is null where the member is left out."""

    before: str
    value: pa.LargeStringArray
    after: str

    @classmethod
    def of(cls, key: str, value: pa.LargeStringArray, *, quoted: bool) -> Member:
        """A member whose value still lacks its quotes, or has none."""
        quote = '"' if quoted else ""
        return cls(f"{literal(key)}:{quote}", value, quote)


def literal(value: Any) -> str:
    """A constant as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def join(*pieces: pa.LargeStringArray | str) -> pa.LargeStringArray:
    """One text a row; null pieces are left out. What costs is the number of pieces, so neighbouring constants are one.

    At least one piece must be there in every row: the kernel drops a row of nulls from its result.
    """
    constants = groupby(pieces, lambda piece: isinstance(piece, str))
    merged = [part for same, run in constants for part in (["".join(run)] if same else run)]
    return pc.binary_join_element_wise(*map(_piece, merged), pa.scalar("", TEXT), null_handling="skip")


def members(parts: Sequence[Member]) -> list[pa.LargeStringArray | str]:
    """What stands between the braces of an object, as pieces for :func:`join`.

    A member that is never null needs no copy of its own. The first such member is the pivot: members before
    it end with a comma, members after it start with one. Without a pivot the members are listed one by one.
    """
    pivot = next((position for position, part in enumerate(parts) if not part.value.null_count), None)
    if pivot is None:
        return [_listed(parts)] if parts else []
    pieces: list[pa.LargeStringArray | str] = []
    for position, part in enumerate(parts):
        before = "," * (position > pivot) + part.before
        after = part.after + "," * (position < pivot)
        pieces += (
            [_whole(before, part.value, after)] if part.value.null_count else [before, part.value, after]
        )
    return pieces


def _whole(before: str, value: pa.LargeStringArray, after: str) -> pa.LargeStringArray:
    """The three pieces as one, null where the value is."""
    pieces = (_piece(before), value, _piece(after))
    return pc.binary_join_element_wise(*pieces, pa.scalar("", TEXT), null_handling="emit_null")


def _listed(parts: Sequence[Member]) -> pa.LargeStringArray:
    """Members with commas between those that are there; the empty text in front keeps rows without any."""
    wholes = [_whole(*part) for part in parts]
    joined = pc.binary_join_element_wise(pa.scalar("", TEXT), *wholes, _piece(","), null_handling="skip")
    return pc.utf8_slice_codeunits(joined, 1)


def _piece(text: pa.LargeStringArray | str) -> Any:
    return pa.scalar(text, TEXT) if isinstance(text, str) else text
