"""A sync that misses its deadline tells its owner, once."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture
def pager():
    """An HTTP server that keeps what it is told."""
    told: list[dict] = []

    class Pager(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], told
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_owner_is_told_once(world, pager):
    port, told = pager
    world.airflow.set_connection("owner_pager", "http", host="127.0.0.1", port=port)
    world.members("late", 2)
    run = world.run("late")
    assert run["state"] == "success"
    world.airflow.wait_for(lambda: told, "the owner to be told")

    path = f"/ui/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/deadlines"
    (deadline,) = world.airflow.get(path)["deadlines"]
    assert deadline["missed"]

    second = world.run("late")
    world.airflow.wait_for(lambda: len(told) >= 2, "the owner to be told of the second run")
    assert second["state"] == "success"
    expected = {
        "sync": "late",
        "owner": "system tests",
        "promise": "delivered within 0:00:01 of the moment the run was due",
    }
    assert told == [expected, expected]
