from __future__ import annotations

import pickle

import pytest
from redshift_connector import InterfaceError, ProgrammingError

from airflow_provider_cio.exceptions import AuthenticationError, SourceError, WarehouseError
from airflow_provider_cio.warehouse.errors import ConflictError, translate, unreachable


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("42P01", 'relation "cio_marts.x" does not exist', SourceError),
        ("3F000", 'schema "x" does not exist', SourceError),
        ("42501", "permission denied for relation x", SourceError),
        ("42601", "syntax error", SourceError),
        ("22P02", "invalid input", SourceError),
        ("XX000", "1023", ConflictError),
        ("40001", "could not serialize", ConflictError),
        ("42P07", "relation already exists", ConflictError),
        ("XX000", "S3ServiceException", WarehouseError),
        ("57P01", "terminating connection", WarehouseError),
        ("28000", "password authentication failed", AuthenticationError),
    ],
)
def test_what_a_servers_error_means(code: str, message: str, kind: type[Exception]) -> None:
    error = translate(ProgrammingError({"S": "ERROR", "C": code, "M": message, "D": "detail: Jane"}))
    assert type(error) is kind
    assert error.next_step
    assert "Jane" not in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("code", "message"),
    [("22P02", 'invalid input syntax for integer: "Jane"'), ("XX000", "Invalid digit, Value 'Jane', Pos 0")],
)
def test_a_value_in_a_servers_message_is_not_passed_on(code: str, message: str) -> None:
    assert "Jane" not in str(translate(ProgrammingError({"C": code, "M": message})))


def test_errors_without_a_code_are_about_the_connection() -> None:
    assert "connection to Redshift broke" in str(
        translate(InterfaceError("BrokenPipe: server socket closed"))
    )
    refused = InterfaceError("communication error", ConnectionRefusedError(111, "Connection refused"))
    assert "Connection refused. Next step: check host, port" in str(unreachable(refused))
