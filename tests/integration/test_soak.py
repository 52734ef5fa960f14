"""A long campaign: 90,000 people and as many events, with the destination failing now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import RejectedRowsError, RetriableError

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
ROWS = 90_000
FAULTS = [
    {"route": "/api/v2/batch", "status": 500, "times": 3, "after": 20},
    {"route": "/api/v2/batch", "status": "reset_after", "times": 3, "after": 30},
    {"route": "/api/v2/batch", "status": 429, "times": 5, "after": 10, "retry_after": 0},
    {"route": "/api/v2/batch", "status": "reset_before", "times": 3, "after": 5},
]


def _until_done(context: SyncContext) -> int:
    """Run again in the same run, as Airflow retries, until it succeeds; the number of tries."""
    for attempt in range(1, 20):
        try:
            run_sync(context)
        except (RetriableError, RejectedRowsError):
            continue
        return attempt
    pytest.fail("twenty tries were not enough")


@pytest.mark.parametrize("kind", ["people", "events"])
def test_every_row_arrives_once(lab: Lab, kind: str) -> None:
    if kind == "people":
        lab.customers(ROWS)
        sync = lab.people(rows_per_shard=10_000)
    else:
        lab.orders(ROWS, people=5_000)
        sync = lab.events(rows_per_shard=10_000)
    lab.faults(*FAULTS)
    _until_done(lab.context(sync))
    assert lab.stats()[kind] == ROWS
    again = run_sync(lab.context(sync, "run-2"))
    assert (again.sent, again.counts.unchanged) == (0, ROWS)
