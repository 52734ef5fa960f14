"""Each kind of sync renders the operation of its table row, whatever the neighbours hold."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from every_operation import CASES, COMMON, DEVICE, EVENT, RELATED, Case
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.operations import preview, render


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_row_becomes_its_operation(case: Case) -> None:
    assert case.rendered() == case.expected


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT, st.none() | TEXT), min_size=1, max_size=5))
def test_keys_and_partners_are_escaped_and_stay_in_their_rows(
    rows: list[tuple[str, str, str | None]],
) -> None:
    who, partners, platforms = (list(part) for part in zip(*rows, strict=True))
    table = pa.table(
        {
            "operation": ["upsert"] * len(rows),
            "identifier": pa.array(who),
            "partner": pa.array(partners),
            "f_0": pa.array(platforms, pa.string()),
            "f_1": pa.array([None] * len(rows), pa.int64()),
        }
    )
    items = render(table, sync(**DEVICE)).items.to_pylist()
    found = [json.loads(item) for item in items]
    assert [(each["identifiers"]["id"], each["device"]["token"]) for each in found] == list(
        zip(who, partners, strict=True)
    )
    assert [each["device"].get("platform") for each in found] == platforms


def test_rows_without_a_partner_or_a_name_are_refused() -> None:
    rows = {"operation": ["upsert"] * 2, "identifier": ["c1", "c2"], "partner": pa.array([None, "x" * 151])}
    refused = render(pa.table(rows), sync(**RELATED)).refusals
    assert [(each.reason, each.field) for each in refused] == [
        ("partner_missing", "related.object_id"),
        ("partner_over_150_bytes", "related.object_id"),
    ]
    events = rows | {
        "event_id": ["01HF7YAT00YMXJ1N5TJ9K6G5QF"] * 2,
        "occurred_at": pa.array([0, 0], pa.timestamp("us")),
        "f_0": pa.array([None, "n" * 101]),
    }
    refused = render(pa.table(events), sync(**EVENT, page="url")).refusals
    assert [each.reason for each in refused] == ["name_missing", "name_over_100_bytes"]


def test_who_leaves_a_segment_is_an_element_of_ids_and_previewed_with_the_segment() -> None:
    leaving = sync(kind="people", attributes={"plan": "p"}, on_exit={"leave_segment": {"id": 7}})
    rows = pa.table({"operation": ["exit"], "identifier": ["c1"], "f_0": pa.array([None], pa.string())})
    assert render(rows, leaving).items.to_pylist() == [b'"c1"']
    assert preview(rows, leaving, redact=False) == [
        {
            "type": "segment",
            "action": "remove_customers",
            "segment_id": 7,
            "identifiers": {"id": "c1"},
        }
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "objects", "identity": {"object_id": "a"}, "attributes": {"x": "x"}}, "needs `object_type_id`"),
    ({"kind": "objects", "object_type_id": "1", "attributes": {"x": "x"}}, "exactly one of object_id"),
    ({**RELATED, "related": {}}, "needs `related`"),
    ({**RELATED, "related": {"object_id": "a", "cio_object_id": "b"}}, "`related` names exactly one"),
    ({"kind": "people", "attributes": {"x": "x"}, "related": {"object_id": "a"}}, "has no `related`"),
    ({"kind": "people", "attributes": {"x": "x"}, "on_exit": "unsuppress"}, "knows on_exit: keep, clear"),
    ({"kind": "merges", "secondary": {"id": "x"}, "on_exit": "delete"}, "knows on_exit: keep "),
    ({**RELATED, "identity": {"anonymous_id": "v"}, "on_exit": "delete"}, "no API takes a relationship"),
    ({**EVENT, "event": "A", "page": "b"}, "exactly one of `event`, `page`, `screen`"),
    ({**EVENT}, "exactly one of `event`, `page`, `screen`"),
    ({**EVENT, "event": "A", "on_exit": "delete"}, "kind: events knows on_exit: keep"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_a_kind_does_not_know_is_refused_by_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sync(**given)


def sync(**given: Any) -> Sync:
    return Sync.model_validate({"name": "s", **COMMON, **given})
