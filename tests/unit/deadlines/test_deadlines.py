"""When a sync is late: from which moment that counts, and who hears of it."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.exceptions import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP = "airflow.providers.http.notifications.HttpNotifier"


def sync(**notify: Any) -> Sync:
    deadline: dict[str, Any] = {"within": "45m"} | ({"notify": notify} if notify else {})
    return Sync.model_validate(
        {
            "name": "people",
            "kind": "people",
            "description": "State",
            "owner": "retention",
            "source": "cio_marts.people",
            "identity": {"id": "id"},
            "attributes": {"name": "name"},
            "deadline": deadline,
        }
    )


@pytest.mark.parametrize(
    ("run_id", "moment"),
    [
        ("scheduled__2026-11-01T06:00:00+00:00", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("scheduled__2026-11-01T06:00:00+00:00__aB3", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("manual__2026-11-01T08:00:00.25+02:00_x", datetime(2026, 11, 1, 6, 0, 0, 250_000, tzinfo=UTC)),
        ("asset_triggered__2026-11-01T06:00:00Z_x", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ],
)
def test_a_run_is_due_when_its_id_says(run_id: str, moment: datetime) -> None:
    from airflow_provider_cio.deadlines.reference import due_at

    assert due_at(run_id) == moment


@given(
    st.text()
    | st.from_regex(r"[a-z_]+__[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}")
)
def test_no_run_id_makes_the_reference_raise(run_id: str) -> None:
    from airflow_provider_cio.deadlines.reference import due_at

    assert due_at(run_id).tzinfo is UTC


def test_airflow_reads_the_alert_back_and_evaluates_it_without_a_database(airflow_home: object) -> None:
    from airflow.serialization.decoders import decode_deadline_alert
    from airflow.serialization.encoders import encode_deadline_alert

    from airflow_provider_cio.deadlines.callback import deadline_alert

    alert = decode_deadline_alert(encode_deadline_alert(deadline_alert(sync())))
    assert alert.interval == timedelta(minutes=45)
    due = alert.reference.evaluate_with(
        session=None,
        interval=alert.interval,
        dag_id="cio_sync_people",
        run_id="scheduled__2026-11-01T06:00:00+00:00",
    )
    assert due == datetime(2026, 11, 1, 6, 45, tzinfo=UTC)
    assert alert.callback.path == "airflow_provider_cio.deadlines.callback.announce_late"
    assert alert.callback.kwargs["owner"] == "retention"


def test_the_plugin_registers_the_reference(airflow_home: object) -> None:
    from airflow.plugins_manager import get_deadline_references_plugins

    from airflow_provider_cio.deadlines.reference import RunDue

    assert RunDue in get_deadline_references_plugins().values()


def test_without_a_deadline_there_is_no_alert() -> None:
    from airflow_provider_cio.deadlines.callback import deadline_alert

    assert deadline_alert(sync().model_copy(update={"deadline": None})) is None


@pytest.mark.parametrize(
    ("notify", "message"),
    [
        ({"notifier": "nowhere"}, "cannot be imported"),
        ({"notifier": "airflow.providers.http.notifications.Nobody"}, "cannot be imported"),
        ({"notifier": "datetime.datetime"}, "is not an Airflow notifier"),
        ({"notifier": "airflow.sdk.BaseNotifier"}, "is not an Airflow notifier"),
        ({"notifier": HTTP, "arguments": {"http_con_id": "x"}}, "do not fit .*http_con_id"),
    ],
)
def test_a_notifier_that_cannot_be_used_is_refused(notify: dict[str, Any], message: str) -> None:
    from airflow_provider_cio.deadlines.callback import deadline_alert

    with pytest.raises(ContractError, match=message) as refused:
        deadline_alert(sync(**notify))
    assert refused.value.next_step


@pytest.fixture
def pager() -> Iterator[tuple[int, list[Any]]]:
    """A server that keeps what it is told."""
    told: list[Any] = []

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


def test_the_owner_is_told_with_the_run_and_the_promise(
    airflow_home: object, pager: tuple[int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_cio.deadlines.callback import deadline_alert

    port, told = pager
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": port}
    monkeypatch.setenv("AIRFLOW_CONN_PAGER", json.dumps(connection))
    text = "{{ sync }} of {{ owner }}, {{ promise }}, {{ dag_run.dag_run_id }}"
    arguments = {"http_conn_id": "pager", "endpoint": "/", "json": {"text": text}}
    alert = deadline_alert(sync(notifier=HTTP, arguments=arguments))
    assert alert is not None
    assert call(alert) == HTTP
    promise = "delivered within 0:45:00 of the moment the run was due"
    assert told == [{"text": f"people of retention, {promise}, r1"}]


def test_without_a_notifier_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    from airflow_provider_cio.deadlines.callback import deadline_alert

    alert = deadline_alert(sync())
    assert alert is not None
    assert call(alert) == "nobody: no notifier is named"
    assert "sync people (owner retention): run r1 missed its promise" in caplog.text


def test_a_notifier_that_fails_is_an_error_of_the_callback(
    airflow_home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_cio.deadlines.callback import deadline_alert

    alert = deadline_alert(sync(notifier=HTTP, arguments={"http_conn_id": "nobody"}))
    assert alert is not None
    with pytest.raises(Exception, match="nobody"):
        call(alert)


def call(alert: Any) -> str:
    """As the triggerer does: the kwargs, and what the REST API says of the run."""
    from airflow.sdk.module_loading import import_string

    context = {"dag_run": {"dag_run_id": "r1", "state": "running"}, "deadline": {"id": "1"}}
    told: str = asyncio.run(import_string(alert.callback.path)(**alert.callback.kwargs, context=context))
    return told
