"""What the page costs the API server: 5 and 500 syncs, each with a snapshot as a year of runs leaves it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clock import line

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))
FEW, MANY, ROUNDS = 5, 500, 9
RUNS, DAYS, REASONS, WITH_REJECTS = 60, 400, 20, 10
"""The most that a snapshot holds: `warehouse/snapshot.py` and `engine/snapshot.py`."""
SUMMARY, DETAIL = "the list", "a sync"


def main() -> None:
    """Requests to Airflow's own application, with a SQLite database, in this process: CPU seconds and bytes."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AIRFLOW__API_AUTH__JWT_SECRET": "of-the-bench-and-long-enough-for-sha-512-which-wants-64-bytes-at-least",
        }
        subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
        _measure()


def _measure() -> None:
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from page_lab import Board
    from starlette.testclient import TestClient

    board, found = Board(), dict[tuple[str, int], tuple[float, int]]()
    line(f"{'':10}{'syncs':>7}{'CPU ms':>9}{'bytes':>11}{'compressed':>12}")
    with TestClient(create_app(apps="core")) as client:
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="bench", role="admin"))
        headers = {"Authorization": f"Bearer {token}"}

        def asked(path: str) -> Callable[[], Any]:
            return lambda: client.get(f"/customerio/{path}", headers=headers).raise_for_status()

        filled = 0
        for count in (FEW, MANY):
            for number in range(filled, count):
                _publish(board, number)
            filled = count
            for name, path in ((SUMMARY, ""), (DETAIL, "dags/cio_sync_sync_003?days=365")):
                seconds, size, sent = _median(asked(path))
                found[name, count] = seconds, size
                line(f"{name:10}{count:7}{seconds * 1e3:9.1f}{size:11,}{sent:12,}")
    (few, _), (many, size) = found[SUMMARY, FEW], found[SUMMARY, MANY]
    line(f"A hundred times the syncs cost the list {many / few:.1f} times, and {size / MANY:,.0f} bytes each")
    line(f"... and a sync {found[DETAIL, MANY][0] / found[DETAIL, FEW][0]:.1f} times")


def _median(ask: Callable[[], Any]) -> tuple[float, int, int]:
    answer = ask()  # templates are compiled, and statements planned
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        ask()
        seconds.append(time.process_time() - began)
    return statistics.median(seconds), len(answer.content), answer.num_bytes_downloaded


def _publish(board: Any, number: int) -> None:
    """A sync that runs every 15 minutes, and all of whose lists are full."""
    from made_snapshots import run

    from airflow_provider_cio.core.snapshot import Day, Detail, Drifted, Found, Reject

    now = datetime.now(UTC).replace(microsecond=0)
    runs = [
        run(
            run_id=f"scheduled__{now - timedelta(minutes=15 * n):%Y-%m-%dT%H:%M:%S}+00:00",
            plan_id=f"01KAX{n:021}",
            finished_at=now - timedelta(minutes=15 * n - 4),
            source=1_204_113,
            unchanged=1_203_000,
            accepted=1000 + 9 * n,
            rejected=3,
            seconds=214.5,
        )
        for n in range(RUNS)
    ]
    days = [
        Day(
            day=f"{now - timedelta(days=n):%Y-%m-%d}",
            runs=96,
            accepted=96_000 + n,
            rejected=n % 7,
            seconds=20_592.0,
        )
        for n in range(DAYS, 0, -1)
    ]
    reasons = [f"reason number {n} of Customer.io" for n in range(REASONS)]
    rejects = [
        Reject(
            plan_id=each.plan_id,
            kind="permanent",
            reason=reason,
            field="email",
            rows=2,
            samples=["9f86d081884c"] * 5,
        )
        for each in runs[:WITH_REJECTS]
        for reason in reasons
    ]
    detail = Detail(
        runs=runs,
        days=days,
        rejects=rejects,
        drift=[Drifted(reason=reason, field="tier", rows=3) for reason in reasons],
        findings=[Found(name=reason, severity="notice", rows=3, message=reason * 4) for reason in reasons],
    )
    board.publish(
        f"sync_{number:03}",
        detail=detail,
        last=runs[0],
        recent=[each.accepted for each in reversed(runs[:30])],
        taken_at=now,
        delivered_at=now,
        owner=f"team-{number % 9}",
        description="People with their state of retention",
    )


if __name__ == "__main__":
    main()
