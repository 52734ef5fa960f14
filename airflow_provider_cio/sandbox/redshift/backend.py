"""The PostgreSQL session behind one client: relayed to, and used for COPY, UNLOAD and look-ups in between."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

from airflow_provider_cio.sandbox.redshift import wire
from airflow_provider_cio.sandbox.redshift.wire import Message, Peer


class BackendError(Exception):
    """PostgreSQL refused; ``fields`` are those of its ErrorResponse."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields.get("M", ""))
        self.fields = fields

    @property
    def sqlstate(self) -> str:
        return self.fields.get("C", "")


class Backend(Peer):
    """A connected backend. ``status`` is the transaction's: ``I`` idle, ``T`` open, ``E`` failed."""

    def __init__(self, socket_folder: str) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(f"{socket_folder}/.s.PGSQL.5432")
        except OSError:
            sock.close()
            raise
        super().__init__(sock)
        self.status = "I"
        self.queries = 0
        """How many queries of our own have run; each removes the client's unnamed prepared statement."""

    def see(self, message: Message) -> None:
        """Note the transaction's state as messages pass."""
        if message.kind == b"Z":
            self.status = message.body.decode()

    def run(self, sql: str) -> list[list[str | None]]:
        """Run one statement by the simple protocol; its rows as text.

        :raises BackendError: PostgreSQL refused it.
        """
        self._ask(sql)
        return [_row(message.body) for message in self._until_ready() if message.kind == b"D"]

    def attempt(self, sql: str) -> list[list[str | None]] | None:
        """As ``run``, but a refusal leaves the open transaction usable and answers None."""
        if self.status == "E":
            return None
        within = self.status == "T"
        if within:
            self.run("SAVEPOINT rs_attempt")
        try:
            return self.run(sql)
        except BackendError:
            if within:
                self.run("ROLLBACK TO SAVEPOINT rs_attempt")
            return None
        finally:
            if within:
                self.run("RELEASE SAVEPOINT rs_attempt")

    def describe(self, sql: str) -> list[tuple[str, int, int]]:
        """Name, type OID and type modifier of a query's columns."""
        self._ask(f"SELECT * FROM ({sql}) AS described LIMIT 0")
        described = [message for message in self._until_ready() if message.kind == b"T"]
        return list(row_description(described[0].body))

    def copy_in(self, sql: str, chunks: Iterable[bytes]) -> int:
        """Stream ``chunks`` into a COPY ... FROM STDIN; the number of rows.

        :raises BackendError: PostgreSQL refused a row.
        """
        self._ask(sql)
        self._await(b"G")
        try:
            for message in wire.copy_data(chunks):
                self.sock.sendall(message)
        except BaseException:
            self.send(Message(b"f", wire.text("the source failed")))
            self._drain()
            raise
        self.send(Message(b"c", b""))
        tags = [message.body for message in self._until_ready() if message.kind == b"C"]
        return int(tags[0].rstrip(b"\0").split()[-1])

    def copy_out(self, sql: str) -> Iterator[bytes]:
        """The data of a COPY ... TO STDOUT."""
        self._ask(sql)
        self._await(b"H")
        for message in self._until_ready():
            if message.kind == b"d":
                yield message.body

    def parse(self, message: Message) -> None:
        """Prepare the client's statement once more; it has succeeded before."""
        self.send(message, Message(b"H", b""))
        self._await(b"1")

    def _ask(self, sql: str) -> None:
        self.queries += 1
        self.send(wire.query(sql))

    def _await(self, kind: bytes) -> None:
        while (message := self.message()).kind != kind:
            if message.kind == b"E":
                self._drain()
                raise BackendError(wire.error_fields(message.body))

    def _until_ready(self) -> Iterator[Message]:
        failed: Message | None = None
        while (message := self.message()).kind != b"Z":
            if message.kind == b"E":
                failed = message
            elif failed is None:
                yield message
        self.see(message)
        if failed is not None:
            raise BackendError(wire.error_fields(failed.body))

    def _drain(self) -> None:
        while (message := self.message()).kind != b"Z":
            pass
        self.see(message)


def row_description(body: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, type OID and type modifier of each column of a RowDescription."""
    count, at = int.from_bytes(body[:2], "big"), 2
    for _ in range(count):
        name, at = wire.split_text(body, at)
        oid = int.from_bytes(body[at + 6 : at + 10], "big")
        modifier = int.from_bytes(body[at + 12 : at + 16], "big", signed=True)
        yield name, oid, modifier
        at += 18


def _row(body: bytes) -> list[str | None]:
    values: list[str | None] = []
    at = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        length = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        values.append(None if length < 0 else body[at : at + length].decode())
        at += max(length, 0)
    return values
