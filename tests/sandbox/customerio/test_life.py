"""Start, stop, restart, crash: the state stays, and nothing is left behind."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox

CHILD = """
import sys, time
from pathlib import Path
from airflow_provider_cio.sandbox.customerio import CustomerIOSandbox
sandbox = CustomerIOSandbox(Path(sys.argv[1]), port=None)
sandbox.start()
print(sandbox.url, flush=True)
time.sleep(300)
"""


def until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def fill(api):
    api.add(
        api.identify({"email": "a@example.com", "x": 1}, id="1"),
        api.act("event", {"id": "1"}, name="purchase", id="01HZXJ5V3J6Y8Q1N2B4C5D6E7F"),
        api.act("suppress", {"id": "2"}),
    )
    api.set(email_update_by_id=True)
    api.segment("VIP")


def check(api):
    assert api.person("1")["attributes"] == {"x": 1}
    stats = api.stats()
    assert (stats["people"], stats["events"], stats["segments"], stats["suppressed"]) == (1, 1, 1, 1)
    assert stats["items"]["accepted"] == 3
    assert api.track.get("/_sandbox/settings").json()["email_update_by_id"] is True
    api.add(
        api.identify({"y": 2}, id="3"),
        api.act("event", {"id": "1"}, name="p", id="01HZXJ5V3J6Y8Q1N2B4C5D6E7F"),
    )
    assert api.cio_id("3") != api.cio_id("1")
    assert api.stats()["events"] == 1


def test_restart_keeps_everything_on_the_same_port(tmp_path, connect):
    sandbox = CustomerIOSandbox(tmp_path, port=None)
    with sandbox:
        port = sandbox.port
        fill(connect(sandbox.url))
    with sandbox:
        assert sandbox.port == port
        check(connect(sandbox.url))


def test_a_crash_loses_nothing_that_was_answered(tmp_path, connect):
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            fill(connect(child.stdout.readline().strip()))
        finally:
            child.send_signal(signal.SIGKILL)
    with CustomerIOSandbox(tmp_path, port=None) as sandbox:
        check(connect(sandbox.url))


def test_reset_forgets_settings_too(tmp_path, connect):
    with CustomerIOSandbox(tmp_path, port=None, region="eu") as sandbox:
        api = connect(sandbox.url)
        fill(api)
        assert api.track.post("/_sandbox/reset").status_code == 204
        stats = api.stats()
        assert (stats["people"], stats["events"], stats["items"]["received"]) == (0, 0, 0)
        settings = api.track.get("/_sandbox/settings").json()
        assert (settings["email_update_by_id"], settings["region"]) == (False, "eu")
        assert api.track.get("/api/v1/accounts/region").json()["url"] == "https://track-eu.customer.io"


def test_a_busy_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=re.escape(f"127.0.0.1:{port} cannot be used")):
            CustomerIOSandbox(tmp_path, port=port).start()
    with CustomerIOSandbox(tmp_path, port=port) as sandbox:
        assert sandbox.port == port


def test_one_folder_serves_one_sandbox(tmp_path):
    with (
        CustomerIOSandbox(tmp_path, port=None),
        pytest.raises(RuntimeError, match="in use by another"),
    ):
        CustomerIOSandbox(tmp_path, port=None).start()


def test_stop_frees_the_port_and_may_be_repeated(tmp_path):
    sandbox = CustomerIOSandbox(tmp_path, port=None)
    sandbox.start()
    with pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url)
    assert not [thread for thread in threading.enumerate() if thread.name == "customerio-sandbox"]


def test_stop_ends_a_request_that_is_held(tmp_path, connect):
    failures = []

    def held(api):
        try:
            api.track.post("/api/v2/batch", json={"batch": []}, timeout=60)
        except httpx.TransportError as error:
            failures.append(error)

    with CustomerIOSandbox(tmp_path, port=None) as sandbox:
        api, other = connect(sandbox.url), connect(sandbox.url)
        api.fault({"route": "/api/v2/batch", "status": "timeout"})
        thread = threading.Thread(target=held, args=(api,))
        thread.start()
        until(lambda: other.track.get("/_sandbox/faults").json() == [])
    thread.join(timeout=20)
    assert (thread.is_alive(), len(failures)) == (False, 1)


def test_many_clients_at_once(tmp_path, connect):
    with CustomerIOSandbox(tmp_path, port=None) as sandbox:

        def send(api, number):
            for part in range(5):
                api.add(*(api.identify({"n": number}, id=f"c{number}-{part}-{i}") for i in range(50)))
                api.add(api.identify({f"by{number}": part}, id="shared"))

        threads = [threading.Thread(target=send, args=(connect(sandbox.url), number)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        api = connect(sandbox.url)
        stats = api.stats()
        assert (stats["people"], stats["items"]["accepted"]) == (1501, 1530)
        assert api.person("shared")["attributes"] == {f"by{number}": 4 for number in range(6)}


def test_https_with_the_local_authority(tmp_path):
    import ssl

    with CustomerIOSandbox(tmp_path, port=None, tls_port=0) as sandbox:
        with pytest.raises(httpx.ConnectError):
            httpx.get(sandbox.tls_url)
        authority = sandbox.ca_file.read_bytes()
        trusted = ssl.create_default_context(cafile=sandbox.ca_file)
        assert httpx.get(f"{sandbox.tls_url}/_sandbox/stats", verify=trusted).status_code == 200
        assert (sandbox.folder / "ca.key").stat().st_mode & 0o077 == 0
    with sandbox:
        assert sandbox.ca_file.read_bytes() == authority
        trusted = ssl.create_default_context(cafile=sandbox.ca_file)
        assert httpx.get(f"{sandbox.tls_url}/_sandbox/stats", verify=trusted).status_code == 200
