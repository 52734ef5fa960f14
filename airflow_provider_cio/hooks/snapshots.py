"""The snapshot of a sync, audience or route, kept in Airflow's state store of its asset.

Why there and not in S3: docs/decisions/0140-page.md.
"""

from __future__ import annotations

import json
import logging
from contextlib import closing
from typing import Any

from airflow.sdk import Asset

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.contract import Connections, Contract, Sync
from airflow_provider_cio.core.snapshot import ALERTS, DETAIL, SUMMARY, About, read_summary
from airflow_provider_cio.warehouse.session import Warehouse

log = logging.getLogger(__name__)


def keep(context: Any, asset: Asset, warehouse: Warehouse, about: About) -> None:
    """Take a snapshot and keep it. The task names the asset among its inlets or outlets.

    A page that is out of date is no reason to fail a run, so whatever goes wrong is logged.
    """
    from airflow_provider_cio.engine.snapshot import take

    try:
        taken = take(warehouse, about)
        store = context["asset_state_store"][asset]
        store.set(SUMMARY, taken.summary.model_dump(mode="json"))
        store.set(DETAIL, taken.detail.model_dump(mode="json", exclude_defaults=True))
    except Exception as error:  # noqa: BLE001 - the run itself is done and well
        log.warning("The page keeps its last snapshot of %s: %s", about.name, error)


def keep_mended(context: Any) -> None:
    """A last task's `on_success_callback`: a snapshot that shows open alerts is taken again, for they may be over.

    Of each asset of the task that has a snapshot; never raises.
    """
    from airflow_provider_cio.hooks.warehouse import open_warehouse

    task = context["task"]
    for asset in {
        each.uri: each for each in (*task.inlets, *task.outlets) if isinstance(each, Asset)
    }.values():
        try:
            kept = read_summary(json.dumps(context["asset_state_store"][asset].get(SUMMARY)))
            if kept is None or not kept.alerts:
                continue
            with closing(open_warehouse(Connections(redshift=kept.about.redshift))) as warehouse:
                keep(context, asset, warehouse, kept.about)
        except Exception as error:  # noqa: BLE001 - the run itself is done and well
            log.warning("The page keeps its last snapshot of %s: %s", asset.name, error)


def monitoring_asset() -> Asset:
    """What the monitoring announces, and where its open alerts are kept for the page."""
    return Asset(name="customerio_monitoring", uri="customerio://monitoring/alerts", group="customerio")


def keep_alerts(context: Any, warehouse: Warehouse) -> None:
    """Keep all open alerts; the task names :func:`monitoring_asset` among its inlets or outlets. Never raises."""
    from airflow_provider_cio.engine.snapshot import open_alerts

    try:
        taken = open_alerts(warehouse)
        context["asset_state_store"][monitoring_asset()].set(ALERTS, taken.model_dump(mode="json"))
    except Exception as error:  # noqa: BLE001 - the checks themselves are done
        log.warning("The page keeps its last alerts: %s", error)


def of_sync(sync: Sync, contract: Contract) -> About:
    """What a sync's file says of it."""
    return About(
        subject="sync",
        name=sync.name,
        kind=f"event {sync.event}" if sync.event else sync.kind,
        description=sync.description,
        owner=sync.owner,
        source=sync.source or "a SQL file",
        cadence=sync.cadence or (f"after {sync.after}" if sync.after else "by hand"),
        deadline=sync.deadline.within.total_seconds() if sync.deadline else None,
        workspace=contract.workspace,
        **_places(contract.connections),
    )


def of_audience(audience: Audience, contract: Contract) -> About:
    """What an audience's file says of it."""
    return About(
        subject="audience",
        name=audience.name,
        kind=audience.purpose,
        description=audience.description,
        owner=audience.owner,
        source=audience.source or audience.sql or f"segment {audience.segment}",
        cadence=audience.cadence or "by hand",
        deadline=audience.deadline.within.total_seconds() if audience.deadline else None,
        workspace=contract.workspace,
        **_places(contract.connections),
    )


def of_reporting(source: str, *, owner: str, connections: Connections) -> About:
    """A route of reporting."""
    return About(
        subject="reporting",
        name=source,
        kind="reporting",
        description=f"What Customer.io did, by the route {source}",
        owner=owner,
        **_places(connections),
    )


def _places(connections: Connections) -> dict[str, str]:
    return {"redshift": connections.redshift, "aws": connections.aws}
