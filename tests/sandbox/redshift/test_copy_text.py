"""COPY of CSV, delimited and JSON files, and what STL_LOAD_ERRORS says of bad records."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest
from redshift_connector import ProgrammingError

CSV = 'id,name,spent,seen\n1,"Ada, \'the\' ""first""",10.50,2024-01-31 10:00:00\n2,,,\n3,"two\nlines",1,2024-02-29\n'


@pytest.fixture
def cursor(redshift):
    redshift.autocommit = True
    cursor = redshift.cursor()
    cursor.execute(
        "CREATE TABLE people (id INTEGER NOT NULL, name VARCHAR(20), spent DECIMAL(8, 2), seen TIMESTAMP)"
    )
    return cursor


@pytest.fixture
def copy(cursor, s3):
    def run(options: str, table: str = "people", key: str = "in/") -> None:
        cursor.execute(f"COPY {table} FROM 's3://{s3.bucket}/{key}' IAM_ROLE '{s3.role}' {options}")

    return run


def put(s3, key: str, content: str | bytes) -> None:
    body = content.encode() if isinstance(content, str) else content
    s3.client.put_object(Bucket=s3.bucket, Key=key, Body=body)


def rows(cursor, columns: str = "id, name, spent, seen::date::varchar") -> list[list]:
    cursor.execute(f"SELECT {columns} FROM people ORDER BY 1")
    return list(cursor.fetchall())


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_csv(cursor, copy, s3, packed):
    put(s3, "in/a.csv", gzip.compress(CSV.encode()) if packed else CSV)
    copy("CSV IGNOREHEADER 1" + (" GZIP" if packed else ""))
    assert rows(cursor) == [
        [1, "Ada, 'the' \"first\"", Decimal("10.50"), "2024-01-31"],
        [2, "", None, None],
        [3, "two\nlines", Decimal("1.00"), "2024-02-29"],
    ]
    cursor.execute("SELECT pg_last_copy_count()")
    assert cursor.fetchone() == [3]


def test_delimited_text_with_nulls_and_a_column_list(cursor, copy, s3):
    put(s3, "in/a.txt", "Ada|1\n\\N|2\nx|3\n")
    copy("", table="people (name, id)")
    put(s3, "tabs/a.txt", "4\t none \tnil\t\n5\t\tnil\t2024-01-01\n")
    copy("DELIMITER '\\t' NULL AS 'nil' EMPTYASNULL TRIMBLANKS", key="tabs/")
    assert rows(cursor, "id, name") == [[1, "Ada"], [2, None], [3, "x"], [4, " none"], [5, None]]


def test_json_by_name(cursor, copy, s3):
    put(
        s3,
        "in/a.json",
        '{"id": 1, "name": "Ada", "other": [1]}\n{"name": {"first": "Bo"}, "id": 2, "spent": 12.30}',
    )
    copy("JSON 'auto'")
    assert rows(cursor, "id, name, spent") == [
        [1, "Ada", None],
        [2, '{"first":"Bo"}', Decimal("12.30")],
    ]


def test_json_by_paths_from_a_manifest_into_super(cursor, copy, s3):
    cursor.execute("CREATE TABLE docs (id BIGINT, first VARCHAR(10), doc SUPER)")
    put(s3, "paths.json", json.dumps({"jsonpaths": ["$.id", "$['names'][0]", "$.doc"]}))
    put(s3, "data/one", '{"id": 9007199254740993, "names": ["Ada", "B"], "doc": {"n": 1.50, "t": "x y"}}')
    entry = {"url": f"s3://{s3.bucket}/data/one", "mandatory": True}
    put(s3, "in/manifest", json.dumps({"entries": [entry]}))
    copy(f"JSON 's3://{s3.bucket}/paths.json' MANIFEST", table="docs", key="in/manifest")
    cursor.execute("SELECT id, first, doc FROM docs")
    assert cursor.fetchall() == ([9007199254740993, "Ada", '{"n":1.50,"t":"x y"}'],)


BAD = (
    "1,good,1.5,\nx,bad id,1,\n3,a name that is far too long,1,\n"
    "4,extra,1,,5\n,no id,1,\n6,good,2,not a date\n7,ok,1,\n"
)


def test_maxerror_loads_the_good_records_and_explains_the_others(cursor, copy, s3):
    put(s3, "in/a.csv", BAD)
    copy("CSV MAXERROR 5")
    assert rows(cursor, "id") == [[1], [7]]
    cursor.execute(
        "SELECT line_number, TRIM(colname), err_code, TRIM(err_reason), TRIM(raw_field_value), TRIM(filename) "
        "FROM stl_load_errors ORDER BY line_number"
    )
    found = cursor.fetchall()
    assert [row[:3] for row in found] == [
        [2, "id", 1207], [3, "name", 1204], [4, "", 1202], [5, "id", 1213], [6, "seen", 1206],
    ]  # fmt: skip
    assert found[1][3:] == [
        "String length exceeds DDL length", "a name that is far too long", f"s3://{s3.bucket}/in/a.csv",
    ]  # fmt: skip


def test_one_error_too_many_loads_nothing(cursor, copy, s3):
    put(s3, "in/a.csv", BAD)
    with pytest.raises(ProgrammingError) as caught:
        copy("CSV MAXERROR 4")
    assert "stl_load_errors" in caught.value.args[0]["M"]
    assert caught.value.args[0]["C"] == "XX000"
    assert rows(cursor) == []


def test_load_errors_survive_the_rollback(redshift, cursor, copy, s3):
    put(s3, "in/a.csv", "x,name,1,\n")
    redshift.autocommit = False
    with pytest.raises(ProgrammingError):
        copy("CSV")
    with pytest.raises(ProgrammingError) as caught:
        cursor.execute("SELECT 1")
    assert caught.value.args[0]["C"] == "25P02"
    redshift.rollback()
    cursor.execute("SELECT file_name, line_number, TRIM(column_name), error_code FROM sys_load_error_detail")
    assert cursor.fetchall() == ([f"s3://{s3.bucket}/in/a.csv", 1, "id", 1207],)


@pytest.mark.parametrize(
    ("options", "content", "reason"),
    [
        ("CSV DATEFORMAT 'MM/DD/YYYY'", "1,a,1,\n", "DATEFORMAT"),
        ("CSV GZIP", "1,a,1,\n", "gzip"),
        ("CSV", b"1,\xff,1,\n", "UTF8"),
        ("ESCAPE", "1|a|1|\n", "ESCAPE"),
        ("JSON 'auto' CREDENTIALS 'aws_access_key_id=x'", "{}", "IAM_ROLE"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(cursor, copy, s3, options, content, reason):
    put(s3, "in/a", content)
    with pytest.raises(ProgrammingError) as caught:
        copy(options)
    assert reason in caught.value.args[0]["M"]
    assert rows(cursor) == []


def test_a_failed_copy_leaves_the_session_usable_for_the_next(cursor, copy, s3):
    put(s3, "in/a.csv", "x,name,1,\n")
    for _ in range(2):
        with pytest.raises(ProgrammingError):
            copy("CSV")
    put(s3, "in/a.csv", "1,name,1,\n")
    copy("CSV")
    copy("CSV")
    assert rows(cursor, "id") == [[1], [1]]
