"""models.yaml, the SQL folder and its lineage: mistakes are named by file and line, and the pages name everything."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.lineage import in_order, lineage, table_parents
from airflow_provider_cio.core.models.render import Rendering
from airflow_provider_cio.core.models.settings import Models, Thresholds, Windows, load_models
from airflow_provider_cio.core.models.sources import SOURCES, degradations
from airflow_provider_cio.exceptions import ContractError

ROOT = Path(__file__).parents[3]
MODELS = ROOT / "dags/models.yaml"
FOLDER = load_folder(ROOT / "sql")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  currency: GBP", "  currency: pounds", r"models.yaml:6: business.currency"),
        ("time_zone: Europe/London ", "time_zone: Europe/Londn ", r"models.yaml:5: business.time_zone"),
        ("table: shop.customers", "table: customers", r"models.yaml:10: sources.customers.table"),
        ("      total: total\n", "", r"models.yaml:27: sources.orders.columns: needs total"),
        ("      total: total\n", "      totl: total\n", r"models.yaml:34: .*no column 'totl' of orders"),
        ("  tickets:", "  tikets:", r"the models read no 'tikets'"),
        ("  customers:\n    table", "  custom:\n    table", r"models.yaml:8: sources: customers is needed"),
        (
            "    since: 2026-01-01",
            "    sinse: 2026-01-01",
            r"models.yaml:\d+: vip\[0\].sinse: .*did you mean `since`",
        ),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path, old, new, message):
    text = MODELS.read_text()
    assert old in text
    file = tmp_path / "models.yaml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(ContractError, match=message):
        load_models(file)


def test_definitions_hold_from_their_day_on_the_business_calendar():
    models = load_models(MODELS)
    two = models.model_dump()
    two["vip"] = [*two["vip"], {"version": "b", "since": "2026-07-15", "change": "x", "tiers": {"gold": 1}}]
    changed = Models.model_validate(two)
    assert changed.vip_at(datetime(2026, 7, 14, 22, 59, tzinfo=UTC)).version == "2026-01"
    assert changed.vip_at(datetime(2026, 7, 14, 23, 0, tzinfo=UTC)).version == "b"  # midnight in London
    assert changed.vip_at(datetime(2020, 1, 1, tzinfo=UTC)).version == "2026-01"


def test_degradations_are_named():
    mapped = {
        f"{name}.{column}"
        for name, source in load_models(MODELS).sources.items()
        for column in source.columns
    }
    ours = {name for name, table in SOURCES.items() if table.ours}
    assert set(degradations(mapped)) == {*ours, "discounts", "stock_requests", "returns.is_exchange"}
    some = mapped | {
        f"deliveries.{column}" for column in SOURCES["deliveries"].columns if column != "channel"
    }
    lost = degradations(some)
    assert set(lost) == {
        *ours - {"deliveries"},
        "deliveries.channel",
        "discounts",
        "stock_requests",
        "returns.is_exchange",
    }
    assert all(lost.values())


def test_days_are_calendar_days_where_clocks_change():
    rendering = Rendering(load_models(MODELS), datetime(2026, 3, 29, 12, 0, tzinfo=UTC), str)
    assert rendering.days_before(1) == datetime(2026, 3, 28, 13, 0, tzinfo=UTC)  # 23 hours
    autumn = Rendering(load_models(MODELS), datetime(2026, 10, 25, 12, 0, tzinfo=UTC), str)
    assert autumn.days_before(1) == datetime(2026, 10, 24, 11, 0, tzinfo=UTC)  # 25 hours


def test_days_after_a_row_are_counted_on_the_business_clock():
    rendering = Rendering(load_models(MODELS), datetime(2026, 3, 29, 12, 0, tzinfo=UTC), str)
    assert rendering.days_later("at", -7) == (
        "CONVERT_TIMEZONE('Europe/London', 'UTC', "
        "DATEADD(day, -7, CONVERT_TIMEZONE('UTC', 'Europe/London', at)))"
    )


def write(folder: Path, layer: str, name: str, query: str, head: str = "") -> None:
    (folder / layer).mkdir(exist_ok=True)
    head = head or "-- Grain: one row per x. Key: x.\n-- Build: table, DISTKEY (x) because of x\n"
    (folder / layer / f"{name}.sql").write_text(head + query)


def test_lineage_is_read_from_the_sql(tmp_path):
    write(tmp_path, "staging", "a", "SELECT order_id AS x FROM {{ source('orders') }} AS o")
    write(
        tmp_path,
        "staging",
        "b",
        "WITH z AS (SELECT x FROM {{ ref('a') }}) SELECT x FROM z",
        "-- Grain: one row per x. Key: x.\n-- Build: view\n",
    )
    write(tmp_path, "marts", "c", "SELECT x FROM {{ ref('b') }}")
    folder = load_folder(tmp_path)
    found = lineage(folder, load_models(MODELS))
    assert found == {
        "a": (frozenset(), frozenset({"orders"})),
        "b": (frozenset({"a"}), frozenset()),
        "c": (frozenset({"b"}), frozenset()),
    }
    assert in_order(found) == ["a", "b", "c"]
    assert table_parents(folder, found) == {"a": set(), "c": {"a"}}


def test_a_branch_for_later_builds_counts(tmp_path):
    write(tmp_path, "staging", "a", "SELECT 1 AS x")
    write(
        tmp_path,
        "marts",
        "c",
        "SELECT 1 AS x {% if incremental %} FROM {{ ref('a') }}, {{ incremental }} {% endif %}",
    )
    assert lineage(load_folder(tmp_path), load_models(MODELS))["c"] == (frozenset({"a"}), frozenset())


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT x FROM shop.unknown",
            r"c.sql: it reads shop.unknown, which is neither a model nor a source",
        ),
        ("SELECT x FROM {{ ref('nothing') }}", r"c.sql: there is no model 'nothing'"),
        ("SELECT x FROM {{ ref('c') }}", r"in a circle: c -> c"),
        ("SELECT FROM WHERE", r"c.sql: not SQL"),
        ("SELECT {{ tomorrow }} AS x", r"c.sql: .*tomorrow"),
        ("DELETE FROM {{ ref('c') }}", r"c.sql: not one SELECT"),
    ],
)
def test_a_model_that_is_none(tmp_path, query, message):
    write(tmp_path, "marts", "c", query)
    with pytest.raises(ContractError, match=message):
        in_order(lineage(load_folder(tmp_path), load_models(MODELS)))


def test_a_head_that_is_missing_and_a_check_of_nothing(tmp_path):
    write(tmp_path, "marts", "c", "SELECT 1", head="-- Nothing\n")
    write(tmp_path, "checks", "d__x", "SELECT 1")
    with pytest.raises(ContractError, match=r"c.sql:1: the head lacks.*\n.*d__x.sql:1: there is no model d"):
        load_folder(tmp_path)


def test_the_reference_names_every_setting_and_source():
    words = set(re.findall(r"\w+", (ROOT / "docs/reference/models.md").read_text()))
    for model in (Models, Windows, Thresholds):
        assert set(model.model_fields) <= words
    for name, table in SOURCES.items():
        assert {name, *table.columns} <= words


@pytest.mark.parametrize(
    "model", [m for m in FOLDER.models.values() if m.layer == "marts"], ids=lambda m: m.name
)
def test_every_mart_has_a_page_with_all_its_columns(model):
    rendering = Rendering(load_models(MODELS), datetime(2026, 1, 1, tzinfo=UTC), lambda name: f"x.{name}")
    parsed = sqlglot.parse_one(rendering.render(model.name, model.text), dialect="redshift")
    columns = parsed.named_selects
    if columns == ["*"]:
        (fresh,) = [cte for cte in parsed.find_all(sqlglot.exp.CTE) if cte.alias == "fresh"]
        columns = fresh.this.named_selects
    page = (ROOT / f"docs/marts/{model.name}.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == columns
    assert f"Key: {', '.join(f'`{column}`' for column in model.key)}." in page
