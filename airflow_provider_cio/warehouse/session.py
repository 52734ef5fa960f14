"""One Redshift session: short transactions, each retried whole when Redshift reports a conflict.

Errors become the package's own: what the connection, the grants or the SQL got wrong is fatal and says what
to do; a lost connection or a conflict is a :class:`WarehouseError`, which may pass.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from airflow_provider_cio.exceptions import CustomerIOProviderError, WarehouseError
from airflow_provider_cio.warehouse.errors import ConflictError, translate, unreachable

log = logging.getLogger(__name__)
T = TypeVar("T")

_SETTINGS = ("SET timezone TO 'UTC'", "SET extra_float_digits TO 2")


class Connection(Protocol):
    """What is used of a DB-API connection (redshift_connector's, RedshiftSQLHook's)."""

    autocommit: bool

    def cursor(self) -> Any:
        """A DB-API cursor."""

    def commit(self) -> None:
        """End the transaction."""

    def rollback(self) -> None:
        """Undo the transaction."""

    def close(self) -> None:
        """End the session."""


class Session:
    """Statements inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, sql: str) -> None:
        """Run a statement that answers nothing."""
        self._execute(sql).close()

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        cursor = self._execute(sql)
        rows = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def describe(self, sql: str) -> list[tuple[str, int]]:
        """Names and type OIDs of a query's columns (give it LIMIT 0)."""
        cursor = self._execute(sql)
        columns = [(str(column[0]), int(column[1])) for column in cursor.description or ()]
        cursor.close()
        return columns

    def _execute(self, sql: str) -> Any:
        cursor = self._connection.cursor()
        # No placeholders are used, and none may be seen in the text: Redshift has an operator %, but no ?.
        cursor.paramstyle = "qmark"
        try:
            cursor.execute(sql)
        except Exception as error:
            raise translate(error) from error
        return cursor


class Warehouse:
    """Redshift, reached by `connect` (any DB-API connection of redshift_connector), state in `schema`.

    One connection, opened when it is needed and again when it was lost; safe to share between threads.
    """

    def __init__(
        self, connect: Callable[[], Connection], *, schema: str = "cio_sync", attempts: int = 6
    ) -> None:
        self.schema = schema
        self._attempts = attempts
        self._connect = connect
        self._connection: Connection | None = None
        self._process: int | None = None
        self._lock = threading.RLock()

    def run(self, sql: str) -> None:
        """One statement in its own transaction."""
        self.transaction(lambda session: session.run(sql))

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result, in its own transaction."""
        return self.transaction(lambda session: session.fetch(sql))

    def transaction(self, work: Callable[[Session], T], *, keep: bool = True) -> T:
        """Run `work` in one transaction; conflicts (1023) run it again in a new one.

        `work` may therefore run more than once. With ``keep=False`` everything is rolled back.
        """
        with self._lock:
            for attempt in range(1, self._attempts + 1):
                try:
                    return self._once(work, keep=keep)
                except ConflictError:
                    if attempt == self._attempts:
                        raise
                    log.info("Redshift reported a write conflict; try %d of %d", attempt + 1, self._attempts)
                    time.sleep(random.uniform(0.05, 0.2) * 2**attempt)  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    def another(self) -> Warehouse:
        """A session of its own to the same place."""
        return Warehouse(self._connect, schema=self.schema, attempts=self._attempts)

    def cancel(self, other: Warehouse) -> None:
        """End the statement that runs now, through another session; whoever waits for it gets an error."""
        process = self._process
        if process is not None:
            other.run(f"SELECT pg_cancel_backend({process})")

    def close(self) -> None:
        """Close the connection; the next statement opens a new one."""
        with self._lock:
            connection, self._connection, self._process = self._connection, None, None
            if connection is not None:
                try:
                    connection.close()
                except Exception as error:  # noqa: BLE001 - a connection that is gone is closed
                    log.debug("closing the connection: %s", type(error).__name__)

    def _once(self, work: Callable[[Session], T], *, keep: bool) -> T:
        connection = self._open()
        try:
            result = work(Session(connection))
            _end(connection.commit if keep else connection.rollback)
        except Exception as error:
            self._undo(connection)
            if isinstance(error, WarehouseError) and not isinstance(error, ConflictError):
                self.close()  # it may be gone, and the driver's rollback does not notice
            raise
        except BaseException:
            self.close()  # interrupted in the middle of a statement: a rollback would wait for its end
            raise
        return result

    def _open(self) -> Connection:
        if self._connection is None:
            try:
                connection = self._connect()
            except CustomerIOProviderError:
                raise
            except Exception as error:
                raise unreachable(error) from error
            connection.autocommit = False
            for setting in _SETTINGS:
                Session(connection).run(setting)
            self._process = int(Session(connection).fetch("SELECT pg_backend_pid()")[0][0])
            _end(connection.commit)
            self._connection = connection
        return self._connection

    def _undo(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except Exception:  # noqa: BLE001 - the first error is the one to tell
            self.close()


def _end(commit_or_rollback: Callable[[], None]) -> None:
    try:
        commit_or_rollback()
    except Exception as error:
        raise translate(error) from error
