"""What Redshift refuses, and what the local Redshift does not know, is refused by name."""

from __future__ import annotations

import pytest
import redshift_connector

from airflow_provider_cio.sandbox.redshift.rewrite import SqlRefused, rewrite

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/r'"


class NoTables:
    def columns(self, relation: str) -> list[tuple[str, str]] | None:
        return None


REFUSED = [
    ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT"),
    ("SELECT STRING_AGG(a, ',') FROM t", "LISTAGG"),
    ("CREATE TABLE t (a JSONB)", "JSONB"),
    ("CREATE TABLE t (a HLLSKETCH)", "hllsketch"),
    ("CREATE TABLE t (a VARCHAR(65536))", "65535"),
    ("CREATE TABLE t (a DECIMAL(39))", "38"),
    ("CREATE TABLE t (a VARCHAR(3) COLLATE CASE_INSENSITIVE)", "COLLATE"),
    ("CREATE PROCEDURE p() AS $$ BEGIN END $$ LANGUAGE plpgsql", "PROCEDURE"),
    ("CREATE EXTERNAL SCHEMA s FROM DATA CATALOG", "EXTERNAL"),
    ("CREATE MODEL m FROM t", "MODEL"),
    ("CALL p()", "CALL"),
    ("SELECT LISTAGG(a) OVER (PARTITION BY b) FROM t", "window"),
    ("MERGE INTO t USING s ON t.a = s.a REMOVE DUPLICATES", "REMOVE DUPLICATES"),
    ("CREATE TABLE t (a INT IDENTITY)", "form of CREATE"),
    ("CREATE TABLE t (a VARCHAR(x))", "form of CREATE"),
    ("INSERT", "form of INSERT"),
    ("CREATE VIEW v", "form of CREATE"),
    ("COPY t (", "never closed"),
    ("DO $$ BEGIN END $$", "DO"),
    (f"COPY t FROM 's3://b/p' {ROLE} FORMAT AS AVRO 'auto'", "AVRO"),
    (f"COPY t FROM 's3://b/p' {ROLE} BZIP2", "BZIP2"),
    (f"COPY t FROM 'dynamodb://t' {ROLE}", "S3"),
    ("COPY t FROM 's3://b/p' FORMAT PARQUET", "IAM_ROLE"),
    ("COPY t FROM 's3://b/p' IAM_ROLE 'nobody' FORMAT PARQUET", "nobody"),
    ("COPY t FROM 's3://b/p' IAM_ROLE 'arn:aws:iam::123:role/r' FORMAT PARQUET", "arn:aws:iam::<account>"),
    ("UNLOAD ('SELECT 1') TO 's3://b/p' IAM_ROLE 'arn:aws:iam::123456789012:user/u'", "ARN of a role"),
    ("COPY t FROM 's3://b/p' ACCESS_KEY_ID 'a' SECRET_ACCESS_KEY 'b'", "IAM_ROLE"),
    ("UNLOAD ('SELECT 1') TO 's3://b/p' CREDENTIALS 'aws_access_key_id=a'", "secret"),
    (f"UNLOAD ('SELECT 1') TO 's3://b/p' {ROLE} FIXEDWIDTH '1:2'", "FIXEDWIDTH"),
    (f"UNLOAD ('SELECT 1') TO 's3://b/p' {ROLE} CLEANPATH ALLOWOVERWRITE", "exclude"),
    (f"UNLOAD ('SELECT 1') TO 's3://b/p' {ROLE} FORMAT PARQUET HEADER", "HEADER"),
]


@pytest.mark.parametrize(("sql", "named"), REFUSED, ids=[sql[:50] for sql, _ in REFUSED])
def test_refused_with_a_name(sql: str, named: str) -> None:
    with pytest.raises(SqlRefused, match=named) as refused:
        rewrite(sql, NoTables())
    assert len(refused.value.sqlstate) == 5


def test_client_gets_the_message_and_can_go_on(redshift) -> None:
    redshift.autocommit = True
    cursor = redshift.cursor()
    with pytest.raises(redshift_connector.ProgrammingError, match="ON CONFLICT"):
        cursor.execute("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING")
    cursor.execute("SELECT 1")
    assert list(cursor.fetchone()) == [1]


def test_refusal_fails_the_open_transaction(redshift) -> None:
    cursor = redshift.cursor()
    cursor.execute("SELECT 1")
    with pytest.raises(redshift_connector.ProgrammingError, match="JSONB"):
        cursor.execute("CREATE TABLE t (a JSONB)")
    with pytest.raises(redshift_connector.ProgrammingError, match="aborted"):
        cursor.execute("SELECT 2")
    redshift.rollback()
    cursor.execute("SELECT 3")
    assert list(cursor.fetchone()) == [3]


def test_failed_create_leaves_the_session_usable(redshift) -> None:
    redshift.autocommit = True
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE t (a INT)")
    with pytest.raises(redshift_connector.ProgrammingError, match="already exists"):
        cursor.execute("CREATE TABLE t (a INT) DISTKEY (a)")
    cursor.execute("SELECT COUNT(*) FROM t")
    assert list(cursor.fetchone()) == [0]


def test_a_boolean_is_never_cast_to_text(redshift) -> None:
    cursor = redshift.cursor()
    cursor.execute("CREATE TABLE b (flag BOOLEAN)")
    cursor.execute("INSERT INTO b VALUES (TRUE)")
    with pytest.raises(redshift_connector.ProgrammingError, match="boolean to character varying"):
        cursor.execute("SELECT flag::VARCHAR FROM b")
