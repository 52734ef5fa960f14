"""Statements that Redshift takes and PostgreSQL does not, run through the driver."""

from __future__ import annotations

from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.core.sqllint.tokens import meaning
from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused, rewrite, statements
from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import parse_copy, parse_unload
from airflow_provider_cio.sandbox.redshift.rewrite.query import relations

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/r'"


class NoTables:
    def columns(self, relation: str) -> list[tuple[str, str]] | None:
        return None


@pytest.fixture
def run(redshift):
    redshift.autocommit = True
    cursor = redshift.cursor()

    def execute(sql: str, values: tuple[Any, ...] | None = None) -> list[list[Any]]:
        cursor.execute(sql, values)
        return [list(row) for row in cursor.fetchall()] if cursor.description else []

    return execute


@pytest.fixture
def people(run):
    run("CREATE TABLE people (id INT, city VARCHAR(20), extra SUPER)")
    run(
        'INSERT INTO people SELECT 1, \'Ulm\', JSON_PARSE(\'{"k": "ad", "n": 5, "t": [{"s": "x"}, {"s": "y"}]}\')'
    )
    run("INSERT INTO people VALUES (2, 'Ulm', NULL), (3, 'Bonn', JSON_PARSE('{\"k\": null}'))")


QUERIES = [
    ("SELECT TOP 1 id FROM people ORDER BY id DESC", [[3]]),
    (
        "SELECT id FROM people QUALIFY ROW_NUMBER() OVER (PARTITION BY city ORDER BY id DESC) = 1 ORDER BY id",
        [[2], [3]],
    ),
    ("SELECT * FROM people p QUALIFY COUNT(*) OVER (PARTITION BY p.city) = 1", [[3, "Bonn", '{"k":null}']]),
    ("SELECT id + 1 AS b, b * 2 AS c FROM people WHERE id = 1", [[2, 4]]),
    ("SELECT id AS city, city FROM people WHERE id = 1", [[1, "Ulm"]]),
    ("SELECT id FROM people MINUS SELECT 2 FROM people ORDER BY 1", [[1], [3]]),
    ("SELECT LISTAGG(id, '-') WITHIN GROUP (ORDER BY id DESC) FROM people", [["3-2-1"]]),
    ("SELECT LISTAGG(DISTINCT city, ',') WITHIN GROUP (ORDER BY city) FROM people", [["Bonn,Ulm"]]),
    ("SELECT LISTAGG(city) FROM people WHERE id > 9", [[None]]),
    ("SELECT APPROXIMATE COUNT(DISTINCT city) FROM people", [[2]]),
    ("SELECT MEDIAN(id) FROM people", [[2.0]]),
    ("SELECT extra.k, extra.t[1].s FROM people WHERE id = 1", [['"ad"', '"y"']]),
    ("SELECT p.extra.k::VARCHAR, p.extra.n::INT + 1 FROM people p WHERE id = 1", [["ad", 6]]),
    ("SELECT id FROM people WHERE extra.k = 'ad' AND extra.n > 4", [[1]]),
    ("SELECT id FROM people WHERE extra.k IS NULL ORDER BY id", [[2], [3]]),
    ("SELECT extra.none.deeper[3] FROM people WHERE id = 1", [[None]]),
    ("SELECT p.id, t.s::VARCHAR FROM people AS p, p.extra.t AS t ORDER BY 2", [[1, "x"], [1, "y"]]),
    (
        "WITH c AS (SELECT extra.t AS t FROM people) SELECT t[0].s::VARCHAR FROM c WHERE t IS NOT NULL",
        [["x"]],
    ),
    ("SELECT CAST('1.239' AS DECIMAL(6, 2)), '12'::VARCHAR(MAX), 'a'::NVARCHAR(3)", None),
    ("SELECT 'it\\'s', 'a\\\\b'", [["it's", "a\\b"]]),
    ("SELECT CONVERT(INT, '7')", [[7]]),
    ('SELECT "ID" FROM people WHERE id = 1', [[1]]),
]


@pytest.mark.parametrize(("sql", "rows"), QUERIES, ids=[sql[:50] for sql, _ in QUERIES])
def test_query(run, people, sql: str, rows: list[list[Any]] | None) -> None:
    answer = run(sql)
    assert answer == rows if rows is not None else len(answer) == 1


def test_parameters_survive_a_restructured_query(run, people) -> None:
    assert run("SELECT TOP 2 id FROM people WHERE id > %s AND city = %s", (1, "Bonn")) == [[3]]


def test_table_with_every_physical_clause(run) -> None:
    run(
        "CREATE TABLE IF NOT EXISTS public.orders (id BIGINT IDENTITY(10, 5) NOT NULL, "
        "customer VARCHAR(20) ENCODE zstd DISTKEY, "
        "at TIMESTAMP DEFAULT GETDATE() ENCODE az64, note TEXT, wide VARCHAR(MAX), PRIMARY KEY (id), "
        "FOREIGN KEY (customer) REFERENCES people (id)) BACKUP NO DISTSTYLE KEY COMPOUND SORTKEY (at, id)"
    )
    run("INSERT INTO orders (customer) VALUES ('a'), ('b')")
    assert run("SELECT id, at IS NOT NULL FROM orders ORDER BY id") == [[10, True], [15, True]]
    assert run("SELECT diststyle, sortkey1, sortkey_num FROM svv_table_info WHERE \"table\" = 'orders'") == [
        ["KEY(customer)", "at", 2]
    ]
    assert run(
        "SELECT column_name, data_type, character_maximum_length FROM svv_columns "
        "WHERE table_name = 'orders' ORDER BY ordinal_position"
    )[3:] == [
        ["note", "character varying", 256],
        ["wide", "character varying", 65535],
    ]
    assert run(
        "SELECT \"column\", distkey, sortkey FROM pg_table_def WHERE tablename = 'orders' AND distkey"
    ) == [["customer", True, 0]]


def test_keys_are_declared_and_not_enforced(run) -> None:
    run("CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE)")
    run("INSERT INTO t VALUES (1, 1), (1, 1)")
    with pytest.raises(redshift_connector.ProgrammingError, match="null value"):
        run("INSERT INTO t (u) VALUES (1)")


def test_create_table_as_with_physical_clauses(run) -> None:
    run(
        "CREATE TABLE t BACKUP NO DISTSTYLE KEY DISTKEY (a) SORTKEY (a) AS SELECT DATEADD(day, 1, '2020-01-01') AS a"
    )
    run("ALTER TABLE t ADD COLUMN b VARCHAR(3) ENCODE zstd DEFAULT 'x'")
    run("ALTER TABLE t ALTER COLUMN b TYPE VARCHAR(30)")
    run("ALTER TABLE t ALTER DISTKEY a")
    assert run("SELECT b FROM t") == [["x"]]


def test_varchar_counts_bytes(run) -> None:
    run("CREATE TABLE t (a VARCHAR(4), b CHAR(3))")
    run("INSERT INTO t (a) VALUES ('caf')")
    with pytest.raises(redshift_connector.ProgrammingError, match="22001"):
        run("INSERT INTO t (a) VALUES ('café')")
    run("ALTER TABLE t ALTER COLUMN a TYPE VARCHAR(5)")
    run("INSERT INTO t (a) VALUES ('café')")
    assert run("SELECT COUNT(*) FROM t") == [[2]]


def test_temporary_table_by_its_hash(run) -> None:
    run("CREATE TABLE people (id INT)")
    run("CREATE TABLE #stage (LIKE people)")
    run("INSERT INTO #stage VALUES (1)")
    run("DELETE #stage WHERE id = 2")
    run("UPDATE #stage SET id = id + 1")
    assert run("SELECT id FROM #stage") == [[2]]
    run("CREATE TABLE #copy (LIKE #stage)")
    run("CREATE TABLE #more (at TIMESTAMP DEFAULT SYSDATE, id INT)")
    run("DROP TABLE #stage")


def test_merge(run) -> None:
    run("CREATE TABLE t (id INT, name VARCHAR(9))")
    run("CREATE TABLE s (id INT, name VARCHAR(9))")
    run("INSERT INTO t VALUES (1, 'old')")
    run("INSERT INTO s VALUES (1, 'new'), (2, 'two')")
    run(
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.name)"
    )
    assert run("SELECT id, name FROM t ORDER BY id") == [[1, "new"], [2, "two"]]


def test_truncate_commits(redshift) -> None:
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE t (id INT)")
    redshift.commit()
    cursor.execute("INSERT INTO t VALUES (1)")
    cursor.execute("CREATE TABLE kept (id INT)")
    cursor.execute("TRUNCATE t")
    redshift.rollback()
    cursor.execute("SELECT (SELECT COUNT(*) FROM t), (SELECT COUNT(*) FROM kept)")
    assert list(cursor.fetchone()) == [0, 0]


class TestLateBindingView:
    VIEW = "CREATE OR REPLACE VIEW public.late AS SELECT id, name FROM public.base WITH NO SCHEMA BINDING"

    def test_outlives_its_table(self, run) -> None:
        run("CREATE TABLE base (id INT, name VARCHAR(9))")
        run("INSERT INTO base VALUES (1, 'a')")
        run(self.VIEW)
        run("CREATE VIEW public.above AS SELECT name FROM public.late WITH NO SCHEMA BINDING")
        assert run("SELECT * FROM public.above") == [["a"]]
        run("DROP TABLE base")
        with pytest.raises(redshift_connector.ProgrammingError, match="base"):
            run("SELECT  * FROM public.above")
        run("CREATE TABLE base (name VARCHAR(30), id BIGINT)")
        run("INSERT INTO base VALUES ('again', 2)")
        assert run("SELECT * FROM public.above") == [["again"]]
        assert run("SELECT * FROM public.late") == [[2, "again"]]

    def test_may_be_there_before_its_table(self, run) -> None:
        run(self.VIEW)
        run("CREATE TABLE base (id INT, name VARCHAR(9))")
        assert run("SELECT * FROM public.late") == []

    def test_changes_its_columns(self, run) -> None:
        run("CREATE TABLE base (id INT, name VARCHAR(9))")
        run(self.VIEW)
        run(self.VIEW.replace("id, name", "name"))
        run("INSERT INTO base VALUES (1, 'a')")
        assert run("SELECT * FROM public.late") == [["a"]]

    def test_is_dropped_for_good(self, run) -> None:
        run(self.VIEW)
        run("DROP VIEW public.late")
        run("CREATE TABLE base (id INT, name VARCHAR(9))")
        with pytest.raises(redshift_connector.ProgrammingError, match="late"):
            run("SELECT * FROM public.late")

    def test_is_renamed_as_dbt_does_it(self, run) -> None:
        """A view beside the old one, the old one out of the way, the new one in its place, the old one dropped."""
        run("CREATE TABLE base (id INT, name VARCHAR(9))")
        run("INSERT INTO base VALUES (1, 'a')")
        run("CREATE VIEW public.above AS SELECT * FROM public.late WITH NO SCHEMA BINDING")
        ((database,),) = run("SELECT current_database()")
        whole = f'"{database}"."public".'
        for columns in ("id", "name"):
            query = f'SELECT {columns} FROM {whole}"base"'
            run(f'CREATE VIEW {whole}"late__dbt_tmp" AS ({query}) WITH NO SCHEMA BINDING')
            if columns == "name":
                run(f'ALTER TABLE {whole}"late" RENAME TO "late__dbt_backup"')
            run(f'ALTER TABLE {whole}"late__dbt_tmp" RENAME TO "late"')
            run(f'DROP VIEW IF EXISTS {whole}"late__dbt_backup" CASCADE')
        assert run("SELECT * FROM public.late") == run("SELECT * FROM public.above") == [["a"]]
        run("DROP TABLE base")
        run("CREATE TABLE base (name VARCHAR(30))")
        assert run("SELECT * FROM public.late") == []
        run("CREATE TABLE other (id INT)")
        with pytest.raises(redshift_connector.ProgrammingError, match="already exists"):
            run("ALTER TABLE public.late RENAME TO other")
        with pytest.raises(redshift_connector.ProgrammingError, match="late__dbt_backup"):
            run("SELECT * FROM public.late__dbt_backup")

    def test_an_ordinary_view_holds_its_table(self, run) -> None:
        run("CREATE TABLE base (id INT)")
        run("CREATE VIEW public.bound AS SELECT id FROM public.base")
        with pytest.raises(redshift_connector.ProgrammingError, match="depend"):
            run("DROP TABLE base")
        run("DROP TABLE base CASCADE")


def test_script_is_split_outside_of_quotes() -> None:
    assert statements("SELECT ';' ; ; SELECT $$;$$ -- ;\n;") == ["SELECT ';'", "SELECT $$;$$ -- ;"]


@pytest.mark.parametrize("sql", ["SELECT 'open", "SELECT /* open"])
def test_open_quotes_are_syntax_errors(sql: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        rewrite(sql, NoTables())
    assert refused.value.sqlstate == "42601"


def test_copy_is_read() -> None:
    copy = parse_copy(
        f"copy Public.T (a, \"Order\") from 's3://b/p' {ROLE} format as csv delimiter as '\\t' ignoreheader as 1 "
        "null as 'NULL' emptyasnull maxerror 5 dateformat 'auto' gzip region 'us-east-1' compupdate off statupdate on;"
    )
    assert copy is not None
    assert (copy.table, copy.columns, copy.format, copy.delimiter) == (
        "public.t",
        ("a", '"order"'),
        "csv",
        "\t",
    )
    assert (copy.ignore_header, copy.null_as, copy.max_error, copy.gzip) == (1, "NULL", 5, True)


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ("FORMAT JSON", "auto"),
        ("JSON 'auto ignorecase'", "auto ignorecase"),
        ("FORMAT AS JSON 's3://b/paths'", "s3://b/paths"),
    ],
)
def test_copy_of_json(options: str, paths: str) -> None:
    copy = parse_copy(f"COPY t FROM 's3://b/p' {ROLE} {options} MANIFEST")
    assert copy is not None
    assert (copy.format, copy.json_paths, copy.manifest) == ("json", paths, True)


@pytest.mark.parametrize(
    "role",
    [
        "default",
        "'default'",
        "'arn:aws-us-gov:iam::123456789012:role/service/a'",
        "'arn:aws:iam::123456789012:role/a,arn:aws:iam::210987654321:role/b'",
    ],
)
def test_roles(role: str) -> None:
    copy = parse_copy(f"COPY t FROM 's3://b/p' IAM_ROLE {role} PARQUET")
    assert copy is not None
    assert copy.iam_role == role.strip("'")


@pytest.mark.parametrize("quoted", ["'SELECT ''x'' AS a'", "$$SELECT 'x' AS a$$", "'SELECT \\'x\\' AS a'"])
def test_unload_unquotes_its_query(quoted: str) -> None:
    unload = parse_unload(
        f"UNLOAD ({quoted}) TO 's3://b/p/' IAM_ROLE default FORMAT AS PARQUET MANIFEST VERBOSE PARALLEL OFF "
        "MAXFILESIZE 10 MB PARTITION BY (shard, Lane) INCLUDE CLEANPATH"
    )
    assert unload is not None
    assert unload.query == "SELECT 'x' AS a"
    assert (unload.iam_role, unload.format, unload.parallel) == ("default", "parquet", False)
    assert (unload.manifest, unload.manifest_verbose, unload.max_file_size) == (True, True, 10 << 20)
    assert (unload.partition_by, unload.partition_include, unload.clean_path) == (
        ("shard", "lane"),
        True,
        True,
    )


@pytest.mark.parametrize("sql", ["SELECT 1", "INSERT INTO copy VALUES (1)"])
def test_other_statements_are_neither(sql: str) -> None:
    assert parse_copy(sql) is None
    assert parse_unload(sql) is None


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("INSERT INTO a.b VALUES (1)", "a.b"),
        ("UPDATE t SET a = 1", "t"),
        ('DELETE FROM "T" USING u', "t"),
        ("DELETE t", "t"),
        ("SELECT 1", None),
    ],
)
def test_written_table_is_named(sql: str, table: str | None) -> None:
    assert rewrite(sql, NoTables()).writes == table


def test_relations_are_those_after_from() -> None:
    sql = (
        "SELECT a.x, b.y, EXTRACT(year FROM a.z) FROM s.t a, s.u AS b JOIN v.w ON f(a.x, b.y) WHERE a.x IN (1, c.d) "
        "AND EXISTS (SELECT 1, e.f FROM g.h) ORDER BY a.x, b.y"
    )
    assert [name for name in relations(meaning(sql)) if name != "a.z"] == ["s.t", "s.u", "v.w", "g.h"]


def test_an_object_is_unpivoted_into_its_names_and_values(run, people):
    rows = run(
        "SELECT p.id, k, JSON_SERIALIZE(v) FROM people AS p, UNPIVOT p.extra AS v AT k "
        "WHERE k NOT IN ('t') ORDER BY p.id, k"
    )
    assert rows == [[1, "k", '"ad"'], [1, "n", "5"], [3, "k", "null"]]
    inner = run(
        "SELECT LISTAGG(k, ',') WITHIN GROUP (ORDER BY k) FROM people AS p, UNPIVOT p.extra AS v AT k GROUP BY p.id "
        "ORDER BY p.id"
    )
    assert inner == [["k,n,t"], ["k"]]
    assert run("SELECT k FROM people AS p, UNPIVOT p.extra.t AS v AT k") == []
