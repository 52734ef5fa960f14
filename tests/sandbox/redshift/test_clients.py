"""Clients as they are: psycopg's ways, Airflow's RedshiftSQLHook, and clients that go away."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redshift_connector
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

DEADLINE = 20.0
ENDLESS = b"SELECT COUNT(*) FROM pg_class a, pg_class b, pg_class c, pg_class d, pg_class e"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def libpq(dsn: dict[str, Any]) -> psycopg.Connection:
    kept = {key: dsn[key] for key in ("host", "port", "user", "password")}
    return psycopg.connect(**kept, dbname=dsn["database"], sslmode="disable")


@pytest.fixture
def pg(redshift_dsn) -> Iterator[psycopg.Connection]:
    with libpq(redshift_dsn) as connection:
        yield connection


def test_psycopg(pg) -> None:
    assert pg.info.parameter_status("server_version") == "8.0.2"
    assert pg.execute("SELECT NVL(NULL, %s)", ("x",)).fetchone() == ("x",)
    assert pg.execute("SELECT DATEDIFF(day, '2026-01-01'::date, '2026-01-03'::date)").fetchone() == (2,)
    pg.execute("CREATE TABLE t (n INT)")
    pg.rollback()
    with pytest.raises(psycopg.errors.UndefinedTable):
        pg.execute("SELECT * FROM t")


@pytest.mark.filterwarnings("ignore:ssl.*deprecated:DeprecationWarning")
def test_tls_is_refused_without_the_authority(redshift_dsn) -> None:
    with pytest.raises(redshift_connector.InterfaceError, match="certificate verify failed"):
        redshift_connector.connect(**redshift_dsn | {"ssl": True, "sslmode": "verify-full"})


def test_no_notices(redshift) -> None:
    redshift.autocommit = True
    for sql in (
        "DROP TABLE IF EXISTS nowhere",
        "CREATE SCHEMA IF NOT EXISTS s",
        "CREATE SCHEMA IF NOT EXISTS s",
        "CREATE TABLE s.t (n INT PRIMARY KEY DISTKEY) SORTKEY (n)",
        "CREATE TABLE IF NOT EXISTS s.t (n INT)",
        "DROP SCHEMA s CASCADE",
    ):
        redshift.cursor().execute(sql)
    assert not redshift.notices


def test_views_of_what_is_left_out_are_empty(redshift) -> None:
    cursor = redshift.cursor()
    for view in ("svv_external_schemas", "svv_external_tables", "svv_external_columns"):
        cursor.execute(f"SELECT * FROM {view}")
        assert cursor.fetchall() == ()


def test_parameters_of_a_statement_executed_again(redshift) -> None:
    cursor = redshift.cursor()
    cursor.execute("CREATE TEMP TABLE t (n INT, doc SUPER)")
    cursor.execute("""INSERT INTO t VALUES (1, JSON_PARSE('{"a": [1, 2]}')), (2, NULL)""")
    for n, expected in ((1, '{"a":[1,2]}'), (2, None), (1, '{"a":[1,2]}')):
        cursor.execute("SELECT doc, n FROM t WHERE n = %s", (n,))
        assert cursor.description[0][1] == 4000
        assert cursor.fetchone() == [expected, n]
        cursor.execute("SELECT n FROM t ORDER BY n")
        assert cursor.fetchall() == ([1], [2])


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "simple"])
def test_client_gone_in_the_middle_leaves_nothing_behind(redshift_dsn, redshift, extended: bool) -> None:
    redshift.autocommit = True
    watcher = redshift.cursor()

    def running() -> int:
        watcher.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_class e%' "
            "AND datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(watcher.fetchone()[0])

    leaver = libpq(redshift_dsn)
    if extended:
        leaver.pgconn.send_query_params(ENDLESS, [])
    else:
        leaver.pgconn.send_query(ENDLESS)
    leaver.pgconn.flush()
    until(lambda: running() == 1, "the statement runs")
    leaver.close()
    until(lambda: running() == 0, "the statement ended")
    with libpq(redshift_dsn) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)


@pytest.fixture
def hook(redshift_dsn, monkeypatch) -> RedshiftSQLHook:
    connection = {
        "conn_type": "redshift",
        "host": redshift_dsn["host"],
        "port": redshift_dsn["port"],
        "login": redshift_dsn["user"],
        "password": redshift_dsn["password"],
        "schema": redshift_dsn["database"],
        "extra": {"ssl": False},
    }
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_TEST", json.dumps(connection))
    return RedshiftSQLHook(redshift_conn_id="redshift_test")


def test_airflow_hook(hook) -> None:
    hook.run(["CREATE TABLE t (n INT, doc SUPER)", "INSERT INTO t VALUES (1, JSON_PARSE('[1]'))"])
    hook.run("INSERT INTO t VALUES (%s, NULL)", parameters=(2,), autocommit=True)
    found = hook.get_records("SELECT n, doc FROM t ORDER BY n")
    assert [tuple(row) for row in found] == [(1, "[1]"), (2, None)]
    assert hook.get_first("SELECT COUNT(*) FROM t WHERE n > %s", parameters=(1,))[0] == 1
    hook.insert_rows("t", [(3,), (4,)], target_fields=["n"])
    assert hook.get_first("SELECT SUM(n) FROM t")[0] == 10
