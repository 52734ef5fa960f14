"""The unmodified driver's everyday calls against the local Redshift."""

from __future__ import annotations

import datetime
import gc
import threading
from decimal import Decimal

import pandas as pd
import psycopg
import pytest
import redshift_connector
from redshift_connector import ProgrammingError


@pytest.fixture
def cursor(redshift):
    return redshift.cursor()


def code(caught) -> str:
    return caught.value.args[0]["C"]


def test_values_arrive_with_redshift_types(cursor):
    cursor.execute(
        "SELECT 1::smallint AS a, 2::integer AS b, 3::bigint AS c, 1.50::numeric(8, 2) AS d, 0.25::float8 AS e, "
        "true AS f, 'text'::varchar(10) AS g, '2024-02-29'::date AS h, '2024-02-29 12:30:00.5'::timestamp AS i, "
        "'2024-02-29 12:30:00+02'::timestamptz AS j, NULL::integer AS k"
    )
    assert cursor.fetchone() == [
        1, 2, 3, Decimal("1.50"), 0.25, True, "text", datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 30, 0, 500000),
        datetime.datetime(2024, 2, 29, 10, 30, tzinfo=datetime.UTC), None,
    ]  # fmt: skip
    assert [column[1] for column in cursor.description] == [
        21,
        23,
        20,
        1700,
        701,
        16,
        1043,
        1082,
        1114,
        1184,
        23,
    ]


def test_the_server_says_it_is_redshift(cursor):
    cursor.execute("SELECT version()")
    assert "Redshift" in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("style", "condition", "parameters"),
    [
        ("format", "a = %s AND b = %s", (2, "two")),
        ("qmark", "a = ? AND b = ?", (2, "two")),
        ("numeric", "b = :2 AND a = :1", (2, "two")),
        ("named", "a = :a AND b = :b", {"a": 2, "b": "two"}),
        ("pyformat", "a = %(a)s AND b = %(b)s", {"a": 2, "b": "two"}),
    ],
)
def test_every_paramstyle(redshift, style, condition, parameters):
    cursor = redshift.cursor()
    cursor.execute("CREATE TEMP TABLE numbers (a INTEGER, b VARCHAR(10))")
    cursor.execute("INSERT INTO numbers VALUES (1, 'one'), (2, 'two')")
    cursor.paramstyle = style
    cursor.execute(f"SELECT a, b FROM numbers WHERE {condition}", parameters)
    assert cursor.fetchall() == ([2, "two"],)


def test_executemany_fetchmany_and_rowcount(cursor):
    cursor.execute("CREATE TEMP TABLE numbers (a INTEGER, b VARCHAR(10))")
    cursor.executemany("INSERT INTO numbers VALUES (%s, %s)", [(i, str(i)) for i in range(25)])
    cursor.execute("SELECT a FROM numbers ORDER BY a")
    assert [len(cursor.fetchmany(10)) for _ in range(4)] == [10, 10, 5, 0]
    cursor.execute("UPDATE numbers SET b = 'x' WHERE a < 7")
    assert cursor.rowcount == 7
    cursor.execute("DELETE FROM numbers")
    assert cursor.rowcount == 25


def test_fetch_dataframe_and_write_dataframe(redshift, cursor):
    cursor.execute("CREATE TABLE people (id INTEGER, name VARCHAR(20), spent DOUBLE PRECISION)")
    frame = pd.DataFrame({"id": [1, 2], "name": ["Ada", "Grace"], "spent": [1.5, 2.25]})
    cursor.write_dataframe(frame, "people")
    cursor.execute("SELECT id, name, spent FROM people ORDER BY id")
    fetched = cursor.fetch_dataframe()
    assert fetched.to_dict("list")["id"] == [1, 2]
    assert fetched["spent"].tolist() == [1.5, 2.25]
    assert fetched["name"].tolist() == ["Ada", "Grace"]


def test_insert_data_bulk_and_catalog_calls(redshift, cursor, tmp_path):
    cursor.execute("CREATE TABLE people (id INTEGER, name VARCHAR(20))")
    redshift.commit()
    file = tmp_path / "people.csv"
    file.write_text("id,name\n1,Ada\n2,Grace\n")
    cursor.insert_data_bulk(str(file), "people", [0, 1], ["id", "name"], ",", 10)
    cursor.execute("SELECT COUNT(*) FROM people")
    assert cursor.fetchone() == [2]


def test_super_is_compact_json_also_when_a_statement_is_executed_again(cursor):
    for _ in range(3):
        cursor.execute('SELECT JSON_PARSE(\'{"b": [1, 2.50, "x y"],  "a": null}\') AS doc, \'a b\' AS text')
        assert cursor.fetchone() == ['{"a":null,"b":[1,2.50,"x y"]}', "a b"]
        assert cursor.description[0][1] == 4000
        cursor.execute("SELECT 'a { \"b\": 1 }' AS text, 2 AS number")
        assert cursor.fetchone() == ['a { "b": 1 }', 2]


def test_a_transaction_is_rolled_back_and_committed(redshift, redshift_dsn):
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE kept (a INTEGER)")
    redshift.commit()
    cursor.execute("INSERT INTO kept VALUES (1)")
    redshift.rollback()
    cursor.execute("INSERT INTO kept VALUES (2)")
    redshift.commit()
    with redshift_connector.connect(**redshift_dsn) as other:
        seen = other.cursor()
        seen.execute("SELECT a FROM kept")
        assert seen.fetchall() == ([2],)


def test_autocommit_needs_no_commit(redshift, redshift_dsn):
    redshift.autocommit = True
    redshift.cursor().execute("CREATE TABLE kept AS SELECT 1 AS a")
    with redshift_connector.connect(**redshift_dsn) as other:
        seen = other.cursor()
        seen.execute("SELECT a FROM kept")
        assert seen.fetchall() == ([1],)


def test_truncate_commits_the_transaction_it_is_in(redshift):
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE emptied AS SELECT 1 AS a")
    cursor.execute("TRUNCATE emptied")
    redshift.rollback()
    cursor.execute("SELECT COUNT(*) FROM emptied")
    assert cursor.fetchone() == [0]


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT missing FROM (SELECT 1 AS a) AS t", "42703"),
        ("SELECT 1 / 0", "22012"),
        ("INSERT", "42601"),
        ("SELEC 1", "42601"),
        ("SELECT 'x'::integer", "22P02"),
        ("CREATE TABLE public.x (a INTEGER) WITH (fillfactor = 10)", "42601"),
        ("INSERT INTO strict_table VALUES (NULL)", "23502"),
        ("INSERT INTO strict_table VALUES (1) ON CONFLICT DO NOTHING", "0A000"),
        ("CREATE INDEX i ON strict_table (a)", "0A000"),
        ("SELECT a FROM strict_table RETURNING a", "42601"),
    ],
)
def test_errors_carry_their_sqlstate_and_the_session_lives_on(redshift, statement, sqlstate):
    redshift.autocommit = True
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE strict_table (a INTEGER NOT NULL)")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute(statement)
    assert code(caught) == sqlstate
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == [1]


@pytest.mark.parametrize("bad", ["SELECT 1 / 0", "CREATE INDEX i ON t (a)"], ids=["PostgreSQL's", "ours"])
def test_an_error_fails_the_open_transaction(redshift, bad):
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE lost (a INTEGER)")
    with pytest.raises(ProgrammingError):
        cursor.execute(bad)
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("SELECT 1")
    assert code(caught) == "25P02"
    redshift.rollback()
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("SELECT * FROM lost")
    assert code(caught) == "42P01"


def test_a_second_writer_waits_for_the_whole_table(redshift, redshift_dsn):
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE counted (id INTEGER, n INTEGER)")
    cursor.execute("INSERT INTO counted VALUES (1, 0), (2, 0)")
    redshift.commit()
    cursor.execute("UPDATE counted SET n = n + 1 WHERE id = 1")
    finished = threading.Event()

    def other_row() -> None:
        with redshift_connector.connect(**redshift_dsn) as other:
            other.cursor().execute("UPDATE counted SET n = n + 10 WHERE id = 2")
            other.commit()
        finished.set()

    writer = threading.Thread(target=other_row)
    writer.start()
    with redshift_connector.connect(**redshift_dsn) as watcher:
        watcher.autocommit = True
        looking = watcher.cursor()
        waiting = 0
        while not waiting and not finished.is_set():
            looking.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
            waiting = looking.fetchone()[0]
        looking.execute("SELECT n FROM counted WHERE id = 2")
        assert looking.fetchone() == [0]
    assert not finished.is_set()
    redshift.commit()
    writer.join(30)
    cursor.execute("SELECT n FROM counted ORDER BY id")
    assert cursor.fetchall() == ([1], [10])


def test_sessions_that_update_one_row_wait_or_get_1023_and_lose_nothing(redshift, redshift_dsn):
    redshift.autocommit = True
    redshift.cursor().execute("CREATE TABLE counted AS SELECT 0 AS n")

    def count() -> None:
        with redshift_connector.connect(**redshift_dsn) as session:
            counted = 0
            while counted < 10:
                try:
                    session.cursor().execute("UPDATE counted SET n = n + 1")
                except ProgrammingError as error:
                    if error.args[0]["M"] != "1023":
                        raise
                    session.rollback()
                else:
                    session.commit()
                    counted += 1

    sessions = [threading.Thread(target=count) for _ in range(3)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join(60)
    cursor = redshift.cursor()
    cursor.execute("SELECT n FROM counted")
    assert cursor.fetchone() == [30]


def test_writing_after_a_stale_read_is_error_1023(redshift, redshift_dsn):
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE counted AS SELECT 0 AS n")
    redshift.commit()
    cursor.execute("SELECT n FROM counted")
    with redshift_connector.connect(**redshift_dsn) as other:
        other.cursor().execute("UPDATE counted SET n = 5")
        other.commit()
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("UPDATE counted SET n = n + 1")
    assert code(caught) == "XX000"
    assert caught.value.args[0]["M"] == "1023"


def test_a_temporary_table_dies_with_its_session(redshift_dsn):
    with redshift_connector.connect(**redshift_dsn) as first:
        first.cursor().execute("CREATE TABLE #mine (a INTEGER)")
        first.commit()
    with redshift_connector.connect(**redshift_dsn) as second, pytest.raises(ProgrammingError) as caught:
        second.cursor().execute("SELECT * FROM #mine")
    assert code(caught) == "42P01"


@pytest.mark.filterwarnings("ignore:ssl.*deprecated:DeprecationWarning")
def test_tls_is_what_the_driver_does_by_default(local_redshift, redshift_dsn, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(local_redshift.ca_file))
    with redshift_connector.connect(**redshift_dsn | {"ssl": True, "sslmode": "verify-full"}) as secure:
        cursor = secure.cursor()
        cursor.execute("SELECT a.oid FROM pg_class a, pg_class b LIMIT 20000")
        assert len(cursor.fetchall()) == 20000


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(
    ("wrong", "sqlstate"),
    [({"password": "guess"}, "28000"), ({"user": "somebody"}, "28000"), ({"database": "nowhere"}, "3D000")],
    ids=["password", "user", "database"],
)
def test_a_refused_login_says_why(redshift_dsn, wrong, sqlstate):
    with pytest.raises(redshift_connector.Error) as caught:
        redshift_connector.connect(**redshift_dsn | wrong)
    assert code(caught) == sqlstate
    assert next(iter(wrong.values())) in caught.value.args[0]["M"] or "password" in wrong
    del caught
    gc.collect()


def pipelining(dsn, **options) -> psycopg.Connection:
    """A libpq client: it sends Parse, Bind, Describe, Execute and Sync in one go, as JDBC clients do."""
    names = {"host": "host", "port": "port", "database": "dbname", "user": "user", "password": "password"}
    values = {names[name]: value for name, value in dsn.items() if name in names}
    return psycopg.connect(**values, sslmode="disable", **options)


def test_a_client_that_pipelines(redshift_dsn):
    with pipelining(redshift_dsn) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER, doc SUPER)")
        connection.execute("INSERT INTO notes SELECT %s::integer, JSON_PARSE(%s)", (1, '{"a": 1}'))
        connection.execute("UPDATE notes SET id = id + %s::integer", (41,))
        assert connection.execute("SELECT id, doc FROM notes WHERE id > %s", (0,)).fetchall() == [
            (42, '{"a":1}')
        ]
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute("INSERT INTO notes VALUES (%s, NULL) ON CONFLICT DO NOTHING", (1,))
        connection.rollback()
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT %s FROM notes", (1,))


def test_a_client_that_pipelines_many_statements_before_it_syncs(redshift_dsn):
    with pipelining(redshift_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER)")
        with connection.pipeline():
            for number in range(5):
                connection.execute("INSERT INTO notes VALUES (%s)", (number,))
            found = connection.execute("SELECT SUM(id) FROM notes WHERE id >= %s", (0,))
        assert found.fetchone() == (10,)
        with pytest.raises(psycopg.errors.FeatureNotSupported), connection.pipeline():  # noqa: PT012
            connection.execute("INSERT INTO notes VALUES (%s)", (5,))
            connection.execute("CREATE INDEX i ON notes (id)")
            connection.execute("INSERT INTO notes VALUES (%s)", (6,))
        assert connection.execute("SELECT SUM(id) FROM notes WHERE id >= %s", (0,)).fetchone()[0] in (10, 15)


def test_the_simple_protocol_runs_a_script(redshift_dsn):
    with pipelining(redshift_dsn, autocommit=True) as connection:
        cursor = connection.execute("CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1); SELECT x FROM a")
        while cursor.nextset():
            pass
        assert cursor.fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("INSERT INTO a VALUES (2); SELECT * FROM nowhere; INSERT INTO a VALUES (3)")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_query_can_be_cancelled(redshift_dsn):
    with pipelining(redshift_dsn) as connection:
        stopper = threading.Timer(0.3, connection.cancel_safe)
        stopper.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(
                "SELECT COUNT(*) FROM pg_class a, pg_class b, pg_class c, pg_class d, pg_class e"
            )
        stopper.join()


def test_a_lost_connection_is_told(redshift, redshift_dsn):
    cursor = redshift.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    victim = cursor.fetchone()[0]
    with redshift_connector.connect(**redshift_dsn) as other:
        other.cursor().execute(f"SELECT pg_terminate_backend({victim})")
    with pytest.raises((redshift_connector.Error, OSError)):
        cursor.execute("SELECT 1")
