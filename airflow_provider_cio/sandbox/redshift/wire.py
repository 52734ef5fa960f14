"""PostgreSQL's wire protocol, version 3: messages in and out of sockets (PostgreSQL documentation, chapter 55)."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SSL_REQUEST = 80877103
CANCEL_REQUEST = 80877102
GSS_REQUEST = 80877104
PROTOCOL_3 = 196608


@dataclass(frozen=True, slots=True)
class Message:
    """A typed message: one byte of kind, and its body without the length."""

    kind: bytes
    body: bytes

    def encode(self) -> bytes:
        return self.kind + struct.pack("!i", len(self.body) + 4) + self.body


class Peer:
    """One side of a connection: buffered reads of whole messages."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    def send(self, *messages: Message) -> None:
        self.sock.sendall(b"".join(message.encode() for message in messages))

    def startup(self) -> tuple[int, bytes]:
        """The untyped first packet: protocol or request code, and the rest."""
        length = struct.unpack("!i", self._exactly(4))[0]
        body = self._exactly(length - 4)
        return struct.unpack("!i", body[:4])[0], body[4:]

    def message(self) -> Message:
        """The next message; waits for it.

        :raises EOFError: the peer hung up.
        """
        kind = self._exactly(1)
        length = struct.unpack("!i", self._exactly(4))[0]
        return Message(kind, self._exactly(length - 4))

    @property
    def pending(self) -> bool:
        """Whether something was read that nobody has taken."""
        return bool(self._buffer)

    def read(self) -> None:
        """Read once from the socket.

        :raises EOFError: the peer hung up.
        """
        received = self.sock.recv(1 << 18)
        if not received:
            raise EOFError
        self._buffer += received
        while isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            self._buffer += self.sock.recv(self.sock.pending())

    def complete(self) -> list[Message]:
        """The messages that have arrived whole."""
        found, start = [], 0
        while len(self._buffer) - start >= 5:
            length = struct.unpack_from("!i", self._buffer, start + 1)[0]
            if len(self._buffer) - start < length + 1:
                break
            body = bytes(self._buffer[start + 5 : start + length + 1])
            found.append(Message(bytes(self._buffer[start : start + 1]), body))
            start += length + 1
        del self._buffer[:start]
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self.read()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def text(value: str) -> bytes:
    """A zero-terminated string."""
    return value.encode() + b"\0"


def split_text(body: bytes, start: int = 0) -> tuple[str, int]:
    """The zero-terminated string at ``start``, and where the next field begins."""
    end = body.index(b"\0", start)
    return body[start:end].decode(), end + 1


def parameters(body: bytes) -> dict[str, str]:
    """Names and values of a startup packet."""
    parts = body.rstrip(b"\0").split(b"\0")
    return {name.decode(): value.decode() for name, value in zip(parts[::2], parts[1::2], strict=False)}


def startup_packet(values: dict[str, str]) -> bytes:
    body = struct.pack("!i", PROTOCOL_3)
    body += b"".join(text(name) + text(value) for name, value in values.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def query(sql: str) -> Message:
    return Message(b"Q", text(sql))


def error_fields(body: bytes) -> dict[str, str]:
    """Fields of an ErrorResponse by their letter."""
    return {part[:1].decode(): part[1:].decode() for part in body.rstrip(b"\0").split(b"\0") if part}


def error(fields: dict[str, str]) -> Message:
    return Message(b"E", b"".join(text(key + value) for key, value in fields.items()) + b"\0")


def failure(message: str, sqlstate: str, severity: str = "ERROR") -> Message:
    return error({"S": severity, "V": severity, "C": sqlstate, "M": message})


def notice(message: str) -> Message:
    """Redshift's word to the user after a COPY or an UNLOAD."""
    fields = {"S": "INFO", "V": "INFO", "C": "00000", "M": message}
    return Message(b"N", error(fields).body)


def copy_data(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """CopyData messages, ready to be sent."""
    for chunk in chunks:
        yield b"d" + struct.pack("!i", len(chunk) + 4) + chunk
