"""When a sync runs: as soon as the mart that it reads is fresh, and by its cadence if no build comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.models.settings import load_models


def mart_asset(name: str) -> Asset:
    """What a build announces of a mart."""
    return Asset(name=f"customerio_mart_{name}", uri=f"customerio://mart/{name}", group="customerio")


def schedule_of(sync: Sync, folder: Path) -> Any:
    """The schedule of a sync without `after`: its cadence, and its mart's Asset where `models.yaml` builds it.

    :param folder: of contract.yaml and models.yaml.
    """
    models_file = folder / "models.yaml"
    if sync.source is None or sync.cadence is None or not models_file.is_file():
        return sync.cadence
    schema, _, name = sync.source.lower().partition(".")
    if schema != load_models(models_file).schemas.marts:
        return sync.cadence
    timetable = CronTriggerTimetable(sync.cadence, timezone="UTC")
    return AssetOrTimeSchedule(timetable=timetable, assets=[mart_asset(name)])
