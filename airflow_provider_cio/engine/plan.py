"""Decide what a run sends, and freeze it."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Any

from ulid import ULID

from airflow_provider_cio.core.report import PlanCounts
from airflow_provider_cio.engine import commit, evolution
from airflow_provider_cio.engine.cio_ids import look_up_changed
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.findings import (
    find_altered,
    find_duplicates,
    find_exits,
    find_load_time,
    find_measured,
    find_quarantined,
    find_withheld,
)
from airflow_provider_cio.engine.holding import find_held, what_may_go
from airflow_provider_cio.engine.identity_findings import find_differing, find_identities
from airflow_provider_cio.engine.leanness import find_heavy
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.measure import measure
from airflow_provider_cio.engine.preflight import record
from airflow_provider_cio.engine.review import review, samples
from airflow_provider_cio.engine.source import resolve
from airflow_provider_cio.exceptions import CustomerIOProviderError, FatalError, SourceError
from airflow_provider_cio.warehouse import diff, history, identities, ledger, stage, state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.identities import MERGED
from airflow_provider_cio.warehouse.ledger import Plan, PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

__all__ = ["Plan", "describe", "load", "make_plan"]

log = logging.getLogger(__name__)
KEEP_CHANGES_DAYS = 7


def make_plan(ctx: SyncContext) -> Plan:
    """Get or create this run's plan, and take the sync's lease.

    The run's open plan is resumed. What another run left is first committed, then its plan is closed.

    :raises SourceError: the source breaks its own key; nothing is planned.
    :raises LeaseLostError: another run of the sync is alive.
    """
    state.ensure_tables(ctx.warehouse, ctx.sync.name)
    lease = Lease(ctx).acquire()
    try:
        for earlier in _unfinished(ctx):
            if (earlier.run_id, earlier.status, earlier.mapping) == (ctx.run_id, "open", ctx.mapping):
                return earlier
            commit.take_over(ctx, earlier)
        _drop_old_changes(ctx)
        draft = ctx.warehouse.transaction(lambda session: _freeze(ctx, session))
        record(ctx, "plan", draft.findings)
        plan = _accepted(draft)
    except BaseException:
        lease.release()
        raise
    log.info("Plan %s of sync %s: %s", plan.plan_id, ctx.sync.name, plan.counts)
    if plan.counts.to_send:
        changes = state.changes_table(ctx.schema, ctx.sync.name, plan.plan_id)
        shown = ctx.warehouse.transaction(lambda session: samples(session, changes))
        log.info("Sample keys: %s", ", ".join(f"{each['key_hash']} ({each['operation']})" for each in shown))
    return plan


def describe(ctx: SyncContext, rate: float = 100.0) -> dict[str, Any]:
    """What a run would do now, as :func:`engine.review.review` tells it, and the findings.

    Nothing is kept, and nobody's lease is needed. `rate`: requests a second.
    """

    def look(session: Session) -> dict[str, Any]:
        state.ensure_in(session, ctx.schema, ctx.sync.name)
        draft = _freeze(ctx, session)
        shown: dict[str, Any] = {
            "sync": ctx.sync.name,
            "counts": draft.counts.to_dict(),
            "to_send": draft.counts.to_send,
        }
        if draft.plan is not None:
            whole = ctx.selection is None  # shares of a part say nothing about the whole
            guards = measure(ctx, session, draft.plan) if whole else []
            shown = review(ctx, session, draft.plan, resolve(ctx, session), rate=rate, guards=guards)
        return shown | {"findings": [found.to_dict() for found in draft.findings]}

    return ctx.warehouse.transaction(look, keep=False)


def load(ctx: SyncContext, plan_id: str) -> Plan:
    """A plan that may still be worked on by this run.

    :raises FatalError: it is unknown, closed, of another run, or the sync's mapping changed since.
    """
    condition = f"plan_id = {sql.literal(plan_id)} AND sync = {sql.literal(ctx.sync.name)}"
    found = ctx.warehouse.transaction(lambda session: ledger.find_plans(session, ctx.schema, condition))
    if not found:
        raise FatalError(f"Sync '{ctx.sync.name}' has no plan {plan_id}.", next_step="start a new run.")
    plan = found[0]
    if plan.status in {"closed", "dropped"}:
        raise FatalError(
            f"Plan {plan_id} of sync '{ctx.sync.name}' is closed: a later run took over.",
            next_step="nothing is lost: what was not sent is in the later plan, or in a new run's.",
        )
    if plan.mapping != ctx.mapping:
        raise FatalError(
            f"{ctx.file} changed after plan {plan_id} was made.",
            next_step="start a new run; it plans with the new mapping.",
        )
    return plan


@dataclass(frozen=True)
class _Draft:
    counts: PlanCounts
    findings: list[PreflightFinding]
    plan: Plan | None = None


def _unfinished(ctx: SyncContext) -> list[Plan]:
    condition = f"sync = {sql.literal(ctx.sync.name)} AND status IN ('open', 'stopped', 'committed')"
    return ctx.warehouse.transaction(lambda session: ledger.find_plans(session, ctx.schema, condition))


def _freeze(ctx: SyncContext, session: Session) -> _Draft:
    """The whole of planning in one transaction: stage, findings, counts, CTAS, plan row."""
    source = replace(resolve(ctx, session), allowed=what_may_go(ctx, session))
    draft, plan_id = _draft(ctx, session, source), str(ULID())
    shape = evolution.shape_of(ctx, session, source, draft.counts.source_rows)
    if ctx.selection is None:
        draft.findings.extend(evolution.find_changes(ctx, session, plan_id, shape))
    draft.findings.extend(find_held(ctx, session, source))
    if not stops(draft.findings):
        shards = min(diff.MAX_SHARDS, max(1, math.ceil(draft.counts.to_send / ctx.sync.rows_per_shard)))
        if draft.counts.to_send:
            changes = state.changes_table(ctx.schema, ctx.sync.name, plan_id)
            session.run(diff.freeze(source, ctx.state, changes, shards))
        plan = Plan(
            plan_id=plan_id,
            sync=ctx.sync.name,
            kind=ctx.sync.kind,
            run_id=ctx.run_id,
            status="open",
            mapping=ctx.mapping,
            columns=tuple(column for _, column in source.fields),
            counts=draft.counts,
            shards=shards,
            prefix=f"{ctx.sync.name}/{plan_id}/",
        )
        ledger.insert_plan(session, ctx.schema, plan)
        if ctx.sync.kind == "people":
            shares = state.table(ctx.schema, "identity_shares")
            for statement in identities.shares(
                shares, ctx.sync.name, plan_id, stage.STAGE, source.emails, ctx.sync.identifiers
            ):
                session.run(statement)
        if ctx.selection is None:
            history.write_shape(session, ctx.schema, ctx.sync.name, plan_id, shape)
        draft = _Draft(draft.counts, draft.findings, plan)
    session.run(f"DROP TABLE {stage.STAGE}")
    return draft


def _draft(ctx: SyncContext, session: Session, source: Source) -> _Draft:
    session.run(stage.read(source))
    look_up_changed(ctx, session, source)
    withheld = {str(reason): int(rows) for reason, rows in session.fetch(stage.withheld_counts())}
    findings = [*find_withheld(ctx, session, source, withheld), *find_measured(ctx, session, source)]
    findings += [*find_heavy(ctx, session, source), *find_differing(ctx, session, source)]
    duplicates = find_duplicates(ctx, session)
    if duplicates is not None:  # the diff would multiply them
        counts = PlanCounts(source_rows=sum(withheld.values()), unidentified=_without_key(withheld))
        return _Draft(counts, [*findings, duplicates] if stops(findings) else [duplicates, *findings])
    if crowded := find_load_time(ctx, session, withheld.get("", 0)):
        findings.append(crowded)
    changes = {
        str(change): int(rows) for change, rows in session.fetch(diff.change_counts(source, ctx.state))
    }
    if altered := changes.get("altered", 0):
        findings.append(find_altered(ctx, session, source, altered))
    findings += find_exits(ctx, session, source, changes)
    findings += find_identities(ctx, session, source, changes, withheld)
    merged, merges = withheld.pop(MERGED, 0), changes.get("merges", 0)
    if quarantined := changes.get("quarantined", 0):
        findings.append(find_quarantined(ctx, session, source, quarantined))
    tracked = session.fetch(f"SELECT COUNT(*) FROM {ctx.state} WHERE present")[0][0]
    counts = PlanCounts(
        source_rows=sum(withheld.values()) + merged,
        tracked=int(tracked),
        added=changes.get("added", 0) + changes.get("returned", 0),
        changed=changes.get("changed", 0) + merges,
        unchanged=changes.get("unchanged", 0) + altered + merged - merges,
        exited=changes.get("exited", 0),
        unidentified=_without_key(withheld) + changes.get("barred", 0),
        quarantined=changes.get("quarantined", 0),
    )
    return _Draft(counts, findings)


def stops(findings: list[PreflightFinding]) -> bool:
    """Whether one of them stops the run."""
    return any(found.severity == "stop" for found in findings)


def _without_key(withheld: dict[str, int]) -> int:
    return sum(rows for reason, rows in withheld.items() if reason)


def _accepted(draft: _Draft) -> Plan:
    if draft.plan is not None:
        return draft.plan
    stop = next(found for found in draft.findings if found.severity == "stop")
    samples = f" Samples: {', '.join(stop.samples)}." if stop.samples else ""
    raise SourceError(stop.message + samples, next_step=stop.next_step)


def _drop_old_changes(ctx: SyncContext) -> None:
    """Frozen plans and their shards hold personal data: they go a week after their plan was closed."""

    def drop(session: Session) -> list[Plan]:
        condition = (
            f"sync = {sql.literal(ctx.sync.name)} AND status = 'closed' "
            f"AND closed_at < DATEADD(day, -{KEEP_CHANGES_DAYS}, GETDATE())"
        )
        old = ledger.find_plans(session, ctx.schema, condition)
        for plan in old:
            session.run(
                f"DROP TABLE IF EXISTS {state.changes_table(ctx.schema, ctx.sync.name, plan.plan_id)}"
            )
            ledger.update_plan(session, ctx.schema, plan.plan_id, status="dropped")
        return old

    for plan in ctx.warehouse.transaction(drop):
        try:
            ctx.bucket.delete(plan.prefix)
        except CustomerIOProviderError as error:
            log.warning("The shards of the old plan %s were not deleted: %s", plan.plan_id, error)
