"""A sync that misses its deadline tells its owner once, and once that it is done."""

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


def test_the_owner_is_told_once_and_once_more_when_it_is_done(world, pager):
    port, told = pager
    world.airflow.set_connection("owner_pager", "http", host="127.0.0.1", port=port)
    world.members("late", 2)
    run = world.run("late")
    assert run["state"] == "success"
    world.airflow.wait_for(lambda: len(told) >= 2, "the owner to be told, and told again")

    path = f"/ui/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/deadlines"
    (deadline,) = world.airflow.get(path)["deadlines"]
    assert deadline["missed"]
    kept = {
        "sync": "late",
        "owner": "system tests",
        "promise": "delivered within 0:00:01 of the moment the run was due",
    }
    expected = [kept | {"state": "critical"}, kept | {"state": "recovered"}]
    assert [{name: each[name] for name in expected[0]} for each in told] == expected
    assert run["dag_run_id"] in told[0]["message"]
    world.airflow.wait_for(lambda: states(world) == ["critical", "recovered"], "both to be stored as told")

    selection = {"dry_run": False, "only_failed": False}
    world.airflow.call(
        "POST", f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/clear", json=selection
    )
    assert world.ended("late", run["dag_run_id"])["state"] == "success"
    world.airflow.wait_for(lambda: alert(world)[0] == "ok", "the cleared run to be in the books")
    assert len(told) == 2

    second = world.run("late")
    assert second["state"] == "success"
    world.airflow.wait_for(lambda: len(told) >= 4, "the owner to be told of the second run")
    assert [each["state"] for each in told] == ["critical", "recovered"] * 2
    world.airflow.wait_for(lambda: alert(world) == ("recovered", "ok"), "the books to say so")


def states(world) -> list[str]:
    rows = world.sql(
        "SELECT to_state FROM cio_sync.alert_transitions WHERE alert = 'deadline:sync:late' "
        "AND told_by = 'airflow.providers.http.notifications.HttpNotifier' ORDER BY changed_at"
    )
    return [row[0] for row in rows]


def alert(world) -> tuple[str, str]:
    (row,) = world.sql("SELECT state, told FROM cio_sync.alerts WHERE alert = 'deadline:sync:late'")
    return row
