"""The verbs of a run in which nothing changed, over a real (local) Redshift.

The diff happens in Redshift, so what this process does is the same for any number of rows: a source of 20,000
stands for 1,000,000 here, because the local Redshift takes long for more.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

from ours import Sender
from rows import PEOPLE

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.guard import check
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.preflight import preflight
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload

ROWS = 20_000
SYNC = Sync.model_validate(
    {
        **PEOPLE.model_dump(exclude_unset=True),
        "name": "unchanged",
        "source": "cio_marts.bench",
        "backfill": {"journeys_paused": True},
    }
)


def no_change(sender: Sender) -> Callable[[], None]:
    """Send the source once, and give the run that finds nothing to do."""
    warehouse = sender.context.warehouse
    warehouse.run("CREATE SCHEMA cio_marts")
    columns = [f"a{i} VARCHAR(100)" for i in range(12)]
    warehouse.run(f"CREATE TABLE cio_marts.bench (id VARCHAR(50), {', '.join(columns)})")
    warehouse.run("CREATE TABLE cio_marts.digits (n INTEGER)")
    warehouse.run("INSERT INTO cio_marts.digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
    number = "a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n"
    tens = ", ".join(f"cio_marts.digits {name}" for name in "abcde")
    texts = ", ".join(f"'value {i} of ' || i" for i in range(12))
    warehouse.run(
        f"INSERT INTO cio_marts.bench SELECT 'c' || i, {texts} "
        f"FROM (SELECT {number} AS i FROM {tens} WHERE {number} < {ROWS}) AS numbers"
    )
    runs = (f"unchanged-{i}" for i in itertools.count())
    track = sender.track(sender.stack.customerio)

    def run(expected: int) -> None:
        context = replace(sender.context, sync=SYNC, run_id=next(runs), track=track)
        preflight(context)
        plan = make_plan(context).plan_id
        check(context, plan)
        shards = unload(context, plan)
        for shard in shards:
            send_shard(context, plan, shard["shard"], "1")
        assert commit(context, plan).counts.to_send == expected

    run(ROWS)
    return lambda: run(0)
