"""Every SQL file that ships is Redshift's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot
from jinja2 import Environment, StrictUndefined, meta

from airflow_provider_cio.core.models.files import load_folder
from airflow_provider_cio.core.models.lineage import lineage
from airflow_provider_cio.core.models.render import Rendering
from airflow_provider_cio.core.models.settings import load_models
from airflow_provider_cio.core.sqllint import lint_sql

ROOT = Path(__file__).parents[2]
MODELS = load_models(ROOT / "dags/models.yaml")
FOLDER = load_folder(ROOT / "sql")
OF_MODELS = {model.path for model in FOLDER.models.values()} | set((ROOT / "sql/checks").glob("*.sql"))
FILES = sorted({*(ROOT / "sql").rglob("*.sql"), *(ROOT / "dags").rglob("*.sql")} - OF_MODELS)
VARIABLES = {
    "raw": "cio_raw",
    "staging": "cio_staging",
    "schema": "cio_sync",
    "table": "cio_sync.state__customers",
    "state": "cio_sync.state__customers",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_it_is_what_redshift_takes(file):
    text = file.read_text()
    if "{{" in text or "{%" in text:
        environment = Environment(undefined=StrictUndefined, autoescape=False)
        names = dict.fromkeys(("schema",), "cio_sync") | VARIABLES
        wanted = meta.find_undeclared_variables(environment.parse(text))
        text = environment.from_string(text).render(
            {name: names.get(name, ["cio_sync.x"]) for name in wanted}
        )
    assert lint_sql(text) == []
    assert sqlglot.parse(text, dialect="redshift")


@pytest.mark.parametrize("earlier", [None, "cio_marts.earlier"], ids=["whole", "incremental"])
@pytest.mark.parametrize("file", sorted(OF_MODELS), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_model_is_what_redshift_takes(file, earlier):
    rendering = Rendering(
        MODELS,
        datetime(2026, 3, 1, tzinfo=UTC),
        lambda name: f"cio_build.{name}__1",
        incremental=lambda _: earlier,
    )
    text = rendering.render(file.stem, file.read_text())
    assert lint_sql(text) == []
    assert sqlglot.parse_one(text, dialect="redshift").find(sqlglot.exp.Select)


REASON = r"\b(because|so that) \w+"
SPREAD = re.compile(rf"(DISTKEY \(\w+\)|DISTSTYLE ALL) {REASON}")
SORTED = re.compile(rf"SORTKEY \(\w+(, \w+)*\) {REASON}")
LINEAGE = lineage(FOLDER, MODELS)


def tables_under(name: str) -> set[str]:
    """The tables that a view reads, through other views too."""
    found: set[str] = set()
    for parent in LINEAGE[name][0]:
        found |= {parent} if FOLDER.models[parent].kind == "table" else tables_under(parent)
    return found


@pytest.mark.parametrize("name", [name for name, model in FOLDER.models.items() if model.kind == "table"])
def test_a_table_says_how_it_is_spread_and_sorted_and_why(name):
    model = FOLDER.models[name]
    head = " ".join(model.about.split())
    assert SPREAD.search(head), head
    assert SORTED.search(head) or "DISTSTYLE ALL because it is small" in head, head
    rendering = Rendering(MODELS, datetime(2026, 3, 1, tzinfo=UTC), str)
    columns = sqlglot.parse_one(rendering.render(name, model.text), dialect="redshift").named_selects
    for keys in re.findall(r"(?:DIST|SORT)KEY \((.+?)\)", model.physical):
        assert "*" in columns or set(keys.split(", ")) <= set(columns), keys


@pytest.mark.parametrize(
    "name", [name for name, model in FOLDER.models.items() if (model.layer, model.kind) == ("marts", "view")]
)
def test_a_mart_that_is_a_view_says_why_and_by_what_its_tables_lie(name):
    (reason,) = re.findall(r"^Build: view, (because .+)\.$", FOLDER.models[name].about, re.MULTILINE)
    tables = tables_under(name)
    named = {table for table in tables if re.search(rf"\b{table}\b", reason)}
    keys = {key for table in named for key in re.findall(r"KEY \((.+?)\)", FOLDER.models[table].physical)}
    assert not tables or any(re.search(rf"\b{key}\b", reason) for key in keys), (reason, keys)


def test_marts_say_their_grain():
    for model in FOLDER.models.values():
        assert model.grain.startswith("one row per"), model.path


def test_marts_do_not_change_with_the_clock():
    """Else every run would find every person changed."""
    clock = re.compile(r"\b(getdate|sysdate|now|current_\w+|random|timeofday)\b", re.IGNORECASE)
    for file in OF_MODELS:
        assert not clock.search(re.sub(r"--.*", "", file.read_text())), file
