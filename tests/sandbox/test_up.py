"""`python -m airflow_provider_cio.sandbox up`: ready when it says so, and gone when told."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import redshift_connector

from airflow_provider_cio.sandbox import s3
from airflow_provider_cio.sandbox.ports import free_port
from airflow_provider_cio.sandbox.up import PortError, choose_ports

COMMAND = [sys.executable, "-m", "airflow_provider_cio.sandbox"]


def _start(folder: Path) -> subprocess.Popen:
    ports = [
        part
        for name in ("redshift", "s3", "customerio", "ads")
        for part in (f"--{name}-port", str(free_port()))
    ]
    return subprocess.Popen(
        [*COMMAND, "up", "--folder", str(folder), *ports],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _await_ready(sandbox: subprocess.Popen, folder: Path) -> Path:
    lines = []
    for line in sandbox.stdout:
        lines.append(line)
        if line.startswith("ready"):
            break
    ready = folder / "endpoints.json"
    assert ready.exists(), lines
    return ready


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


def _mentioning(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def _until(condition, what: str) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_answers_and_leaves_nothing(tmp_path, how):
    with _start(tmp_path) as sandbox:
        ready = _await_ready(sandbox, tmp_path)
        endpoints = json.loads(ready.read_text())
        redshift = endpoints["redshift"]
        with redshift_connector.connect(**redshift, ssl=False) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == [1]
        stats = httpx.get(f"{endpoints['customerio']['url']}/_sandbox/stats", trust_env=False)
        assert stats.json()["people"] == 0
        assert set(endpoints["ads"]) == {"meta", "google", "google_ads", "tiktok", "rudderstack", "webhook"}
        meta = endpoints["ads"]["meta"]["url"]
        assert httpx.get(f"{meta}/_sandbox/members/1", trust_env=False).json() == {}
        client = s3.client(endpoints["s3"]["endpoint_url"])
        assert client.list_objects_v2(Bucket=endpoints["s3"]["bucket"])["KeyCount"] == 0
        client.close()
        sandbox.send_signal(how)
        sandbox.stdout.read()
    assert sandbox.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 0)
    _until(lambda: not _mentioning(str(tmp_path)), "processes are left")
    assert ready.exists() == (how == signal.SIGKILL)


def test_a_busy_default_port_is_replaced():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = busy.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "airflow_provider_cio.sandbox.up.DEFAULT_PORTS",
                {"redshift": taken, "s3": 0, "customerio": 0, "ads": 0},
            )
            ports = choose_ports({}, "127.0.0.1")
    assert ports.redshift not in (0, taken)


def test_a_busy_port_that_was_asked_for_is_an_error(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = busy.getsockname()[1]
        done = _run("up", "--folder", str(tmp_path), "--s3-port", str(taken))
    assert done.returncode == 1
    assert f"port {taken} for s3 is taken. Next step" in done.stderr


def test_a_port_asked_for_by_environment(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        monkeypatch.setenv("CIO_SANDBOX_CUSTOMERIO_PORT", str(busy.getsockname()[1]))
        with pytest.raises(PortError, match="CIO_SANDBOX_CUSTOMERIO_PORT"):
            choose_ports({}, "127.0.0.1")


def test_an_environment_that_asks_for_no_port(monkeypatch):
    monkeypatch.setenv("CIO_SANDBOX_S3_PORT", "many")
    with pytest.raises(PortError, match=r"CIO_SANDBOX_S3_PORT=many is no port. Next step"):
        choose_ports({}, "127.0.0.1")


def test_a_shop_in_it_and_no_second_sandbox(tmp_path):
    with _start(tmp_path) as sandbox:
        ready = _await_ready(sandbox, tmp_path)
        second = _run("up", "--folder", str(tmp_path))
        assert second.returncode == 1
        assert f"a sandbox runs in {tmp_path} already. Next step" in second.stderr
        loaded = _run("shop", "--folder", str(tmp_path), "--customers", "300")
        assert json.loads(loaded.stdout)["products"] == 12
        changed = _run("shop", "--folder", str(tmp_path), "--change", "2%")
        assert changed.stdout == "changed 6 customers\n"
        endpoints = ready.read_text()
        sandbox.send_signal(signal.SIGHUP)
        sandbox.stdout.read()
    assert (sandbox.returncode, ready.exists()) == (0, False)
    ready.write_text(endpoints)  # as one that was killed leaves it
    gone = _run("shop", "--folder", str(tmp_path))
    assert gone.returncode == 1
    assert "no sandbox answers at 127.0.0.1" in gone.stderr


def test_a_shop_without_a_sandbox(tmp_path):
    done = _run("shop", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "no sandbox runs in" in done.stderr
