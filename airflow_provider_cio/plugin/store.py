"""What Airflow's database knows of syncs, audiences and routes: their snapshots, whose they are, what runs now.

A fixed number of queries, whatever there is to show.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow._shared.state import AssetScope
from airflow.models.asset import AssetActive, AssetModel, TaskOutletAssetReference
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.state import get_state_backend
from sqlalchemy import func, select

from airflow_provider_cio.core.snapshot import (
    ALERTS,
    DETAIL,
    SUMMARY,
    Detail,
    Snapshot,
    Subject,
    Summary,
    read_alerts,
    read_detail,
    read_summary,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_URI = "customerio://"
_SUBJECTS: tuple[Subject, ...] = ("sync", "audience", "reporting")
_FAILED_WITHIN = timedelta(days=2)


@dataclass(frozen=True)
class AirflowRun:
    """A run by Airflow's account."""

    run_id: str
    at: datetime | None


@dataclass(frozen=True)
class Entry:
    """One sync, audience or route. `summary` is None until its first run ended."""

    asset_id: int
    subject: Subject
    name: str
    dag_id: str
    summary: Summary | None = None
    paused: bool = False
    running: AirflowRun | None = None
    failed: AirflowRun | None = None
    """The latest failed run of two days."""


def entries(session: Session, readable: Collection[str] | None, dag_id: str | None = None) -> list[Entry]:
    """Those whose Dag is among `readable` (None: all), or of one of these Dags, by subject and name."""
    stored = (
        select(
            AssetModel.id,
            AssetModel.uri,
            AssetStateStoreModel.value,
            AssetStateStoreModel.last_updated_by_dag_id,
        )
        .join(AssetActive, (AssetActive.name == AssetModel.name) & (AssetActive.uri == AssetModel.uri))
        .outerjoin(
            AssetStateStoreModel,
            (AssetStateStoreModel.asset_id == AssetModel.id) & (AssetStateStoreModel.key == SUMMARY),
        )
        .where(AssetModel.uri.startswith(_URI))
        .order_by(AssetModel.uri)
    )
    producers = dict(
        session.execute(
            select(TaskOutletAssetReference.asset_id, func.min(TaskOutletAssetReference.dag_id))
            .join(AssetModel, AssetModel.id == TaskOutletAssetReference.asset_id)
            .where(AssetModel.uri.startswith(_URI))
            .group_by(TaskOutletAssetReference.asset_id)
        ).all()
    )
    found = []
    for asset_id, uri, value, writer in session.execute(stored):
        subject, _, name = str(uri).removeprefix(_URI).partition("/")
        owner = writer or producers.get(asset_id)
        if owner is None or subject not in _SUBJECTS:
            continue
        if (readable is None or owner in readable) and dag_id in {None, owner}:
            summary = read_summary(value) if value else None
            found.append(Entry(asset_id, subject, name, owner, summary))
    return _with_runs(session, _with_alerts(session, found))


def detail(session: Session, entry: Entry) -> Detail:
    """The long part of a snapshot."""
    text = session.scalar(
        select(AssetStateStoreModel.value).where(
            AssetStateStoreModel.asset_id == entry.asset_id, AssetStateStoreModel.key == DETAIL
        )
    )
    return read_detail(text) if text else Detail()


def replace(session: Session, entry: Entry, taken: Snapshot) -> None:
    """Put another snapshot in the place of one; whose it is stays as it is."""
    backend, scope = get_state_backend(), AssetScope(asset_id=entry.asset_id)
    for key, part in ((SUMMARY, taken.summary), (DETAIL, taken.detail)):
        value = part.model_dump(mode="json", exclude_defaults=key == DETAIL)
        backend.set(scope, key, json.dumps(value), session=session)


def _with_alerts(session: Session, found: list[Entry]) -> list[Entry]:
    """The monitoring may have found more (or less) since a snapshot was taken."""
    text = session.scalar(select(AssetStateStoreModel.value).where(AssetStateStoreModel.key == ALERTS))
    known = read_alerts(text) if text else None
    if known is None:
        return found

    def newer(entry: Entry) -> Entry:
        if entry.summary is None or entry.summary.taken_at > known.taken_at:
            return entry
        subject = (entry.subject, entry.name)
        alerts = [each for each in known.alerts if (each.subject_kind, each.subject) == subject]
        return dataclasses.replace(entry, summary=entry.summary.model_copy(update={"alerts": alerts}))

    return [newer(entry) for entry in found]


def _with_runs(session: Session, found: list[Entry]) -> list[Entry]:
    dags = {entry.dag_id for entry in found}
    paused = set(
        session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.in_(dags), DagModel.is_paused))
    )
    running = _latest(session, dags, DagRun.state.in_(("running", "queued")))
    since = datetime.now(UTC) - _FAILED_WITHIN
    failed = _latest(session, dags, DagRun.state == "failed", DagRun.run_after >= since)
    return [
        dataclasses.replace(
            entry,
            paused=entry.dag_id in paused,
            running=running.get(entry.dag_id),
            failed=failed.get(entry.dag_id),
        )
        for entry in found
    ]


def _latest(session: Session, dags: set[str], *conditions: object) -> dict[str, AirflowRun]:
    newest = select(func.max(DagRun.id)).where(DagRun.dag_id.in_(dags), *conditions).group_by(DagRun.dag_id)  # type: ignore[arg-type]
    rows = session.execute(
        select(DagRun.dag_id, DagRun.run_id, func.coalesce(DagRun.end_date, DagRun.run_after)).where(
            DagRun.id.in_(newest)
        )
    )
    return {dag_id: AirflowRun(run_id, at) for dag_id, run_id, at in rows}
