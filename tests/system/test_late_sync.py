"""A sync that misses its deadline tells its owner once, and once that it is done; the page shows both."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
PAGE = "/customerio/dags/cio_sync_late"


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

    assert_the_page_says_it_was_late_and_is_done(world)

    with nothing_starts(world):
        second = world.airflow.trigger(run["dag_id"])
        world.airflow.wait_for(lambda: len(told) >= 3, "the owner to be told of the second run")
        assert "still running" in world.airflow.page(PAGE)
        world.airflow.call("POST", f"{PAGE}/refresh")
        (shown,) = re.findall(r'<li class="bad"><b>critical</b> deadline: .*', world.airflow.page(PAGE))
        assert f"run {second} missed its promise" in shown
        world.airflow.restart("scheduler")
        world.a_scheduler_loop_has_passed()
    assert world.ended("late", second)["state"] == "success"
    world.airflow.wait_for(lambda: len(told) >= 4, "the owner to be told that the second run is done")
    world.airflow.wait_for(lambda: alert(world) == ("recovered", "ok"), "the books to say so")
    assert [each["state"] for each in told] == ["critical", "recovered"] * 2
    assert_the_page_says_it_was_late_and_is_done(world)


@contextmanager
def nothing_starts(world):
    """Tasks that are due wait, though their run goes on."""
    pool, mask = "/api/v2/pools/default_pool", {"update_mask": "slots"}
    slots = world.airflow.get(pool)["slots"]
    world.airflow.call("PATCH", pool, params=mask, json={"slots": 0})
    try:
        yield
    finally:
        world.airflow.call("PATCH", pool, params=mask, json={"slots": slots})


def assert_the_page_says_it_was_late_and_is_done(world) -> None:
    world.airflow.wait_for(
        lambda: "<b>critical</b>" not in world.airflow.page(PAGE), "the page to show no open alert"
    )
    assert re.search(r"delivered [^<]* after it was due", world.airflow.page(PAGE))


def states(world) -> list[str]:
    rows = world.sql(
        "SELECT to_state FROM cio_sync.alert_transitions WHERE alert = 'deadline:sync:late' "
        "AND told_by = 'airflow.providers.http.notifications.HttpNotifier' ORDER BY changed_at"
    )
    return [row[0] for row in rows]


def alert(world) -> tuple[str, str]:
    (row,) = world.sql("SELECT state, told FROM cio_sync.alerts WHERE alert = 'deadline:sync:late'")
    return row
