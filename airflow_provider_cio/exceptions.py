"""Every error this package raises; the class says what to do next.

::

    CustomerIOProviderError
    |-- FatalError            trying again changes nothing: fix what the message names
    |   |-- ContractError         a YAML file or a connection says something impossible
    |   |-- AuthenticationError   a key is wrong, belongs to another region, or lacks a scope
    |   |   `-- MissingScopeError     the key is known, and may not do this
    |   |-- RequestRefusedError   the destination refused a whole request (4xx)
    |   |-- SourceError           the source is missing, mistyped, or breaks its own key
    |   |-- GuardStoppedError     the plan is larger or stranger than its guards allow
    |   |-- NotApprovedError      a person refused the plan, or it is too old to be applied
    |   |-- NotVerifiedError      Customer.io does not hold what was sent of the test cohort
    |   `-- RejectedRowsError     more rows were refused than `max_rejected_pct` allows
    `-- RetriableError        the same call may succeed later
        |-- RateLimitedError      429 after every retry
        |-- DestinationDownError  5xx or no connection after every retry
        |-- UnknownOutcomeError   the request was written, and no answer came back
        |-- ExportFailedError     Customer.io could not make an export


        |-- TransientRejectsError rows were refused for a reason that may pass
        |-- WarehouseError        connection lost, serialisation conflict, COPY or UNLOAD failed
        |-- LeaseLostError        another run of the same sync took over
        `-- StoppedError          the task was told to end

Messages carry ids, counts, field names and the next step, never a person's data.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class CustomerIOProviderError(Exception):
    """Base of all errors of this package. ``next_step`` ends the message.

    ``requests`` and ``rate_limited`` count the HTTP requests that were made before a client gave up;
    ``maybe_applied`` says that one of them was written and got no answer, whatever the last one was told.
    """

    requests = 0
    rate_limited = 0
    maybe_applied = False

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} Next step: {self.next_step}" if self.next_step else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    cls: type[CustomerIOProviderError], args: tuple[Any, ...], state: dict[str, Any]
) -> CustomerIOProviderError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class FatalError(CustomerIOProviderError):
    """Trying again changes nothing."""


class RetriableError(CustomerIOProviderError):
    """The same call may succeed later."""


class Mistake(NamedTuple):
    """One wrong line of a file."""

    file: str
    line: int
    key: str
    message: str
    next_step: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}: " + (f"{self.key}: " if self.key else "")
        message = self.message + ("" if self.message.endswith((".", "?")) else ".")
        return f"{where}{message}" + (f" Next step: {self.next_step}." if self.next_step else "")


class ContractError(FatalError):
    """A YAML file or a connection says something impossible; names file, line and key.

    ``mistakes`` holds them one by one where the error is about files.
    """

    mistakes: tuple[Mistake, ...] = ()

    @classmethod
    def at(cls, *mistakes: Mistake) -> ContractError:
        """One line for each mistake: 'dags/syncs/x.yaml:12: attributes.email: ...'."""
        error = cls("\n".join(str(mistake) for mistake in mistakes))
        error.mistakes = mistakes
        return error


class AuthenticationError(FatalError):
    """401 or 403: wrong key, wrong region, or a missing scope."""


class MissingScopeError(AuthenticationError):
    """403: the key is known, and its scopes do not cover this call."""


class RequestRefusedError(FatalError):
    """A 4xx other than 401, 403, 408 and 429, for the request as a whole.

    ``errors`` holds what the destination said of it: ``reason``, ``field`` (never the message, which
    may quote a person's data).
    """

    def __init__(
        self, message: str, *, status: int, errors: tuple[dict[str, str], ...] = (), next_step: str = ""
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.status = status
        self.errors = errors


class SourceError(FatalError):
    """The source view is missing, has other columns than the sync names, or breaks its own key."""


class GuardStoppedError(FatalError):
    """A guard refused the plan; nothing was sent."""


class NotApprovedError(FatalError):
    """A person refused the plan, or it is no longer what they approved; nothing was sent."""


class NotVerifiedError(FatalError):
    """What was read back of the test cohort, or of a spot-check, differs from what it should be."""


class RejectedRowsError(FatalError):
    """The run was committed, but too many rows were refused or remained unknown."""


class EndedEarlyError(FatalError):
    """The run ended before its commit: another task of it says why."""


class RateLimitedError(RetriableError):
    """429 after every retry. ``retry_after`` in seconds, when the destination said."""

    def __init__(self, message: str, *, retry_after: float | None = None, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after


class DestinationDownError(RetriableError):
    """5xx, or no connection, after every retry: nothing was written."""


class UnknownOutcomeError(RetriableError):
    """The request was written and no answer came back: it may have been applied."""


class ExportFailedError(RetriableError):
    """Customer.io could not make an export, or its file could not be downloaded."""


class TransientRejectsError(RetriableError):
    """Customer.io refused rows for a reason that may pass; they have no final outcome."""


class WarehouseError(RetriableError):
    """Redshift or S3 failed in a way that may pass: lost connection, conflict 1023, COPY, UNLOAD."""


class LeaseLostError(RetriableError):
    """Another run of the same sync holds the lease."""


class StoppedError(RetriableError):
    """The task was told to end (killed, timed out, marked as failed)."""
