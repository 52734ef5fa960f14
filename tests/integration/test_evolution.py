"""Columns that come, go and change are found while the plan is made."""

from __future__ import annotations

import pytest

from airflow_provider_cio.core.shape import ColumnChange, Shape, compare
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import history

pytest_plugins = ("sync_lab",)


@pytest.fixture
def sent(lab):
    """A first run over three people."""
    lab.customers(3)
    run_sync(lab.context(lab.people()))
    return lab


def findings(lab, run_id="run-2"):
    return lab.rows(
        "SELECT name, severity, field FROM cio_sync.findings "
        f"WHERE run_id = '{run_id}' AND name LIKE 'column_%' ORDER BY 1, 3"
    )


def shape(**columns):
    return Shape(columns, (), 0)


def test_what_can_happen_to_columns():
    before = shape(id="text", total="decimal", last_order="date", gone="text")
    now = shape(id="integer", total="decimal", last_order_at="date", brand_new="boolean")
    assert compare(before, now) == [
        ColumnChange("column_retyped", "id", "text", "integer"),
        ColumnChange("column_renamed", "last_order", "last_order", "last_order_at"),
        ColumnChange("column_dropped", "gone", "text"),
        ColumnChange("column_added", "brand_new", "", "boolean"),
    ]
    assert before.fingerprint == shape(gone="text", last_order="date", total="decimal", id="text").fingerprint
    assert before.fingerprint != now.fingerprint


def test_additive_reports_new_and_dropped_columns_and_sends(sent):
    sent.run("ALTER TABLE cio_marts.customers ADD COLUMN city VARCHAR(50)")
    sent.run("ALTER TABLE cio_marts.customers DROP COLUMN born")
    assert run_sync(sent.context(sent.people(), "run-2")).sent == 0
    assert findings(sent) == [("column_added", "notice", "city"), ("column_dropped", "notice", "born")]
    assert run_sync(sent.context(sent.people(), "run-3")).sent == 0
    assert findings(sent, "run-3") == []


def test_strict_stops_until_it_is_let_through_once(sent):
    strict = sent.people(columns="strict")
    sent.run("ALTER TABLE cio_marts.customers ADD COLUMN city VARCHAR(50)")
    with pytest.raises(SourceError, match="column 'city' \\(text\\) is new") as told:
        run_sync(sent.context(strict, "run-2"))
    assert "airflow cio let-through people column_added" in told.value.next_step
    sent.warehouse.transaction(lambda s: history.grant(s, "cio_sync", "people", "column_added"))
    assert run_sync(sent.context(strict, "run-3")).status == "nothing_to_send"
    sent.run("ALTER TABLE cio_marts.customers ADD COLUMN street VARCHAR(50)")
    with pytest.raises(SourceError, match="column 'street'"):
        run_sync(sent.context(strict, "run-4"))


def test_a_retyped_column_that_is_sent_stops_an_additive_sync(sent):
    sent.run("ALTER TABLE cio_marts.customers RENAME COLUMN orders TO orders_before")
    sent.run("ALTER TABLE cio_marts.customers ADD COLUMN orders VARCHAR(10)")
    before = sent.received()
    with pytest.raises(SourceError, match="column 'orders' was integer and is text"):
        run_sync(sent.context(sent.people(), "run-2"))
    assert sent.received() == before


def test_a_dropped_column_never_wipes_an_attribute(sent):
    sent.run("ALTER TABLE cio_marts.customers DROP COLUMN vip")
    for sync in (sent.people(nulls="clear"), sent.people(on_exit="clear_attributes")):
        with pytest.raises(SourceError, match="has no column 'vip'"):
            run_sync(sent.context(sync, "run-2"))
    fields = {"name": "name", "order_count": "orders", "spent": "spent"}
    run_sync(sent.context(sent.people(attributes=fields, nulls="clear"), "run-3"))
    assert sent.person("c1")["attributes"]["vip"] is True


def test_each_run_keeps_its_fingerprint(sent):
    run_sync(sent.context(sent.people(), "run-2"))
    prints = sent.rows("SELECT fingerprint, source_rows FROM cio_sync.shapes")
    assert len(prints) == 2
    assert len(set(prints)) == 1
