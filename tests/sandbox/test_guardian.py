from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airflow_provider_cio.sandbox.guardian import spawn

TREE = "sleep 300 & echo $! >pids; echo $$ >>pids; wait"
OWNER = """
import sys, time
from pathlib import Path
from airflow_provider_cio.sandbox.guardian import spawn
spawn(["sh", "-c", sys.argv[1]], log=Path("log"))
time.sleep(300)
"""


def _until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def _pids(folder: Path) -> list[int]:
    _until(lambda: (folder / "pids").exists() and len((folder / "pids").read_text().split()) == 2)
    return [int(pid) for pid in (folder / "pids").read_text().split()]


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_stop_ends_the_program_and_its_children(tmp_path):
    guarded = spawn(["sh", "-c", TREE], log=tmp_path / "log", cwd=tmp_path)
    pids = _pids(tmp_path)
    assert not any(map(_gone, pids))
    guarded.stop()
    assert all(map(_gone, pids))


def test_kill_ends_children_in_sessions_of_their_own(tmp_path):
    tree = "setsid sh -c 'trap : TERM; echo $$ >>pids; sleep 300; sleep 300' & echo $$ >>pids; wait"
    guarded = spawn(["sh", "-c", tree], log=tmp_path / "log", cwd=tmp_path)
    pids = _pids(tmp_path)
    guarded.kill()
    assert guarded.poll() is not None
    assert all(map(_gone, pids))


def test_a_killed_owner_takes_the_tree_with_it(tmp_path):
    with subprocess.Popen([sys.executable, "-c", OWNER, TREE], cwd=tmp_path) as owner:
        pids = _pids(tmp_path)
        owner.kill()
    _until(lambda: all(map(_gone, pids)))


@pytest.mark.parametrize("status", [0, 3])
def test_the_programs_status_is_told(tmp_path, status):
    guarded = spawn(["sh", "-c", f"exit {status}"], log=tmp_path / "log")
    _until(lambda: guarded.poll() is not None)
    assert guarded.poll() == status
    guarded.stop()
