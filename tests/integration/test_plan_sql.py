"""Every statement that the engine runs, collected from real runs, is one that Redshift takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from airflow_provider_cio.core.sqllint import lint_sql
from airflow_provider_cio.engine.plan import describe
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.sample import sample
from airflow_provider_cio.warehouse.session import Warehouse

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

LACKING = r"::|\bFILTER\b|\bIS DISTINCT\b|\bRETURNING\b|ON CONFLICT|generate_series"
TYPES = ("name", "orders", "spent", "vip", "born", "seen_at", "extra", "score")


class Recording:
    """A connection that writes down what it is asked."""

    def __init__(self, connection: Any, statements: list[str]) -> None:
        self._connection = connection
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> Any:
        cursor = self._connection.cursor()
        execute = cursor.execute

        def recorded(sql: str) -> Any:
            self._statements.append(sql)
            return execute(sql)

        cursor.execute = recorded
        return cursor


@pytest.fixture
def statements(lab: Lab) -> list[str]:
    """Of two runs of a people and of an event sync that use every type and path."""
    collected: list[str] = []
    warehouse = Warehouse(lambda: Recording(redshift_connector.connect(**lab.dsn), collected))
    lab.closing.append(warehouse)
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN score FLOAT8")
    lab.customers(20)
    lab.insert("customers (customer_id)", ["(NULL)"])
    lab.insert("orders", ["('o1', 'c1', '2024-01-01', 1, 1)", "(NULL, 'c1', NULL, 1, 1)"])
    people = lab.people(
        attributes={name: name for name in TYPES} | {"half": {"expression": "orders / 2"}},
        on_exit="clear_attributes",
        guards={"max_exit_pct": 100, "max_unidentified_pct": 100},
    )
    london = {"column": "ordered_at", "time_zone": "Europe/London"}
    events = lab.events(occurred_at=london, guards={"max_unidentified_pct": 100})
    for run_id in ("run-1", "run-2"):
        for sync in (people, events):
            context = lab.context(sync, run_id, warehouse=warehouse)
            describe(context)
            sample(context, 3)
            run_sync(context)
        lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'c3'")
        lab.run("UPDATE cio_marts.orders SET total = 2")
    return collected


def test_every_statement_is_one_that_redshift_takes(statements: list[str]) -> None:
    ours = [text for text in statements if not text.lower().startswith("begin")]
    assert {found for text in ours for found in map(str, lint_sql(text))} == set()
    for text in ours:
        assert not re.search(LACKING, re.sub(r"'[^']*'", "''", text)), text
    readings = [text for text in ours if '"cio_marts"."customers"' in text and " LIMIT " not in text]
    assert len(readings) == 4  # two plans and two looks: the source is read once for each
    assert all(text.startswith("CREATE TEMPORARY TABLE cio_source AS") for text in readings)
    assert not [text for text in ours if "Name 7" in text or "'c7'" in text]  # no row's values
