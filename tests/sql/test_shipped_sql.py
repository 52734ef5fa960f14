"""Every SQL file that ships is Redshift's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
from jinja2 import Environment, StrictUndefined, meta

from airflow_provider_cio.core.sqllint import lint_sql

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "sql").rglob("*.sql")) + sorted((ROOT / "dags").rglob("*.sql"))
VARIABLES = {"schema": "cio_sync", "table": "cio_sync.state__customers", "state": "cio_sync.state__customers"}


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


def test_marts_say_their_grain():
    for file in sorted((ROOT / "sql" / "marts").glob("*.sql")):
        assert file.read_text().startswith("-- Grain: one row per"), file


def test_marts_do_not_change_with_the_clock():
    """Else every run would find every person changed."""
    clock = re.compile(r"\b(getdate|sysdate|now|current_\w+|random|timeofday)\b", re.IGNORECASE)
    for file in sorted((ROOT / "sql" / "staging").glob("*.sql")) + sorted(
        (ROOT / "sql" / "marts").glob("*.sql")
    ):
        assert not clock.search(re.sub(r"--.*", "", file.read_text())), file
