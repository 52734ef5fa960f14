from __future__ import annotations

import pytest
import sqlglot

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.warehouse import bulk, diff, stage, state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.shipped import render_sql, sql_folder
from airflow_provider_cio.warehouse.source import Source

BUCKET = Bucket(None, "s3://bucket/some/prefix", "arn:aws:iam::123456789012:role/redshift")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "TRUE"),
        (7, "7"),
        ("it's", "'it''s'"),
        ("a\\b", "('a' || CHR(92) || 'b')"),
        ("?%:x", "'?%:x'"),
    ],
)
def test_literals(value: object, text: str) -> None:
    assert sql.literal(value) == text  # type: ignore[arg-type]


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        sql.literal("a\0b")


def test_names_are_quoted_part_by_part() -> None:
    assert sql.relation('Cio_Marts.we"ird') == '"cio_marts"."we""ird"'


@pytest.mark.parametrize(
    "family", ["text", "boolean", "date", "timestamp", "timestamptz", "super", "float", "integer"]
)
def test_every_family_has_a_canonical_text_that_parses(family: str) -> None:
    expression = sql.length_prefixed("x", family)  # type: ignore[arg-type]
    sqlglot.parse_one(f"SELECT {expression}", read="redshift")
    assert "::" not in expression


def source(kind: str = "people", **changes: object) -> Source:
    values: dict[str, object] = {
        "sync": "people",
        "kind": kind,
        "workspace": "shop",
        "relation": '"cio_marts"."customers"',
        "identifier": "id",
        "identifiers": ("id",),
        "identified_by": None,
        "partner": None,
        "key": None,
        "occurred_at": None,
        "lookback_minutes": None,
        "fields": (("x", Column("f_0", 1043)), ("y", Column("f_1", 4000))),
        "mapping": "0123",
        "exits": False,
        "undecided": "undecided",
        "dedupe_seconds": 86_400,
    }
    return Source(**values | changes)  # type: ignore[arg-type]


def test_the_source_is_named_once_in_a_plan() -> None:
    assert stage.read(source()).count('"cio_marts"."customers"') == 1
    assert '"cio_marts"."customers"' not in diff.freeze(source(), "state", "changes", 4)


def test_exits_need_a_full_join_and_events_a_left_one() -> None:
    assert "FULL JOIN" in diff.change_counts(source(exits=True), "state")
    assert "LEFT JOIN" in diff.change_counts(source("events"), "state")


def test_unload_names_no_key_and_takes_a_role() -> None:
    text = bulk.unload("changes", ["f_0"], BUCKET, "people/1/unload/a/")
    assert "row_key" not in text
    assert "payload_hash" not in text
    assert "TO 's3://bucket/some/prefix/people/1/unload/a/' IAM_ROLE 'arn:" in text
    assert text.endswith("FORMAT AS PARQUET PARTITION BY (shard) MANIFEST")


def test_the_default_role_is_a_word() -> None:
    bucket = Bucket(None, "s3://bucket", "default")
    assert bulk.copy_outcomes("t", bucket, bucket.uri("m")) == (
        "COPY t FROM 's3://bucket/m' IAM_ROLE default FORMAT AS PARQUET MANIFEST"
    )


def test_every_shipped_ddl_file_renders() -> None:
    names = {path.stem for path in (sql_folder() / "ddl").glob("*.sql")}
    assert names >= {*state.TABLES, "state", "state_view"}
    for name in names:
        text = render_sql(f"ddl/{name}.sql", schema='"s"', table='"t"', selects="SELECT 1 AS one")
        assert '"s".' in text
        assert text.count(";") == 0
