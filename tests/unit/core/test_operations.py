"""The renderer against json.dumps."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_rows import column, events, parsed, people, table

from airflow_provider_cio.core import json_text
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.operations import Refusal, preview, render
from airflow_provider_cio.exceptions import SourceError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
EPOCH = datetime(1970, 1, 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


def seconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def midnight(day: date) -> int:
    return (day - EPOCH.date()).days * 86400


SAME: Any = lambda value: value  # noqa: E731
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any], Any]] = {
    "text": (pa.string(), TEXT, SAME),
    "large": (pa.large_string(), TEXT, SAME),
    "big": (pa.int64(), st.integers(-(2**63), 2**63 - 1), SAME),
    "small": (pa.int16(), st.integers(-(2**15), 2**15 - 1), SAME),
    "money": (pa.decimal128(38, 6), st.decimals(-(10**30), 10**30, places=6), SAME),
    "tiny": (pa.decimal128(38, 37), st.decimals(-9, 9, places=37), SAME),
    "real": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False), SAME),
    "half": (pa.float32(), st.floats(width=32, allow_nan=False, allow_infinity=False), SAME),
    "flag": (pa.bool_(), st.booleans(), SAME),
    "day": (pa.date32(), st.dates(date(1, 1, 1), date(9999, 1, 1)), midnight),
    "naive": (pa.timestamp("us"), MOMENT, seconds),
    "milli": (pa.timestamp("ms"), MOMENT.map(lambda m: m.replace(microsecond=0)), seconds),
    "aware": (pa.timestamp("us", "UTC"), MOMENT, seconds),
    "nested": (
        pa.string(),
        JSON.filter(lambda value: value is not None).map(json.dumps).filter(lambda text: len(text) <= 1000),
        json.loads,
    ),
}
COLUMNS = [Column(f"f_{n}", 4000) for n, name in enumerate(KINDS) if name == "nested"]


def equal(rendered: Any, expected: Any, kind: pa.DataType) -> bool:
    if isinstance(expected, float):
        return bool(pa.scalar(float(rendered), kind).as_py() == expected)
    return bool(rendered == expected and isinstance(rendered, bool) == isinstance(expected, bool))


ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | kind[1] for name, kind in KINDS.items()}), max_size=6
)


@given(ROWS, st.sampled_from(["omit", "clear"]))
def test_every_value_is_what_json_would_say(rows: list[dict[str, Any]], nulls: str) -> None:
    columns = [column([row[name] for row in rows], kind[0]) for name, kind in KINDS.items()]
    rendered = render(table(*columns), people(nulls, **{name: name for name in KINDS}), COLUMNS)
    assert rendered.refusals == []
    for number, (item, row) in enumerate(zip(rendered.items.to_pylist(), rows, strict=True)):
        operation = parsed(item)
        attributes = operation.pop("attributes")
        assert operation == {"type": "person", "action": "identify", "identifiers": {"id": f"c{number}"}}
        assert attributes.keys() == {
            name for name, value in row.items() if value is not None or nulls == "clear"
        }
        for name, value in attributes.items():
            expected = "" if row[name] is None else KINDS[name][2](row[name])
            assert equal(value, expected, KINDS[name][0]), name


@given(st.lists(TEXT.filter(bool), min_size=1))
def test_identifiers_are_escaped_too(identifiers: list[str]) -> None:
    rendered = render(table(column([None] * len(identifiers)), identifiers=[*identifiers]), people(a="a"))
    kept = [item for item in rendered.items.to_pylist() if item is not None]
    assert [parsed(item)["identifiers"]["id"] for item in kept] == [
        i for i in identifiers if len(i.encode()) <= 150
    ]


@given(st.lists(TEXT, min_size=1), st.integers(0, 5))
def test_a_slice_renders_as_the_whole_does(texts: list[str], first: int) -> None:
    rows = table(column(texts), column(texts))
    whole = render(rows, people(a="a", b="b")).items
    assert render(rows.slice(first), people(a="a", b="b")).items == whole[first:]


def test_an_event_carries_name_id_time_and_properties() -> None:
    rows = pa.table(
        {
            "operation": ["upsert", "upsert"],
            "identifier": ["ada@example.com", "bo@example.com"],
            "event_id": ["01HF7YAT00YMXJ1N5TJ9K6G5QF"] * 2,
            "occurred_at": pa.array([EPOCH - timedelta(milliseconds=1), None], pa.timestamp("us")),
            "f_0": pa.array([Decimal("12.50"), None], pa.decimal128(18, 2)),
        }
    )
    rendered = render(rows, events(total="total"))
    assert rendered.items[0].as_py().decode() == (
        '{"type":"person","action":"event","identifiers":{"email":"ada@example.com"},'
        '"name":"Order \\"Completed\\" é","id":"01HF7YAT00YMXJ1N5TJ9K6G5QF","timestamp":-1,'
        '"attributes":{"total":12.50}}'
    )
    assert rendered.refusals == [Refusal(1, "occurred_at_missing", "occurred_at")]
    assert rendered.items[1].as_py() is None


def test_an_event_without_properties_has_an_empty_object() -> None:
    rows = pa.table(
        {
            "operation": ["upsert"],
            "identifier": ["a@example.com"],
            "event_id": ["01HF7YAT00YMXJ1N5TJ9K6G5QF"],
            "occurred_at": pa.array([EPOCH], pa.timestamp("us")),
        }
    )
    assert parsed(render(rows, events()).items[0].as_py())["attributes"] == {}


def test_no_rows_no_items() -> None:
    rendered = render(table(column([], pa.string())), people(a="a"))
    assert (len(rendered.items), rendered.refusals) == (0, [])


@pytest.mark.parametrize("position", [0, 1, 2])
def test_commas_are_right_wherever_the_nulls_are(position: int) -> None:
    columns = [column(["x", "y"]), column(["x", "y"]), column(["x", "y"])]
    columns[position] = column([None, "y"], pa.string())
    items = render(table(*columns), people(a="a", b="b", c="c")).items.to_pylist()
    assert [len(parsed(item)["attributes"]) for item in items] == [2, 3]
    empty = render(
        table(*[column([None, "y"], pa.string())] * 3), people(a="a", b="b", c="c")
    ).items.to_pylist()
    assert [len(parsed(item)["attributes"]) for item in empty] == [0, 3]


EXITS: list[tuple[Any, dict[str, Any]]] = [
    ("clear_attributes", {"email": "", "city": "", "_update": True}),
    ({"set_flag": {"attribute": "is_gone"}}, {"is_gone": True, "_update": True}),
    ({"set_flag": {"attribute": "state", "value": "left"}}, {"state": "left", "_update": True}),
]


@pytest.mark.parametrize(("on_exit", "attributes"), EXITS)
def test_an_exit_only_updates(on_exit: Any, attributes: dict[str, Any]) -> None:
    sync = Sync.model_validate(people(email="email", city="city").model_dump() | {"on_exit": on_exit})
    rows = table(
        column([None, "a@example.com"], pa.string()),
        column([float("nan"), 1.0]),
        operations=["exit", "upsert"],
    )
    rendered = render(rows, sync)
    gone, kept = (parsed(item) for item in rendered.items.to_pylist())
    assert gone == {
        "type": "person",
        "action": "identify",
        "identifiers": {"id": "c0"},
        "attributes": attributes,
    }
    assert kept["attributes"] == {"email": "a@example.com", "city": 1}
    assert rendered.refusals == []


def test_who_comes_back_loses_the_flag() -> None:
    sync = Sync.model_validate(
        people(email="email").model_dump() | {"on_exit": {"set_flag": {"attribute": "is_gone"}}}
    )
    rows = table(
        column([None, "a@example.com", "b@example.com"], pa.string()),
        operations=["return", "return", "upsert"],
    )
    found = [parsed(item)["attributes"] for item in render(rows, sync).items.to_pylist()]
    assert found == [{"is_gone": ""}, {"email": "a@example.com", "is_gone": ""}, {"email": "b@example.com"}]


def test_exits_of_a_sync_that_keeps_people_are_a_mistake_of_the_plan() -> None:
    with pytest.raises(SourceError, match="on_exit: keep sends none"):
        render(table(column(["x"]), operations=["exit"]), people(a="a"))


MOMENTS = pa.array([datetime(2024, 7, 1, 12, 0)], pa.timestamp("us"))
NOON_UTC = int(datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp())
COERCED: list[tuple[pa.Array, dict[str, Any], list[Column], Any]] = [
    (column([2**63 - 1]), {"type": "string"}, [], "9223372036854775807"),
    (column([Decimal("1.50")]), {"type": "string"}, [], "1.50"),
    (column([Decimal("2.00")]), {"type": "integer"}, [], 2),
    (column([date(2024, 7, 1)]), {"type": "string"}, [], "2024-07-01"),
    (MOMENTS, {"type": "string"}, [], "2024-07-01T12:00:00"),
    (column([True]), {"type": "string"}, [], "true"),
    (column([1_700_000_000]), {"type": "timestamp"}, [], 1_700_000_000),
    (MOMENTS, {"time_zone": "Europe/Berlin"}, [], NOON_UTC - 7200),
    (MOMENTS, {"time_zone": "Europe/Berlin"}, [Column("f_0", 1184)], NOON_UTC),
    (MOMENTS.cast(pa.timestamp("us", "UTC")), {"time_zone": "Europe/Berlin"}, [], NOON_UTC),
    (column([date(2024, 7, 1)]), {"time_zone": "Europe/Berlin"}, [], NOON_UTC - 12 * 3600 - 7200),
    (column(['{"a":[1]}']), {"type": "json"}, [], {"a": [1]}),
    (column(['{"a":[1]}']), {}, [], '{"a":[1]}'),
    (column(['{"a":[1]}']), {}, [Column("f_0", 4000)], {"a": [1]}),
    (column(["x"]).dictionary_encode(), {}, [], "x"),
]


@pytest.mark.parametrize(("values", "mapping", "columns", "expected"), COERCED)
def test_declared_types_and_zones(
    values: pa.Array, mapping: dict[str, Any], columns: list[Column], expected: Any
) -> None:
    rendered = render(table(values), people(a={"column": "a", **mapping}), columns)
    value = parsed(rendered.items[0].as_py())["attributes"]["a"]
    assert (value, type(value)) == (expected, type(expected))


def test_the_null_of_a_super_is_a_null() -> None:
    rows, columns = table(column(["null", "1"])), [Column("f_0", 4000)]
    for nulls, expected in (("omit", {}), ("clear", {"a": ""})):
        item = render(rows, people(a={"column": "a", "nulls": nulls}), columns).items[0].as_py()
        assert parsed(item)["attributes"] == expected


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        (column(["x"]), "integer"),
        (column(["x"]), "timestamp"),
        (column([1]), "boolean"),
        (column([b"x"]), None),
    ],
)
def test_impossible_types_name_the_field(values: pa.Array, declared: str | None) -> None:
    with pytest.raises(SourceError, match=r"^attributes\.a: a column of Arrow type"):
        render(table(values), people(a={"column": "a", "type": declared}))


def test_a_machine_without_the_zone_says_what_to_install() -> None:
    with pytest.raises(SourceError, match="tzdata"):
        json_text.encode(MOMENTS, None, time_zone="Mars/Olympus", is_json=False)


SKIPPED_AND_REPEATED = [
    (datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 1, tzinfo=UTC)),
    (datetime(2024, 10, 27, 1, 30), datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("local", "moment"), SKIPPED_AND_REPEATED)
def test_times_around_a_change_of_clocks(local: datetime, moment: datetime) -> None:
    rows = table(pa.array([local], pa.timestamp("us")))
    item = render(rows, people(a={"column": "a", "time_zone": "Europe/London"})).items[0].as_py()
    assert parsed(item)["attributes"]["a"] == int(moment.timestamp())


def test_a_plan_without_a_column_is_made_again() -> None:
    with pytest.raises(SourceError, match="no column 'f_0'"):
        render(pa.table({"operation": ["upsert"], "identifier": ["c0"]}), people(a="a"))


def test_preview_shows_kinds_and_hashes_unless_asked_for_values() -> None:
    rows = table(column(["Ada", "x" * 2000]), column([1.5, 2.5]), identifiers=["c1", "c2"])
    sync = people(name="name", score="score")
    shown = preview(rows, sync)
    assert shown[0]["attributes"] == {"name": "<text of 3>", "score": "<number>"}
    assert shown[0]["identifiers"]["id"].startswith("#")
    assert shown[1] == {"refused": "value_over_1000_bytes", "field": "attributes.name"}
    assert preview(rows, sync, redact=False)[0]["attributes"] == {"name": "Ada", "score": 1.5}
