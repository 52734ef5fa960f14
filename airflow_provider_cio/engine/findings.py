"""What the rows of a source get wrong, named while it is planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from airflow_provider_cio.core.contract.findings import RULES, Action, action_of
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.warehouse import diff, limits, stage
from airflow_provider_cio.warehouse.identities import MERGED
from airflow_provider_cio.warehouse.ledger import PreflightFinding
from airflow_provider_cio.warehouse.session import Session
from airflow_provider_cio.warehouse.source import Source

_SAMPLE = " A sample is SUBSTRING(SHA2(key, 256), 1, 12)."
_SEVERITY: Mapping[Action, Literal["stop", "warning", "notice"]] = {
    "fail": "stop",
    "skip": "warning",
    "truncate": "notice",
    "report": "notice",
}


def find_duplicates(ctx: SyncContext, session: Session) -> PreflightFinding | None:
    """Keys on more than one row, which stop a run unless the sync skips them."""
    keys, rows = session.fetch(stage.duplicate_counts())[0]
    if not keys:
        return None
    events = ctx.sync.kind == "events"
    key = "key" if events else f"identity.{ctx.sync.identifier}"
    if ctx.sync.partner is not None:
        key += f" and {ctx.sync.partner[0]}"
    thing = {"people": "person", "objects": "object"}.get(ctx.sync.kind, "thing")
    what = "event, so one of them would be lost" if events else f"{thing}, so attributes would flap"
    return PreflightFinding(
        "duplicate_key",
        "stop",
        f"{ctx.file}: {key}: {int(keys):,} keys occur on {int(rows):,} rows: several rows are one {what}.",
        field=key,
        rows=int(rows),
        samples=samples_of(session, stage.duplicate_samples()),
        next_step=RULES["duplicate_key"].fix + _SAMPLE,
    )


def find_withheld(
    ctx: SyncContext, session: Session, source: Source, withheld: Mapping[str, int]
) -> list[PreflightFinding]:
    """Rows that are not sent for what they lack. `withheld` counts rows by reason, '' those without one."""
    named_elsewhere = {check.finding for check in source.checks} | {MERGED, "several_emails_of_one"}
    return [
        found(ctx, reason, _place(ctx, reason), rows, samples_of(session, stage.withheld_samples(reason)))
        for reason, rows in sorted(withheld.items())
        if reason and reason not in named_elsewhere
    ]


def find_measured(ctx: SyncContext, session: Session, source: Source) -> Iterator[PreflightFinding]:
    """Rows that exceed a limit, field by field."""
    checks = source.checks
    keys = list(ctx.sync.values)
    for check, rows in zip(checks, session.fetch(limits.counts(checks, stage.STAGE))[0], strict=True):
        if rows:
            place = _place(ctx, check.finding)
            if check.position is not None:
                place = keys[check.position]
            samples = samples_of(session, stage.check_samples(check))
            yield found(ctx, check.finding, place, int(rows), samples, withheld=check.withholds)


def find_load_time(ctx: SyncContext, session: Session, rows: int) -> PreflightFinding | None:
    """Events whose time looks like that of a load: most of them share it with many others."""
    if ctx.sync.kind != "events":
        return None
    shared = int(session.fetch(stage.shared_moments())[0][0])
    if 2 * shared <= rows or not shared:
        return None
    samples = samples_of(session, stage.shared_moment_samples())
    return found(ctx, "occurred_at_is_load_time", "occurred_at", shared, samples)


def find_altered(ctx: SyncContext, session: Session, source: Source, rows: int) -> PreflightFinding:
    """Events that are no longer what was sent."""
    samples = samples_of(session, diff.change_samples(source, ctx.state, "altered"))
    return found(ctx, "event_changed_after_send", "", rows, samples)


def find_exits(
    ctx: SyncContext, session: Session, source: Source, changes: Mapping[str, int]
) -> Iterator[PreflightFinding]:
    """Rows whose exit, or whose return, is not what it seems."""
    for change, name in (("elsewhere", "exit_sent_by_another_sync"), ("barred", "suppressed_came_back")):
        if rows := changes.get(change):
            samples = samples_of(session, diff.change_samples(source, ctx.state, change))
            yield found(ctx, name, _place(ctx, name), rows, samples)


def found(
    ctx: SyncContext,
    name: str,
    place: str,
    rows: int,
    samples: tuple[str, ...],
    *,
    withheld: bool = False,
) -> PreflightFinding:
    """The finding that a rule of :data:`core.contract.findings.RULES` makes of so many rows."""
    rule, action = RULES[name], action_of(ctx.sync.findings, name)
    if name == "email_of_several" and ctx.sync.on_conflict == "stop":
        action = "fail"
    if withheld and action == "truncate":  # JSON cannot be cut
        action = "skip"
    done = {
        "fail": "nothing is planned",
        "skip": "they are withheld",
        "truncate": rule.cut,
        "report": "they are sent as they are" if name != "event_changed_after_send" else "",
    }[action]
    where = f"{place}: " if place else ""
    return PreflightFinding(
        name,
        _SEVERITY[action],
        f"{ctx.file}: {where}{rows:,} rows {rule.what}{': ' if done else ''}{done}.",
        field=place,
        rows=rows,
        samples=samples,
        next_step=rule.fix + (_SAMPLE if samples else ""),
    )


def said(ctx: SyncContext, name: str, place: str, rows: int, numbers: str) -> PreflightFinding:
    """The finding that a rule makes of what was measured; `numbers` is what the message says."""
    rule, action = RULES[name], action_of(ctx.sync.findings, name)
    where = f"{place}: " if place else ""
    return PreflightFinding(
        name,
        _SEVERITY[action],
        f"{ctx.file}: {where}{numbers}: {rule.what}.",
        field=place,
        rows=rows,
        next_step=rule.fix,
    )


def find_quarantined(ctx: SyncContext, session: Session, source: Source, rows: int) -> PreflightFinding:
    """Events that may be there or not, and can no longer be sent again without the danger of a second one."""
    return PreflightFinding(
        "event_undecided",
        "warning",
        f"{ctx.file}: {rows:,} events got no answer longer ago than `dedupe_horizon`; they are not sent again.",
        rows=rows,
        samples=samples_of(session, diff.change_samples(source, ctx.state, "quarantined")),
        next_step="look the event_id of cio_sync.undecided up in Customer.io; delete its row there to send it.",
    )


def _place(ctx: SyncContext, name: str) -> str:
    identity = f"identity.{ctx.sync.identifier}"
    partner = ctx.sync.partner[0] if ctx.sync.partner else ""
    places = {
        "partner": partner,
        "email": "attributes.email",
        "several": "attributes.email",
        "guest": "attributes.email",
        "exit": "on_exit",
        "suppressed": "on_exit",
        "phone_of": "attributes.phone",
        "phone": identity if not ctx.sync.mixed else "identity.phone",
        "merge": partner,
        "identifier": identity,
        "key": "key",
        "occurred_at": "occurred_at",
        "duplicate": "key" if ctx.sync.kind == "events" else identity,
    }
    return next((place for start, place in places.items() if name.startswith(start)), "")


def samples_of(session: Session, query: str) -> tuple[str, ...]:
    """Hashed keys that a query returns."""
    return tuple(str(row[0]) for row in session.fetch(query))
