"""A local Redshift: PostgreSQL behind a proxy that speaks, accepts and refuses as Redshift does."""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import psycopg
import trustme
from psycopg import sql

from airflow_provider_cio.sandbox.faults import Faults
from airflow_provider_cio.sandbox.ports import free_port
from airflow_provider_cio.sandbox.postgres import USER, Postgres, PostgresError
from airflow_provider_cio.sandbox.redshift import library
from airflow_provider_cio.sandbox.redshift.s3io import S3
from airflow_provider_cio.sandbox.redshift.server import Server

__all__ = ["LocalRedshift", "PostgresError"]

TEMPLATE = "rs_template"


class LocalRedshift:
    """Start with ``start()`` or as a context manager; data lives in ``folder``.

    :param port: None takes a free one.
    ``faults`` strike statements by their text: ``conflict`` (error 1023), ``lost_before`` and ``lost_after`` the
    statement was done, ``lost_midway`` in a COPY or UNLOAD.

    :param s3_endpoint: without it COPY and UNLOAD refuse to run; they never reach the real S3.
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int | None = 5439,
        s3_endpoint: str | None = None,
        database: str = "dev",
        user: str = USER,
        password: str = "sandbox",
    ) -> None:
        self.folder = folder
        self.host = host
        self.port = port or 0
        self.database = database
        self.user = user
        self.password = password
        self.faults = Faults("conflict", "lost_before", "lost_after", "lost_midway")
        self._s3 = S3(s3_endpoint)
        self._postgres = Postgres(folder, {"default_transaction_isolation": "repeatable read"})
        self._server: Server | None = None

    @property
    def ca_file(self) -> Path:
        """The certificate that TLS clients must trust (``SSL_CERT_FILE``)."""
        return self.folder / "ca.pem"

    def start(self) -> None:
        """Return when clients can connect."""
        self._postgres.start()
        try:
            self._prepare()
            listener = self._listen()
            self.port = listener.getsockname()[1]
            self._server = Server(
                listener,
                self._postgres.socket_folder,
                user=self.user,
                password=self.password,
                s3=self._s3,
                faults=self.faults,
                tls=self._tls(),
            )
            self._server.start()
        except BaseException:
            self._postgres.stop()
            raise

    @contextmanager
    def held(self, table: str, database: str) -> Iterator[None]:
        """While this lasts, another session holds a lock on a table: whoever writes to it waits."""
        with self._postgres.connect(database) as connection, connection.transaction():
            connection.execute(f"LOCK TABLE {table}".encode())
            yield

    def stop(self) -> None:
        """Hang up on all clients and stop PostgreSQL."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._postgres.stop()

    def __enter__(self) -> LocalRedshift:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def create_database(self, name: str) -> None:
        """A fresh database with Redshift's functions and system views."""
        with self._postgres.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )

    def drop_database(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        with self._postgres.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _prepare(self) -> None:
        """Create template and database; install a changed library wherever it already is."""
        with self._postgres.connect() as connection:
            connection.execute(f'ALTER ROLE {USER} SET search_path = "$user", public, rs, pg_catalog')
            existing = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            if TEMPLATE not in existing:
                connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        statements = library.statements()
        fingerprint = hashlib.sha256("\0".join(statements).encode()).hexdigest()
        installed = self.folder / "library.sha256"
        if not installed.exists() or installed.read_text() != fingerprint:
            for name in {TEMPLATE, *existing} - {"postgres", "template0", "template1"}:
                with self._postgres.connect(name) as connection:
                    _install(connection, statements)
            installed.write_text(fingerprint)
        if self.database not in existing:
            self.create_database(self.database)

    def _listen(self) -> socket.socket:
        port = self.port or free_port()
        try:
            return socket.create_server((self.host, port), backlog=128)
        except OSError as error:
            reason = f"{self.host}:{port} cannot be used: {error.strerror}. Next step: take another port."
            raise OSError(error.errno, reason) from error

    def _tls(self) -> ssl.SSLContext:
        server_file = self.folder / "server.pem"
        if not server_file.exists() or not self.ca_file.exists():
            authority = trustme.CA()
            authority.cert_pem.write_to_path(str(self.ca_file))
            certificate = authority.issue_cert("localhost", "127.0.0.1", self.host)
            certificate.private_key_and_cert_chain_pem.write_to_path(str(server_file))
            server_file.chmod(0o600)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(server_file)
        return context


def _install(connection: psycopg.Connection, statements: list[str]) -> None:
    for statement in statements:
        connection.execute(statement.encode())
