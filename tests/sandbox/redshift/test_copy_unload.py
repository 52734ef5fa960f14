"""COPY and UNLOAD of Parquet, through the driver, against S3 of the test."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from airflow_provider_cio.sandbox.redshift.s3io import S3, S3Error

ROOT = "s3://cio-sandbox"
ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/redshift-copy-unload'"


@pytest.fixture
def cursor(redshift) -> redshift_connector.Cursor:
    redshift.autocommit = True
    return redshift.cursor()


def put(s3: Any, key: str, table: pa.Table) -> int:
    """Upload a file; its size in bytes."""
    body = io.BytesIO()
    pq.write_table(table, body)
    s3.client.put_object(Bucket=s3.bucket, Key=key, Body=body.getvalue())
    return body.tell()


def got(s3: Any, key: str) -> pa.Table:
    content = s3.client.get_object(Bucket=s3.bucket, Key=key)["Body"].read()
    return pq.read_table(io.BytesIO(content), partitioning=None)


def rows(cursor: redshift_connector.Cursor, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


def refused(cursor: redshift_connector.Cursor, sql: str) -> dict[str, str]:
    with pytest.raises(redshift_connector.ProgrammingError) as caught:
        cursor.execute(sql)
    return caught.value.args[0]


PEOPLE = pa.table({"whatever": [1, 2], "the name": ["a", None]})


def test_copy_maps_by_position_and_counts(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (n BIGINT, s VARCHAR(20))")
    put(s3, "in/one.parquet", PEOPLE)
    put(s3, "in/two.parquet", PEOPLE)
    cursor.execute(f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT AS PARQUET")
    assert rows(cursor, "SELECT n, s, COUNT(*) FROM t GROUP BY 1, 2 ORDER BY 1") == [
        (1, "a", 2),
        (2, None, 2),
    ]
    assert rows(cursor, "SELECT pg_last_copy_count()") == [(4,)]


def test_copy_into_named_columns_in_another_order(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (s VARCHAR(20), skipped INT DEFAULT 7, n BIGINT)")
    put(s3, "in/one.parquet", PEOPLE)
    cursor.execute(f"COPY t (n, s) FROM '{ROOT}/in/' IAM_ROLE default PARQUET")
    assert rows(cursor, "SELECT n, skipped, s FROM t ORDER BY n") == [(1, 7, "a"), (2, 7, None)]


def test_copy_leaves_identity_to_the_table(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (id BIGINT IDENTITY(1, 1), n BIGINT, s VARCHAR(20))")
    put(s3, "in/one.parquet", PEOPLE)
    cursor.execute(f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")
    assert rows(cursor, "SELECT id, n FROM t ORDER BY n") == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("table", "options", "named"),
    [
        ("n BIGINT", "FORMAT PARQUET", "Unmatched number of columns between table and file"),
        ("n BIGINT, s VARCHAR(9)", "FORMAT PARQUET MAXERROR 5", "MAXERROR"),
        ("n BIGINT, s VARCHAR(9)", "FORMAT PARQUET GZIP", "GZIP"),
        ("n BIGINT, s VARCHAR(9) NOT NULL", "FORMAT PARQUET", "null value in column"),
    ],
)
def test_copy_refuses(cursor, s3, table: str, options: str, named: str) -> None:
    cursor.execute(f"CREATE TABLE t ({table})")
    put(s3, "in/one.parquet", PEOPLE)
    assert named in refused(cursor, f"COPY t FROM '{ROOT}/in/' {ROLE} {options}")["M"]
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(0,)]


def test_copy_of_a_text_that_is_too_long(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (n BIGINT, s VARCHAR(3))")
    put(s3, "in/one.parquet", pa.table({"n": [1], "s": ["žž"]}))
    error = refused(cursor, f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")
    assert error["C"] == "XX000"
    assert "Spectrum Scan Error" in error["M"]
    assert "žž" not in json.dumps(error, ensure_ascii=False)


def test_copy_of_a_missing_prefix_and_of_a_missing_column(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (n BIGINT)")
    missing = refused(cursor, f"COPY t FROM '{ROOT}/nowhere/' {ROLE} FORMAT PARQUET")
    assert missing["M"] == f"The specified S3 prefix '{ROOT}/nowhere/' does not exist"
    assert "NoSuchBucket" in refused(cursor, f"COPY t FROM 's3://no-bucket/x' {ROLE} FORMAT PARQUET")["M"]
    put(s3, "in/one.parquet", PEOPLE)
    assert refused(cursor, f"COPY t (n, nothing) FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")["C"] == "42703"


def test_copy_of_a_file_that_is_no_parquet_leaves_the_session(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (n BIGINT)")
    s3.client.put_object(Bucket=s3.bucket, Key="in/bad", Body=b"n\n1\n")
    error = refused(cursor, f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")
    assert f"{ROOT}/in/bad" in error["M"]
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(0,)]


def test_copy_by_manifest(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (n BIGINT, s VARCHAR(20))")
    size = put(s3, "in/one.parquet", PEOPLE)
    put(s3, "in/not-named.parquet", PEOPLE)

    def write(*entries: dict[str, Any]) -> None:
        body = json.dumps({"entries": entries}).encode()
        s3.client.put_object(Bucket=s3.bucket, Key="m.json", Body=body)

    copy = f"COPY t FROM '{ROOT}/m.json' {ROLE} FORMAT PARQUET MANIFEST"
    one = {"url": f"{ROOT}/in/one.parquet", "mandatory": True, "meta": {"content_length": size}}
    write(one, one | {"url": f"{ROOT}/in/gone.parquet", "mandatory": False})
    cursor.execute(copy)
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(2,)]
    write(one | {"meta": {}})
    assert "content_length" in refused(cursor, copy)["M"]
    write(one | {"url": f"{ROOT}/in/gone.parquet"})
    assert "mandatory" in refused(cursor, copy)["M"]
    s3.client.put_object(Bucket=s3.bucket, Key="m.json", Body=b"not json")
    assert f"{ROOT}/m.json" in refused(cursor, copy)["M"]
    s3.client.put_object(Bucket=s3.bucket, Key="m.json", Body=b'{"entries": [{}]}')
    assert f"{ROOT}/m.json" in refused(cursor, copy)["M"]
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(2,)]


def test_copy_belongs_to_the_transaction(redshift, s3) -> None:
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE t (n BIGINT, s VARCHAR(20))")
    redshift.commit()
    put(s3, "in/one.parquet", PEOPLE)
    cursor.execute("INSERT INTO t VALUES (9, 'x')")
    cursor.execute(f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(3,)]
    redshift.rollback()
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(0,)]
    redshift.rollback()
    cursor.execute(f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET")
    redshift.commit()
    redshift.rollback()
    assert rows(cursor, "SELECT COUNT(*) FROM t") == [(2,)]


COLUMNS = (
    "i2 SMALLINT, i4 INT, i8 BIGINT, d DECIMAL(38, 10), f4 REAL, f8 FLOAT8, b BOOLEAN, c CHAR(3), v VARCHAR(200), "
    "dd DATE, ts TIMESTAMP, tz TIMESTAMPTZ, doc SUPER"
)
ROWS = [
    (
        -32768,
        2**31 - 1,
        2**63 - 1,
        Decimal("1234567890123456789012345678.0123456789"),
        1.5,
        0.1,
        True,
        "abc",
        'line\none\r\n"quoted", \\. \t ž 😀 $1',
        dt.date(1999, 12, 31),
        dt.datetime(2026, 1, 1, 0, 0, 0, 1),
        dt.datetime(2026, 1, 1, 0, 0, 0, 999999, tzinfo=dt.UTC),
        '{"a":[1,"x\\ny",null],"b":"ž"}',
    ),
    (0, 0, 0, Decimal("0E-10"), float("inf"), -1e308, False, "   ", "", dt.date(1, 1, 1), None, None, '""'),
    (None,) * 13,
]


def test_every_type_survives_unload_and_copy(cursor, s3) -> None:
    cursor.execute(f"CREATE TABLE a ({COLUMNS})")
    cursor.execute(f"CREATE TABLE b ({COLUMNS})")
    marks = ", ".join(["%s"] * 12)
    for row in ROWS:
        cursor.execute(f"INSERT INTO a SELECT {marks}, JSON_PARSE(%s)", row)
    cursor.execute(f"UNLOAD ('SELECT * FROM a') TO '{ROOT}/out/a_' {ROLE} FORMAT AS PARQUET")
    assert rows(cursor, "SELECT pg_last_unload_count()") == [(3,)]
    schema = got(s3, "out/a_0000_part_00.parquet").schema
    assert [str(field.type) for field in schema] == [
        "int16",
        "int32",
        "int64",
        "decimal128(38, 10)",
        "float",
        "double",
        "bool",
        "string",
        "string",
        "date32[day]",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
        "string",
    ]
    cursor.execute(f"COPY b FROM '{ROOT}/out/a_' {ROLE} FORMAT AS PARQUET")
    expected = rows(cursor, "SELECT * FROM a ORDER BY i4")
    assert rows(cursor, "SELECT * FROM b ORDER BY i4") == expected
    assert expected[0][:3] == (0, 0, 0)
    assert expected[0][8] == ""
    assert expected[1][3:13] == ROWS[0][3:13]
    assert expected[2] == (None,) * 13


def test_one_column_of_nulls_and_a_query_without_rows(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (s VARCHAR(5))")
    cursor.execute("INSERT INTO t VALUES (NULL), (''), ('x'), (NULL)")
    cursor.execute(f"UNLOAD ('SELECT s FROM t') TO '{ROOT}/out/t_' {ROLE} FORMAT PARQUET")
    cursor.execute("CREATE TABLE u (s VARCHAR(5))")
    cursor.execute(f"COPY u FROM '{ROOT}/out/t_' {ROLE} FORMAT PARQUET")
    assert rows(cursor, "SELECT s, COUNT(*) FROM u GROUP BY s ORDER BY s NULLS LAST") == [
        ("", 1),
        ("x", 1),
        (None, 2),
    ]
    cursor.execute(
        f"UNLOAD ('SELECT s FROM t WHERE 1 = 0') TO '{ROOT}/none/t_' {ROLE} FORMAT PARQUET MANIFEST"
    )
    assert rows(cursor, "SELECT pg_last_unload_count()") == [(0,)]
    assert s3.keys("none/") == ["none/t_manifest"]


def test_nested_parquet_becomes_super(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t (doc SUPER)")
    put(s3, "in/one.parquet", pa.table({"doc": [{"a": 1, "b": ["x"]}, None]}))
    cursor.execute(f"COPY t FROM '{ROOT}/in/' {ROLE} FORMAT PARQUET SERIALIZETOJSON")
    assert rows(cursor, "SELECT doc.a, doc.b[0] FROM t ORDER BY 1 NULLS LAST") == [("1", '"x"'), (None, None)]


def test_decimals_without_a_scale(cursor, s3) -> None:
    query = "SELECT SUM(n) AS total FROM (SELECT 1.25::DECIMAL(10, 2) AS n UNION ALL SELECT 2)"
    cursor.execute(f"UNLOAD ('{query}') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET PARALLEL OFF")
    assert got(s3, "out/000.parquet").column("total").to_pylist() == [Decimal("3.25")]


def test_unload_needs_an_empty_place(cursor, s3) -> None:
    unload = f"UNLOAD ('SELECT 1 AS n') TO '{ROOT}/out/x_' {ROLE} FORMAT PARQUET"
    s3.client.put_object(Bucket=s3.bucket, Key="out/x_old", Body=b"old")
    assert "destination on S3 is not empty" in refused(cursor, unload)["M"]
    assert s3.keys() == ["out/x_old"]
    cursor.execute(f"{unload} ALLOWOVERWRITE")
    assert s3.keys() == ["out/x_0000_part_00.parquet", "out/x_old"]
    cursor.execute(f"{unload} CLEANPATH PARALLEL OFF")
    assert s3.keys() == ["out/x_000.parquet"]


def test_parallel_unload_deals_the_rows_out(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t AS SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3")
    cursor.execute(f"UNLOAD ('SELECT n FROM t') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET")
    keys = s3.keys()
    assert keys == ["out/0000_part_00.parquet", "out/0001_part_00.parquet"]
    assert sorted(n for key in keys for n in got(s3, key)["n"].to_pylist()) == [1, 2, 3]
    cursor.execute(f"UNLOAD ('SELECT n FROM t ORDER BY n DESC') TO '{ROOT}/off/' {ROLE} PARQUET PARALLEL OFF")
    assert got(s3, "off/000.parquet")["n"].to_pylist() == [3, 2, 1]


def test_max_file_size_splits(cursor, s3) -> None:
    cursor.execute(
        f"UNLOAD ('SELECT REPEAT(''x'', 60000) AS s, a.i AS n FROM (SELECT ROW_NUMBER() OVER () AS i FROM pg_class "
        f"LIMIT 200) a') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET PARALLEL OFF MAXFILESIZE 5 MB"
    )
    keys = s3.keys()
    assert keys == ["out/000.parquet", "out/001.parquet", "out/002.parquet"]
    assert sum(got(s3, key).num_rows for key in keys) == 200


@pytest.mark.parametrize(("include", "kept"), [("", ["n"]), (" INCLUDE", ["n", "day", "kind"])])
def test_partitions(cursor, s3, include: str, kept: list[str]) -> None:
    cursor.execute("CREATE TABLE t (n INT, day DATE, kind VARCHAR(9))")
    cursor.execute(
        "INSERT INTO t VALUES (1, '2026-01-01', 'a'), (2, '2026-01-01', NULL), (3, '2026-01-02', 'a')"
    )
    cursor.execute(
        f"UNLOAD ('SELECT * FROM t') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET PARTITION BY (day, kind){include} MANIFEST"
    )
    folders = {
        key.removeprefix("out/").rpartition("/")[0]: got(s3, key)
        for key in s3.keys("out/day=")
        if "manifest" not in key
    }
    assert {folder: table["n"].to_pylist() for folder, table in folders.items()} == {
        "day=2026-01-01/kind=a": [1],
        "day=2026-01-01/kind=__HIVE_DEFAULT_PARTITION__": [2],
        "day=2026-01-02/kind=a": [3],
    }
    assert {tuple(table.column_names) for table in folders.values()} == {tuple(kept)}


def test_partition_columns_must_be_there_and_leave_something(cursor, s3) -> None:
    unload = f"UNLOAD ('SELECT 1 AS n') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET PARTITION BY"
    assert refused(cursor, f"{unload} (nothing)")["C"] == "42703"
    assert "INCLUDE" in refused(cursor, f"{unload} (n)")["M"]
    assert s3.keys() == []


def test_verbose_manifest_counts_and_can_be_copied(cursor, s3) -> None:
    cursor.execute("CREATE TABLE t AS SELECT 1 AS n, 'a'::VARCHAR(3) AS s UNION ALL SELECT 2, 'b'")
    cursor.execute(f"UNLOAD ('SELECT * FROM t') TO '{ROOT}/out/t_' {ROLE} FORMAT PARQUET MANIFEST VERBOSE")
    manifest = json.loads(s3.client.get_object(Bucket=s3.bucket, Key="out/t_manifest")["Body"].read())
    assert manifest["meta"]["record_count"] == 2
    assert [entry["meta"]["record_count"] for entry in manifest["entries"]] == [1, 1]
    for entry in manifest["entries"]:
        key = entry["url"].removeprefix(f"{ROOT}/")
        size = s3.client.head_object(Bucket=s3.bucket, Key=key)["ContentLength"]
        assert entry["meta"]["content_length"] == size
    assert [element["name"] for element in manifest["schema"]["elements"]] == ["n", "s"]
    cursor.execute("CREATE TABLE u (n INT, s VARCHAR(3))")
    cursor.execute(f"COPY u FROM '{ROOT}/out/t_manifest' {ROLE} MANIFEST PARQUET")
    assert rows(cursor, "SELECT * FROM u ORDER BY n") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("query", "options", "named"),
    [
        ("SELECT 1 AS n, 2 AS n", "FORMAT PARQUET", "names of their own"),
        ("SELECT nothing", "FORMAT PARQUET", "nothing"),
        ("DELETE FROM t", "FORMAT PARQUET", "syntax error"),
    ],
)
def test_unload_refuses(cursor, s3, query: str, options: str, named: str) -> None:
    assert named in refused(cursor, f"UNLOAD ('{query}') TO '{ROOT}/out/' {ROLE} {options}")["M"]
    assert s3.keys() == []


def test_unload_reads_its_own_transaction(redshift, s3) -> None:
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE t (n INT)")
    cursor.execute("INSERT INTO t VALUES (1)")
    cursor.execute(f"UNLOAD ('SELECT n FROM t') TO '{ROOT}/out/' {ROLE} FORMAT PARQUET PARALLEL OFF")
    assert got(s3, "out/000.parquet")["n"].to_pylist() == [1]


def test_without_an_endpoint_nothing_is_sent_anywhere(monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    nowhere = S3(None)
    for call in (nowhere.listing, nowhere.read, nowhere.delete):
        with pytest.raises(S3Error, match="s3_endpoint"):
            call("s3://bucket/key")
    with pytest.raises(S3Error, match="s3_endpoint"):
        nowhere.write("s3://bucket/key", b"")


def test_statistics_are_there_after_copy_ctas_and_analyze(cursor, s3):
    """As Redshift collects them by itself: a plan over a table just made knows how many rows it has."""

    def estimated(table: str) -> int:
        return rows(cursor, f"SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE relname = '{table}'")[0][0]

    put(s3, "numbers.parquet", pa.table({"id": pa.array(range(500), pa.int32())}))
    cursor.execute("CREATE TABLE loaded (id INTEGER)")
    cursor.execute(f"COPY loaded FROM '{ROOT}/numbers.parquet' {ROLE} FORMAT AS PARQUET")
    cursor.execute("CREATE TABLE made DISTKEY(id) AS SELECT id FROM loaded")
    assert (estimated("loaded"), estimated("made")) == (500, 500)
    cursor.execute("DELETE FROM made WHERE id >= 100")
    cursor.execute("ANALYZE made")
    assert estimated("made") == 100
