"""Rules about time: a cadence that the deadline can live with, and syncs that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from croniter import croniter

from airflow_provider_cio.core.findings import Finding, Folder, SyncFile

_WITHOUT_INTERVAL = frozenset({"@once", "@continuous"})
_FIRINGS = 50


def interval(cadence: str) -> timedelta | None:
    """The shortest time between two runs; None for presets without a rhythm.

    :raises ValueError: neither a cron expression of five fields nor a preset.
    """
    if cadence in _WITHOUT_INTERVAL:
        return None
    if not cadence.startswith("@") and len(cadence.split()) != 5:
        raise ValueError(f"'{cadence}' is not a cron expression of five fields")
    try:
        firings = croniter(cadence, datetime(2024, 1, 1, tzinfo=UTC), ret_type=datetime)
        moments: list[datetime] = [firings.get_next() for _ in range(_FIRINGS)]
    except (ValueError, KeyError) as error:
        raise ValueError(f"'{cadence}' is neither a cron expression nor a preset such as @hourly") from error
    return min((later - earlier for earlier, later in pairwise(moments)), default=None)


def cadence_keeps_the_deadline(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """A source that runs hourly cannot promise a quarter of an hour."""
    sync = file.sync
    if sync.cadence is None:
        if sync.deadline and not sync.after:
            yield file.warning(
                ("deadline",), "a sync without `cadence` or `after` is never due", "give it a cadence"
            )
        return
    try:
        every = interval(sync.cadence)
    except ValueError as error:
        yield file.error(("cadence",), str(error), "write for example '*/15 * * * *' or '@daily'")
        return
    if every and sync.deadline and every > sync.deadline.within:
        yield file.error(
            ("cadence",),
            f"runs every {spelled(every)} cannot keep a deadline of {spelled(sync.deadline.within)}",
            "run more often, or promise less",
        )


def after_a_people_sync(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """`after` names a people sync of this folder."""
    after = file.sync.after
    if after is None:
        if file.sync.kind == "events" and any(other.sync.kind == "people" for other in folder.files.values()):
            yield file.warning(
                ("kind",),
                "an event sync without `after` can start a journey on a profile that is not there yet",
                "name the people sync that it waits for: `after: NAME`",
            )
        return
    known = folder.files.get(after)
    if after not in folder.names:
        yield file.error(("after",), f"there is no sync '{after}'", "name a people sync of this folder")
    elif known is not None and known.sync.kind != "people":
        yield file.error(
            ("after",), f"'{after}' is not a people sync", "name the sync that brings the people"
        )


def spelled(time: timedelta) -> str:
    """`90s`, `15m`, `6h` or `2d`: the largest unit that fits."""
    seconds = int(time.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
