"""Rows that the renderer does not send."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from plan_rows import column, events, people, table

from airflow_provider_cio.core.operations import Refusal, render

EPOCH = datetime(1970, 1, 1)

REFUSED: list[tuple[pa.Array, dict[str, Any], list[Refusal]]] = [
    (
        column([math.nan, 1.0, math.inf, None]),
        {},
        [Refusal(n, "not_a_finite_number", "attributes.a") for n in (0, 2)],
    ),
    (
        column(["x" * 1000, "x" * 1001, "é" * 501]),
        {},
        [Refusal(n, "value_over_1000_bytes", "attributes.a") for n in (1, 2)],
    ),
    (column([2.0, 2.5, None]), {"type": "integer"}, [Refusal(1, "not_a_whole_number", "attributes.a")]),
    (
        column([Decimal("1.5"), Decimal("-3.0")]),
        {"type": "integer"},
        [Refusal(0, "not_a_whole_number", "attributes.a")],
    ),
    (
        column(['{"a":1}', '{"a":', "NaN", "", None, "1,2", '{"a":Infinity}']),
        {"type": "json"},
        [Refusal(n, "invalid_json", "attributes.a") for n in (1, 2, 3, 5, 6)],
    ),
]


@pytest.mark.parametrize(("values", "mapping", "refusals"), REFUSED)
def test_values_that_cannot_be_sent_refuse_their_row(
    values: pa.Array, mapping: dict[str, Any], refusals: list[Refusal]
) -> None:
    rendered = render(table(values), people(a={"column": "a", **mapping}))
    assert rendered.refusals == refusals
    refused = {refusal.index for refusal in refusals}
    assert [item is None for item in rendered.items.to_pylist()] == [n in refused for n in range(len(values))]


def test_identifiers_that_cannot_be_sent_refuse_their_row() -> None:
    rows = table(column(["x"] * 4), identifiers=[None, "", "é" * 76, "é" * 75])
    field = "identity.id"
    assert render(rows, people(a="a")).refusals == [
        Refusal(0, "identifier_missing", field),
        Refusal(1, "identifier_missing", field),
        Refusal(2, "identifier_over_150_bytes", field),
    ]


def test_an_item_of_more_than_32000_bytes_refuses_its_row() -> None:
    rows = pa.table(
        {
            "operation": ["upsert", "upsert"],
            "identifier": ["a@example.com", "a@example.com"],
            "event_id": ["01HF7YAT00YMXJ1N5TJ9K6G5QF"] * 2,
            "occurred_at": pa.array([EPOCH] * 2, pa.timestamp("us")),
            "f_0": ["x" * 31_000, "x" * 32_000],
        }
    )
    assert render(rows, events(note="note")).refusals == [Refusal(1, "item_over_32000_bytes", "")]


def test_the_first_reason_of_a_row_is_told_once() -> None:
    rows = table(column([math.nan]), column(["x" * 2000]), identifiers=["i" * 200])
    assert render(rows, people(a="a", b="b")).refusals == [
        Refusal(0, "identifier_over_150_bytes", "identity.id")
    ]


def test_refusals_never_hold_values() -> None:
    secret = "ada@example.com"
    rows = table(column([secret * 100]), column([f"{{{secret}"]), identifiers=[secret * 20])
    rendered = render(rows, people(a="a", b={"column": "b", "type": "json"}))
    assert secret not in repr(rendered.refusals)
