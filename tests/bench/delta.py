"""The diff in Redshift, and a whole run in which a few rows changed, over a real (local) Redshift.

The local Redshift is PostgreSQL: seconds say nothing about a cluster; ratios say what planning adds to plain SQL.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

from clock import line
from ours import Sender
from rows import PEOPLE
from stack import Stack

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.guard import check
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.warehouse import stage, state
from airflow_provider_cio.warehouse.session import Session

DIFF_ROWS, DIFF_EVERY = 5_000_000, 50
DELTA_ROWS, DELTA_EVERY = 1_000_000, 40
TEXTS = [f"a{i}" for i in range(12)]


def diff(sender: Sender, scale: float) -> None:
    """Planning, against a join on a hash as one would write it by hand, and against a scan of both sides."""
    rows = int(DIFF_ROWS * scale)
    context = _context(sender, "diff", rows)
    _accept_all(context)
    warehouse = context.warehouse
    source, known = "cio_marts.bench_diff", context.state
    hashed = "SHA2(id || '|' || " + " || '|' || ".join(f"COALESCE({name}, '')" for name in TEXTS) + ", 256)"
    warehouse.run(
        f"CREATE TABLE cio_marts.plain_state AS SELECT id AS row_key, {hashed} AS hash FROM {source}"
    )
    _change(context, DIFF_EVERY)

    def planned(run_id: str) -> None:
        ctx = replace(context, run_id=run_id)
        counts = make_plan(ctx).counts
        assert (counts.changed, counts.unchanged) == (rows // DIFF_EVERY, rows - rows // DIFF_EVERY)

    def plain(run_id: str) -> None:
        name = f"cio_marts.plain_{run_id.replace('-', '_')}"
        warehouse.run(
            f"CREATE TABLE {name} AS SELECT s.* FROM (SELECT *, {hashed} AS hash FROM {source}) AS s "
            "LEFT JOIN cio_marts.plain_state AS t ON t.row_key = s.id WHERE t.hash IS NULL OR t.hash <> s.hash"
        )
        assert warehouse.fetch(f"SELECT COUNT(*) FROM {name}")[0][0] == rows // DIFF_EVERY

    def scanned(_: str) -> None:
        widths = " + ".join(f"OCTET_LENGTH({name})" for name in ["id", *TEXTS])
        warehouse.fetch(f"SELECT SUM({widths}) FROM {source}")
        warehouse.fetch(f"SELECT SUM(OCTET_LENGTH(row_key) + OCTET_LENGTH(payload_hash)) FROM {known}")

    line(
        f"\nDiff of {rows:,} rows with {100 / DIFF_EVERY:g} % changed (the whole of planning, findings included)"
    )
    ours, sql, scan = (_seconds(work, "diff-0") for work in (planned, plain, scanned))
    line(
        f"  plan {ours:.1f} s, plain SQL {sql:.1f} s, scan of both sides {scan:.1f} s: "
        f"{ours / sql:.2f} x the plain SQL, {ours / scan:.2f} x the scan"
    )


def delta(stack: Stack, sender: Sender, scale: float) -> None:
    """A whole run in which 2.5 % changed against the run that sent everything."""
    rows = int(DELTA_ROWS * scale)
    context = replace(_context(sender, "delta", rows), track=sender.track(stack.sink.url))
    stack.sink.set()
    full, full_cpu = _whole_run(context, "delta-full")
    _change(context, DELTA_EVERY)
    part, part_cpu = _whole_run(context, "delta-part")
    assert (full.accepted, part.accepted) == (rows, rows // DELTA_EVERY)
    line(f"\nRun over {rows:,} people with {100 / DELTA_EVERY:g} % changed, against sending all of them")
    for name, of_all, of_some in (
        ("requests", full.requests, part.requests),
        ("bytes", full.bytes, part.bytes),
        ("CPU s of this process", full_cpu, part_cpu),
    ):
        line(f"  {name:24}{of_all:14,.2f}{of_some:14,.2f}  {of_some / of_all:.4f} of it")


def _whole_run(context: SyncContext, run_id: str) -> tuple[RunReport, float]:
    began = time.process_time()
    ctx = replace(context, run_id=run_id)
    plan = make_plan(ctx).plan_id
    check(ctx, plan)
    for shard in unload(ctx, plan):
        send_shard(ctx, plan, shard["shard"], "1")
    return commit(ctx, plan), time.process_time() - began


def _context(sender: Sender, name: str, rows: int) -> SyncContext:
    """A people sync over a new table of so many rows, with no limit on what may change."""
    warehouse, source = sender.context.warehouse, f"cio_marts.bench_{name}"
    warehouse.run("CREATE SCHEMA IF NOT EXISTS cio_marts")
    warehouse.run(f"DROP TABLE IF EXISTS {source}")
    columns = ", ".join(f"{text} VARCHAR(100)" for text in TEXTS)
    warehouse.run(f"CREATE TABLE {source} (id VARCHAR(50), {columns})")
    digits = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10))
    places = list(zip("abcdefgh", itertools.count(), strict=False))[: len(str(max(1, rows - 1)))]
    number = " + ".join(f"{10**power} * {letter}.n" for letter, power in places)
    tens = ", ".join(f"({digits}) AS {letter}" for letter, _ in places)
    texts = ", ".join(f"'value {place} of ' || i" for place in range(len(TEXTS)))
    warehouse.run(
        f"INSERT INTO {source} SELECT 'c' || i, {texts} FROM (SELECT {number} AS i FROM {tens}) AS numbers "
        f"WHERE i < {rows}"
    )
    sync = Sync.model_validate(
        {
            **PEOPLE.model_dump(exclude_unset=True),
            "name": name,
            "source": source,
            "backfill": {"journeys_paused": True},
        }
    )
    state.ensure_tables(warehouse, name)
    return replace(sender.context, sync=sync)


def _accept_all(context: SyncContext) -> None:
    """As if a run had sent every row: state holds what the source holds now."""

    def work(session: Session) -> None:
        session.run(stage.read(resolve(context, session)))
        session.run(
            f"INSERT INTO {context.state} (row_key, present, payload_hash, mapping, plan_id, synced_at) "
            f"SELECT row_key, TRUE, payload_hash, '{context.mapping}', 'bench', GETDATE() FROM {stage.STAGE}"
        )
        session.run(f"DROP TABLE {stage.STAGE}")

    context.warehouse.transaction(work)


def _change(context: SyncContext, every: int) -> None:
    """Other values for one row in so many."""
    context.warehouse.run(
        f"UPDATE {context.sync.source} SET a3 = 'changed' WHERE CAST(SUBSTRING(id, 2) AS BIGINT) % {every} = 0"
    )


def _seconds(work: Callable[[str], None], run_id: str) -> float:
    began = time.perf_counter()
    work(run_id)
    return time.perf_counter() - began
