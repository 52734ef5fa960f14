"""What the proxy does around a statement of the client, on the client's own backend session."""

from __future__ import annotations

from airflow_provider_cio.sandbox.redshift.backend import Backend, BackendError
from airflow_provider_cio.sandbox.redshift.copy import copy
from airflow_provider_cio.sandbox.redshift.rewrite import Rewritten, SqlRefused, rewrite
from airflow_provider_cio.sandbox.redshift.s3io import S3, BreakingS3
from airflow_provider_cio.sandbox.redshift.unload import unload

NOTHING = "SET rs.noop = '1'"
_ENDINGS = ("rollback", "abort", "commit", "end")


class SessionCatalog:
    """Columns of relations as this session sees them, its temporary tables included."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def columns(self, relation: str) -> list[tuple[str, str]] | None:
        name = relation.replace("'", "''")
        found = self._backend.attempt(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = to_regclass('{name}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        return [(str(column), str(kind)) for column, kind in found] if found else None


class Statements:
    """Rewrites statements, and runs what comes before and after them; COPY and UNLOAD as a whole."""

    def __init__(self, backend: Backend, s3: S3) -> None:
        self._backend = backend
        self._s3 = s3
        self._catalog = SessionCatalog(backend)

    def rewritten(self, sql: str) -> Rewritten:
        """The statement, ready to be parsed by the backend.

        :raises SqlRefused: Redshift refuses it, or the transaction has failed already.
        """
        if self._backend.status == "E" and not sql.lstrip().lower().startswith(_ENDINGS):
            raise SqlRefused(
                "current transaction is aborted, commands ignored until end of transaction block", "25P02"
            )
        found = self._rewrite(sql)
        self._lock(found)  # before the snapshot, which PostgreSQL takes when it parses
        self._run(found.prepare)
        return found

    def before(self, rewritten: Rewritten, fault: str | None = None) -> str:
        """Locks, bookkeeping and all of a COPY or UNLOAD; what Redshift reports of the latter.

        :raises SqlRefused: it failed.
        :raises EOFError: ``fault`` breaks the connection in the middle of it.
        """
        if fault == "conflict":
            raise SqlRefused("1023", "XX000")
        s3 = BreakingS3(self._s3) if fault == "lost_midway" else self._s3
        self._run(rewritten.before)
        self._lock(rewritten)
        try:
            if rewritten.copy is not None:
                return copy(rewritten.copy, self._backend, s3)
            if rewritten.unload is not None:
                inner = self._rewrite(rewritten.unload.query)
                self._run(inner.prepare)
                return unload(rewritten.unload, inner.sql, self._backend, s3)
        except BackendError as error:
            raise SqlRefused(str(error), error.sqlstate) from error
        return ""

    def after(self, rewritten: Rewritten) -> None:
        """Bookkeeping, and the COMMIT that TRUNCATE implies.

        :raises BackendError: it failed.
        """
        for sql in rewritten.after:
            self._backend.run(sql)
        if rewritten.commits and self._backend.status == "T":
            self._backend.run("COMMIT")

    def _rewrite(self, sql: str) -> Rewritten:
        try:
            return rewrite(sql, self._catalog)
        except (LookupError, ValueError, TypeError, StopIteration) as error:
            raise SqlRefused(
                "syntax error: the local Redshift cannot make sense of this statement. "
                "Next step: compare it with its page in the Redshift developer guide.",
                "42601",
            ) from error

    def _lock(self, rewritten: Rewritten) -> None:
        table = rewritten.copy.table if rewritten.copy else rewritten.writes
        if table is not None and self._backend.status == "T":
            self._run((f"LOCK TABLE {table} IN EXCLUSIVE MODE",))

    def _run(self, statements: tuple[str, ...]) -> None:
        try:
            for sql in statements:
                self._backend.run(sql)
        except BackendError as error:
            raise SqlRefused(str(error), error.sqlstate) from error


def tag(rewritten: Rewritten) -> str | None:
    """The command tag that the client sees where it is not PostgreSQL's."""
    if rewritten.copy is not None:
        return "COPY"
    return "UNLOAD" if rewritten.unload is not None else rewritten.command_tag


def is_plain(rewritten: Rewritten) -> bool:
    """PostgreSQL's own execution is all there is to do."""
    r = rewritten
    return not (r.copy or r.unload or r.before or r.after or r.commits or r.writes)
