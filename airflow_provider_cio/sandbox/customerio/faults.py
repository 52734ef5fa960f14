"""Faults on demand: a list, in order, each used up after ``times`` requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from starlette.requests import Request

ABORTS = ("reset_before", "reset_after", "timeout", "timeout_after", "truncated_body")
"""Close the connection or never answer; all but ``reset_before`` and ``timeout`` apply the request first."""
KINDS = (*ABORTS, "slow_body", "errors_on_200", "late")
"""``slow_body``: half of the answer, ``delay`` seconds, the rest. ``late``: only ``delay``."""
REFUSES_ITEMS = (207, "errors_on_200")


@dataclass
class Fault:
    """``route`` is a path, with ``*`` as a wildcard. ``after`` requests pass first.

    ``match``: only requests whose body holds this text. With 207 and ``errors_on_200`` only the items that hold it
    are refused, with ``reason`` and ``field``, and the others are applied. ``delay``: seconds before the answer.
    """

    route: str
    status: int | str
    times: int = 1
    after: int = 0
    retry_after: int | None = None
    match: str | None = None
    delay: float = 0.0
    reason: str = "fault"
    field: str = ""

    def concerns(self, path: str, body: bytes) -> bool:
        return fnmatchcase(path, self.route) and (self.match is None or self.match.encode() in body)


def read_faults(values: list[Any]) -> list[Fault]:
    """Faults from JSON; ValueError says what is wrong with one."""
    return [read_fault(value) for value in values]


def read_fault(value: Any) -> Fault:
    """One fault from JSON."""
    try:
        fault = Fault(**value)
    except TypeError as error:
        raise ValueError(f"a fault has {', '.join(Fault.__dataclass_fields__)}: {error}") from error
    status = fault.status
    if not (status in KINDS or (type(status) is int and 200 <= status <= 599)):
        raise ValueError(f"status must be an HTTP status or one of {', '.join(KINDS)}, not {status!r}")
    if status in REFUSES_ITEMS and fault.match is None:
        raise ValueError(f"status {status} needs match: the text of the items to refuse")
    return fault


class Faults:
    """The faults that wait."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, faults: Iterable[Fault]) -> None:
        self._waiting.extend(faults)

    def clear(self) -> None:
        self._waiting = []

    def as_list(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._waiting]

    def take(self, path: str, body: bytes) -> Fault | None:
        """The first fault that concerns this request, if its turn has come."""
        for fault in self._waiting:
            if fault.concerns(path, body):
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None


def refusing(request: Request) -> Fault | None:
    """The fault that refuses some items of this request."""
    fault: Fault | None = request.scope.get("sandbox.refusing")
    return fault
