"""Faults of the local Redshift and S3: connections that break, conflicts, held locks, objects that cannot be had."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import redshift_connector
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from airflow_provider_cio.sandbox.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_cio.sandbox.redshift import LocalRedshift
    from airflow_provider_cio.sandbox.s3 import S3Server

ROLE = "arn:aws:iam::123456789012:role/redshift"


@pytest.fixture
def faults(local_redshift: LocalRedshift) -> Iterator[Faults]:
    yield local_redshift.faults
    local_redshift.faults.clear()


@pytest.fixture
def table(redshift_dsn: dict[str, Any]) -> str:
    run(redshift_dsn, "CREATE TABLE numbers (n INTEGER)", "INSERT INTO numbers VALUES (1), (2), (3)")
    return "numbers"


def run(dsn: dict[str, Any], *statements: str) -> list[Any]:
    """In one transaction; what the last one answers."""
    connection = redshift_connector.connect(**dsn)
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        rows = list(cursor.fetchall()) if statements[-1].startswith("SELECT") else []
        connection.commit()
        return rows
    finally:
        connection.close()


def count(dsn: dict[str, Any]) -> int:
    [[rows]] = run(dsn, "SELECT COUNT(*) FROM numbers")
    return int(rows)


def test_a_conflict_is_error_1023_and_ends_the_transaction(redshift_dsn, faults, table) -> None:
    faults.add(Fault("^insert", "conflict"))
    with pytest.raises(redshift_connector.Error, match="1023"):
        run(redshift_dsn, "INSERT INTO numbers VALUES (4)")
    assert count(redshift_dsn) == 3
    run(redshift_dsn, "INSERT INTO numbers VALUES (4)")
    assert count(redshift_dsn) == 4


@pytest.mark.parametrize(("kind", "rows"), [("lost_before", 3), ("lost_after", 4)])
def test_a_connection_that_is_lost_around_a_commit(redshift_dsn, faults, table, kind, rows) -> None:
    faults.add(Fault("^commit", kind))
    with pytest.raises(redshift_connector.Error):
        run(redshift_dsn, "INSERT INTO numbers VALUES (4)")
    assert count(redshift_dsn) == rows


def test_an_unload_that_breaks_leaves_files_and_no_manifest(redshift_dsn, faults, table, s3) -> None:
    unload = (
        f"UNLOAD ('SELECT n FROM numbers') TO 's3://{s3.bucket}/out/' IAM_ROLE '{ROLE}' "
        "FORMAT AS PARQUET PARTITION BY (n) INCLUDE MANIFEST"
    )
    faults.add(Fault("^unload", "lost_midway"))
    with pytest.raises(redshift_connector.Error):
        run(redshift_dsn, unload)
    assert len(s3.keys("out/")) == 1
    run(redshift_dsn, unload.replace("/out/", "/again/"))
    assert len(s3.keys("again/")) == 4


def test_a_copy_that_breaks_loads_nothing(redshift_dsn, faults, table, s3) -> None:
    target = f"'s3://{s3.bucket}/out/' IAM_ROLE '{ROLE}'"
    run(redshift_dsn, f"UNLOAD ('SELECT n FROM numbers') TO {target} FORMAT AS PARQUET")
    faults.add(Fault("^copy", "lost_midway"))
    copy = f"COPY numbers FROM {target} FORMAT AS PARQUET"
    with pytest.raises(redshift_connector.Error):
        run(redshift_dsn, copy)
    assert count(redshift_dsn) == 3
    run(redshift_dsn, copy)
    assert count(redshift_dsn) == 6


def test_whoever_writes_to_a_held_table_waits(redshift_dsn, local_redshift, table) -> None:
    done = threading.Event()

    def write() -> None:
        run(redshift_dsn, "INSERT INTO numbers VALUES (4)")
        done.set()

    writer = threading.Thread(target=write)
    with local_redshift.held("numbers", redshift_dsn["database"]):
        writer.start()
        assert not done.wait(0.5)
    writer.join(60)
    assert done.is_set()


def test_the_same_seed_strikes_the_same_statements() -> None:
    def struck(seed: int) -> list[str | None]:
        faults = Faults("conflict")
        faults.weather(seed, (0.5, Fault("^insert", "conflict")))
        return [faults.strike("INSERT INTO t VALUES (1)") for _ in range(30)]

    assert struck(3) == struck(3) != struck(4)
    assert Faults("conflict").strike("INSERT") is None


def test_faults_come_in_order_after_what_may_pass_until_they_are_used_up() -> None:
    faults = Faults("a", "b")
    faults.add(Fault("copy", "a", after=1), Fault("copy", "b", times=2))
    assert [faults.strike(text) for text in ("unload", "COPY", "copy", "copy", "copy", "copy")] == [
        None,
        None,
        "a",
        "b",
        "b",
        None,
    ]


def test_a_fault_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="one of a, b, not 'c'"):
        Faults("a", "b").add(Fault("copy", "c"))


@pytest.mark.parametrize(
    ("kind", "stored"), [("unavailable", False), ("reset_before", False), ("reset_after", True)]
)
def test_s3_fails_before_or_after_it_has_stored(s3, s3_service: S3Server, kind: str, stored: bool) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    s3_service.faults.add(Fault("^PUT .*/x$", kind))
    with pytest.raises((ClientError, BotoCoreError)):
        client.put_object(Bucket=s3.bucket, Key="x", Body=b"1")
    assert s3.keys() == (["x"] if stored else [])
    client.put_object(Bucket=s3.bucket, Key="x", Body=b"2")
    assert client.get_object(Bucket=s3.bucket, Key="x")["Body"].read() == b"2"
    client.close()
