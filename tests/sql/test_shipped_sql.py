"""Every SQL file that ships is Redshift's."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlglot
from jinja2 import Environment, StrictUndefined, meta

from airflow_provider_cio.core.models.files import load_folder
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


def test_tables_say_how_they_are_spread():
    tables = [model for model in FOLDER.models.values() if model.kind == "table"]
    assert tables
    for model in tables:
        assert "DIST" in model.physical, model.path
        assert "because" in model.about, model.path


def test_marts_say_their_grain():
    for model in FOLDER.models.values():
        assert model.grain.startswith("one row per"), model.path


def test_marts_do_not_change_with_the_clock():
    """Else every run would find every person changed."""
    clock = re.compile(r"\b(getdate|sysdate|now|current_\w+|random|timeofday)\b", re.IGNORECASE)
    for file in OF_MODELS:
        assert not clock.search(re.sub(r"--.*", "", file.read_text())), file
