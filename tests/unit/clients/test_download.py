"""A download that breaks off goes on where it was, and a file that changed meanwhile is taken from its start."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from airflow_provider_cio.clients.download import download

PART = 1000


class Store(HTTPServer):
    """Gives a thousand bytes of its file and hangs up; ranges as S3 takes them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.tag, self.tagged = b"0123456789" * 350, '"one"', True
        self.asked: list[str] = []
        self.refuse = 0

    def link(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file?{len(self.asked)}"


class Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append(f"{self.path.partition('?')[2]} {asked}")
        if self.server.refuse:
            self.server.refuse -= 1
            self.send_error(403)
            return
        partial = bool(asked) and self.headers.get("If-Range") == self.server.tag
        rest = self.server.content[int(asked[6:-1]) if partial else 0 :]
        self.send_response(206 if partial else 200)
        self.send_header("Content-Length", str(len(rest)))
        if self.server.tagged:
            self.send_header("ETag", self.server.tag)
        self.end_headers()
        self.wfile.write(rest[:PART])

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def store() -> Iterator[Store]:
    with Store() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_it_goes_on_under_a_new_link(store: Store) -> None:
    assert download(store.link, attempts=2) == store.content
    assert store.asked == ["0 ", "1 bytes=1000-", "2 bytes=2000-", "3 bytes=3000-"]


def test_a_file_that_changed_is_taken_from_its_start(store: Store) -> None:
    def link() -> str:
        if len(store.asked) == 2:
            store.content, store.tag = b"new" * 100, '"two"'
        return store.link()

    assert download(link, attempts=2) == b"new" * 100


def test_it_gives_up_when_nothing_more_comes(store: Store) -> None:
    store.refuse = 9
    assert download(store.link, attempts=3) is None
    assert len(store.asked) == 3
    store.tagged, store.refuse = False, 0
    assert download(store.link, attempts=3) is None
