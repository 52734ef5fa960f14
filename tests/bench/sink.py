"""A sink on loopback, a process of its own: reads requests without keeping them, answers 200 `{}` after a delay.

``GET /stats`` tells what came since ``GET /set?delay=<ms>&limit=<requests a second>``; a request over the limit,
which holds in every second however it is cut, gets a 429.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from urllib.parse import parse_qs, urlsplit

HEAD = "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
OK = HEAD.format("200 OK", 2).encode() + b"{}"
LIMITED = HEAD.format("429 Too Many Requests", 2).encode() + b"{}"


class Book:
    """What came, and what is answered."""

    def __init__(self) -> None:
        self.set(0, 0)

    def set(self, delay: float, limit: int) -> None:
        self.delay, self.limit = delay / 1000, limit
        self.requests = self.bytes = self.refused = 0
        self.first = self.last = 0.0
        self._recent: deque[float] = deque()

    def answer(self, size: int) -> bytes:
        now = time.monotonic()
        self.first, self.last = self.first or now, now
        self.requests += 1
        self.bytes += size
        if self.limit:
            while self._recent and now - self._recent[0] >= 1:
                self._recent.popleft()
            if len(self._recent) >= self.limit:
                self.refused += 1
                return LIMITED
            self._recent.append(now)
        return OK

    def told(self) -> bytes:
        shown = {name: getattr(self, name) for name in ("requests", "bytes", "refused", "first", "last")}
        body = json.dumps(shown).encode()
        return HEAD.format("200 OK", len(body)).encode() + body


class Connection(asyncio.BufferedProtocol):
    """Counts a body instead of reading it."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = bytearray(1 << 18)
        self._head = b""
        self._size = self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = memoryview(self._buffer)[:nbytes]
        while len(data):
            if self._left:
                taken = min(self._left, len(data))
                self._left -= taken
                data = data[taken:]
            else:
                head, end, rest = (self._head + bytes(data)).partition(b"\r\n\r\n")
                if not end:
                    self._head = head
                    return
                self._head, self._path = b"", head.split(b" ", 2)[1].decode()
                lengths = [
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                ]
                self._size = self._left = int(lengths[0][15:]) if lengths else 0
                data = memoryview(rest)
                self._left -= (taken := min(self._left, len(data)))
                data = data[taken:]
            if not self._left:
                self._respond()

    def _respond(self) -> None:
        url = urlsplit(self._path)
        if url.path == "/set":
            asked = parse_qs(url.query)
            self._book.set(float(asked["delay"][0]), int(asked["limit"][0]))
            self._transport.write(OK)
        elif url.path == "/stats":
            self._transport.write(self._book.told())
        else:
            answer = self._book.answer(self._size)
            asyncio.get_running_loop().call_later(self._book.delay, self._transport.write, answer)


async def main() -> None:
    book = Book()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(book), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
