"""Child processes that never outlive the one who started them.

``spawn`` starts a program in a session of its own, under a guardian that reads from a pipe of the caller.
When the caller closes the pipe, or dies in whatever way (SIGKILL too), the guardian ends the whole process
group: TERM first, KILL after ten seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

import psutil

GRACE_SECONDS = 10.0


class Guarded:
    """A running program and its guardian."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        """Exit status of the program, or None while it runs."""
        return self._process.poll()

    def end(self) -> None:
        """Have the program and everything it started ended; does not wait."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """KILL the program and everything that descends from it, in whatever session; returns when it is gone."""
        for descendant in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                descendant.kill()
        self.stop()

    def stop(self) -> None:
        """End the program and everything it started; returns when all of it is gone."""
        self.end()
        self._process.wait()


def spawn(
    argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Guarded:
    """Start ``argv`` with its output appended to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow_provider_cio.sandbox.guardian", *argv],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
        )
    return Guarded(process)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _end_group(group: int, child: subprocess.Popen[bytes]) -> None:
    for number, grace in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
        deadline = time.monotonic() + grace
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        while time.monotonic() < deadline:
            child.poll()
            if not _alive(group):
                return
            time.sleep(0.05)


def _guard(argv: Sequence[str]) -> int:
    ending = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True)

    def await_owner() -> None:
        while os.read(0, 1024):
            pass
        ending.set()

    threading.Thread(target=await_owner, daemon=True).start()
    while child.poll() is None and not ending.wait(0.1):
        pass
    if _alive(child.pid):
        _end_group(child.pid, child)
    return child.poll() or 0


if __name__ == "__main__":
    sys.exit(_guard(sys.argv[1:]))
