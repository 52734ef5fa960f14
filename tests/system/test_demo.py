"""The demo as a stranger runs it: as a process, twice, and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]

CUSTOMERS = 300


def _demo(folder: Path, *options: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "airflow_provider_cio.sandbox.demo", "--folder", str(folder)]
    return subprocess.Popen(
        [*argv, "--customers", str(CUSTOMERS), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _running(folder: Path) -> list[str]:
    """Command lines and environments of processes that mention the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told and int(process.name) != os.getpid():
            found.append(
                f"{process.name} {(process / 'cmdline').read_bytes().replace(bytes(1), b' ').decode()}"
            )
    return found


def _until_nothing_runs(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while left := _running(folder):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.2)


def _last_line(process: subprocess.Popen[str]) -> dict:
    output, _ = process.communicate(timeout=800)
    assert process.returncode == 0, output
    return json.loads(output.rstrip().splitlines()[-1])["demo"]


@pytest.mark.parametrize(
    ("moment", "how"), [("starting Redshift", signal.SIGINT), ("starting the API server", signal.SIGTERM)]
)
def test_interrupted_it_leaves_nothing_behind(tmp_path, moment, how):
    _interrupt(tmp_path, moment, how)


def test_killed_in_the_middle_the_next_start_works(tmp_path):
    _interrupt(tmp_path, "customers: unload", signal.SIGKILL)
    _accounted_for(tmp_path)


@pytest.mark.soak
def test_a_second_demo_sends_nothing(tmp_path):
    first = _accounted_for(tmp_path)
    second = _last_line(_demo(tmp_path, "--once"))
    _until_nothing_runs(tmp_path)
    assert second["people"]["sent"] == second["events"]["sent"] == 0
    assert second["people"]["unchanged"] == CUSTOMERS
    assert second["customerio"] == first["customerio"]


def _accounted_for(tmp_path: Path) -> dict:
    first = _last_line(_demo(tmp_path, "--once"))
    _until_nothing_runs(tmp_path)
    assert first["people"]["rows"] == first["customerio"]["people"] == CUSTOMERS
    assert first["events"]["rows"] == first["customerio"]["events"] > 0
    back = first["came_back"]
    assert (
        back["made"]
        == back["messages"]
        == back["customers"]
        >= back["sent"]
        > back["opened"]
        > back["clicked"]
        > 0
    )

    assert set(first["audiences"]) == {"cart_recovery", "winback", "suppression_purchasers"}
    for destinations in first["audiences"].values():
        assert len(destinations) == 6
        assert all(found["members"] >= found["uploaded"] > 0 for found in destinations)
        assert all(found["unsettled"] == 0 for found in destinations)

    return first


def _interrupt(folder: Path, moment: str, how: signal.Signals) -> None:
    with _demo(folder, "--once") as demo:
        for line in demo.stdout:
            if moment in line:
                break
        else:
            pytest.fail(f"the demo never said '{moment}'")
        demo.send_signal(how)
        demo.stdout.read()
    assert demo.returncode != 0
    _until_nothing_runs(folder)
