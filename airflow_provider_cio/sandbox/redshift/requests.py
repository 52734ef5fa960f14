"""What the client has asked in the extended protocol and the backend has not answered yet."""

from __future__ import annotations

from collections import deque

from airflow_provider_cio.sandbox.redshift.wire import Message, split_text

_LAST_REPLY = {b"P": b"1", b"B": b"2", b"D": b"Tn", b"E": b"CIs", b"C": b"3", b"S": b"Z"}
"""The reply that ends each request (PostgreSQL documentation, section 55.2.3)."""


class Requests:
    """Requests in the order of their sending, each with the prepared statement that it concerns."""

    def __init__(self) -> None:
        self._open: deque[tuple[bytes, str]] = deque()
        self._portals: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def statement(self) -> str:
        """Name of the prepared statement that the next reply is about."""
        return self._open[0][1] if self._open else ""

    def sent(self, message: Message) -> None:
        """A client's message is on its way to the backend."""
        if message.kind in _LAST_REPLY:
            self._open.append((message.kind, self._about(message)))

    def answered(self, message: Message) -> bool:
        """A reply has come. False: it is an error, and the backend ignores everything up to a Sync to come."""
        if message.kind == b"E":
            while self._open and self._open[0][0] != b"S":
                self._open.popleft()
            return bool(self._open)
        if self._open and message.kind in _LAST_REPLY[self._open[0][0]]:
            self._open.popleft()
        return True

    def _about(self, message: Message) -> str:
        match message.kind:
            case b"P":
                return split_text(message.body)[0]
            case b"B":
                portal, at = split_text(message.body)
                self._portals[portal] = split_text(message.body, at)[0]
                return self._portals[portal]
            case b"E":
                return self._portals.get(split_text(message.body)[0], "")
            case b"D" | b"C":
                name, _ = split_text(message.body, 1)
                return self._portals.get(name, "") if message.body[:1] == b"P" else name
        return ""
