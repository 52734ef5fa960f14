"""A task that is interrupted while Redshift works, as by its execution time-out."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest
import redshift_connector

from airflow_provider_cio.warehouse.session import Warehouse


class TimedOutError(BaseException):
    """What an execution time-out raises in the middle of anything."""


def test_an_interrupted_statement_is_not_waited_for(redshift_dsn: dict[str, Any]) -> None:
    def interrupt(*_: object) -> None:
        raise TimedOutError

    earlier = signal.signal(signal.SIGUSR1, interrupt)
    holder = redshift_connector.connect(**redshift_dsn)
    warehouse = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    watcher = Warehouse(lambda: redshift_connector.connect(**redshift_dsn))
    warehouse.run("CREATE TABLE held (id INTEGER)")
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE held")

    def when_it_waits() -> None:
        while not watcher.fetch("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGUSR1)

    thread = threading.Thread(target=when_it_waits)
    thread.start()
    try:
        with pytest.raises(
            TimedOutError
        ):  # the lock is still held: whoever waits for the statement hangs here
            warehouse.run("DELETE FROM held")
        assert warehouse.fetch("SELECT 1") == [(1,)]
    finally:
        thread.join()
        signal.signal(signal.SIGUSR1, earlier)
        holder.close()
        watcher.close()
        warehouse.close()
