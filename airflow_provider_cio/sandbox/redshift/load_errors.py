"""Rows of STL_LOAD_ERRORS. A session of their own writes them, so they survive the ROLLBACK of the COPY."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

import psycopg

from airflow_provider_cio.sandbox.postgres import USER
from airflow_provider_cio.sandbox.redshift.backend import Backend


@dataclass(frozen=True)
class LoadError:
    """A record that was not loaded, with code and reason of Redshift's load error reference."""

    file: str
    line: int
    column: str
    type: str
    raw_line: str
    raw_field: str
    code: int
    reason: str


_INSERT = """
INSERT INTO rs.load_errors
    (file, line, col, type, raw_line, raw_field, err_code, err_reason, col_length, position, query, session,
     at, tbl, userid, copy_job_id)
SELECT %s, %s, %s, %s, left(%s, 1024), left(%s, 1024), %s, left(%s, 100), '0', 0, %s::bigint, %s::int,
    clock_timestamp() AT TIME ZONE 'UTC', %s::oid, 100, 0
"""


def keep(errors: list[LoadError], table: str, backend: Backend) -> None:
    """Write ``errors`` of a COPY into ``table`` for STL_LOAD_ERRORS and SYS_LOAD_ERROR_DETAIL."""
    [[database, session, relation]] = backend.run(
        f"SELECT current_database(), pg_backend_pid(), to_regclass('{table.replace(chr(39), chr(39) * 2)}')::oid"
    )
    [[query]] = backend.run("SELECT (extract(epoch from clock_timestamp()) * 1000)::bigint % 2147483647")
    folder = str(Path(backend.sock.getpeername()).parent)
    with psycopg.connect(host=folder, user=USER, dbname=str(database), autocommit=True) as connection:
        for error in errors:
            connection.execute(_INSERT, (*astuple(error), query, session, relation))
