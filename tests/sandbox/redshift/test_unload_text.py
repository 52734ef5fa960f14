"""UNLOAD to CSV, delimited text and JSON, and COPY of what it wrote."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import redshift_connector

ROOT = "s3://cio-sandbox"
ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/redshift-copy-unload'"


@pytest.fixture
def cursor(redshift) -> redshift_connector.Cursor:
    redshift.autocommit = True
    cursor = redshift.cursor()
    cursor.execute(
        "CREATE TABLE t (n BIGINT, s VARCHAR(40), yes BOOLEAN, amount DECIMAL(8,2), at TIMESTAMP, more SUPER)"
    )
    cursor.execute(
        "INSERT INTO t SELECT 1, 'a \"b\", c|d', TRUE, 2.50, CAST('2026-01-02 03:04:05' AS TIMESTAMP), "
        "JSON_PARSE('{\"k\": [1, 2.50]}')"
    )
    cursor.execute("INSERT INTO t (n, s) VALUES (2, '')")
    return cursor


def unloaded(cursor: Any, s3: Any, options: str, query: str = "SELECT * FROM t ORDER BY n") -> bytes:
    cursor.execute(f"UNLOAD ('{query}') TO '{ROOT}/out/' {ROLE} PARALLEL OFF {options}")
    (key,) = s3.keys("out/")
    return s3.client.get_object(Bucket=s3.bucket, Key=key)["Body"].read()


def test_csv(cursor, s3) -> None:
    assert unloaded(cursor, s3, "FORMAT AS CSV HEADER NULL AS 'none'").decode().splitlines() == [
        "n,s,yes,amount,at,more",
        '1,"a ""b"", c|d",t,2.50,2026-01-02 03:04:05,"{""k"": [1, 2.50]}"',
        "2,,none,none,none,none",
    ]
    assert s3.keys("out/") == ["out/000"]


def test_json(cursor, s3) -> None:
    lines = unloaded(cursor, s3, "FORMAT AS JSON GZIP")
    first, second = (json.loads(line) for line in gzip.decompress(lines).splitlines())
    assert first == {
        "n": 1,
        "s": 'a "b", c|d',
        "yes": True,
        "amount": 2.5,
        "at": "2026-01-02 03:04:05",
        "more": {"k": [1, 2.5]},
    }
    assert second == {"n": 2, "s": "", "yes": None, "amount": None, "at": None, "more": None}
    assert s3.keys("out/") == ["out/000.gz"]


def test_delimited_text(cursor, s3) -> None:
    text = unloaded(cursor, s3, "DELIMITER AS '|' ESCAPE", "SELECT n, s FROM t ORDER BY n").decode()
    assert text == '1|a \\"b\\", c\\|d\n2|\n'


def test_copy_reads_what_unload_wrote(cursor, s3) -> None:
    cursor.execute(
        f"UNLOAD ('SELECT n, s, yes, amount, at FROM t') TO '{ROOT}/out/' {ROLE} FORMAT AS CSV MANIFEST"
    )
    cursor.execute("CREATE TABLE u (n BIGINT, s VARCHAR(40), yes BOOLEAN, amount DECIMAL(8,2), at TIMESTAMP)")
    cursor.execute(f"COPY u FROM '{ROOT}/out/manifest' {ROLE} FORMAT AS CSV MANIFEST")
    cursor.execute("SELECT COUNT(*) FROM u JOIN t ON t.n = u.n AND t.s = COALESCE(u.s, '')")
    assert cursor.fetchone() == [2]
    cursor.execute("SELECT amount, at FROM u WHERE yes")
    assert [str(value) for value in cursor.fetchone()] == ["2.50", "2026-01-02 03:04:05"]
