"""What an error of the driver or of Redshift means for the caller."""

from __future__ import annotations

from airflow_provider_cio.core.redaction import redact
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    CustomerIOProviderError,
    SourceError,
    WarehouseError,
)


class ConflictError(WarehouseError):
    """1023, a deadlock or a lock time-out: the same transaction may succeed at once."""


def sqlstate(error: BaseException) -> str:
    """The server's five-character code, or ''."""
    return _field(error, "C")


def server_message(error: BaseException) -> str:
    """The server's primary message (never its DETAIL, which may quote values)."""
    return _field(error, "M") or type(error).__name__


def _field(error: BaseException, key: str) -> str:
    first = error.args[0] if error.args else None
    return str(first.get(key, "")) if isinstance(first, dict) else ""


_CONFLICTS = frozenset({"40001", "40P01", "55P03", "42P06", "42P07", "23505"})
"""Serialisation, deadlock, lock; and a schema, table or catalogue row that another session created meanwhile."""


def translate(error: Exception) -> CustomerIOProviderError:
    """What a driver's error means for the caller."""
    code, message = sqlstate(error), server_message(error)
    if code in _CONFLICTS or (code == "XX000" and ("1023" in message or "concurrent" in message)):
        return ConflictError(
            "Redshift ended the transaction because another session wrote to the same tables (1023).",
            next_step="run the task again; if it keeps failing, look for another writer of these tables.",
        )
    if code in {"42P01", "3F000"}:
        return SourceError(
            f"Redshift: {message}.",
            next_step="create the relation or correct its name; schemas are case-folded.",
        )
    if code == "42501":
        return SourceError(
            f"Redshift: {message}.",
            next_step="GRANT USAGE on the schema and SELECT on the view to the connection's user.",
        )
    if code[:2] in {"42", "0A"}:
        return SourceError(
            f"Redshift refused a statement ({code}): {message}.", next_step="correct the source."
        )
    if code[:2] == "22":  # its message quotes the value
        return SourceError(
            f"A value of the source cannot be computed (Redshift's error {code}).",
            next_step="run the source's SQL by hand: a cast, a division or a length in it fails.",
        )
    if code[:2] == "28":
        return _refused_login(message)
    if code == "57014":
        return WarehouseError(
            "The statement was cancelled in Redshift.", next_step="run the task again, unless it was killed."
        )
    if code and code[:2] not in {"08", "57"}:
        return WarehouseError(
            f"Redshift failed ({code}): {redact(message)}.", next_step="run the task again."
        )
    return WarehouseError(
        f"The connection to Redshift broke ({type(error).__name__}).",
        next_step="run the task again; check that the cluster is up and reachable.",
    )


def unreachable(error: Exception) -> CustomerIOProviderError:
    """What a failed attempt to connect means."""
    code = sqlstate(error)
    if code[:2] == "28":
        return _refused_login(server_message(error))
    if code == "3D000":
        return AuthenticationError(
            f"Redshift: {server_message(error)}.",
            next_step="correct the database (schema) of the connection.",
        )
    reason = _field(error, "M") or ", ".join(map(str, error.args)) or type(error).__name__
    return WarehouseError(
        f"No connection to Redshift: {redact(reason)}.",
        next_step="check host, port and TLS of the connection, its security group, and the cluster.",
    )


def _refused_login(message: str) -> AuthenticationError:
    return AuthenticationError(
        f"Redshift refused the login: {message}.",
        next_step="correct login and password of the Redshift connection.",
    )
