"""Whether a window outlives the time until a destination shows its members."""

from __future__ import annotations

from datetime import timedelta

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.schedule_rules import interval, spelled


def too_short(audience: Audience, lag: timedelta) -> str | None:
    """In words, that members are gone before anybody sees them; None where the window is long enough, or none.

    :param lag: from being a member to being shown.
    :raises ValueError: the cadence is none.
    """
    if audience.member_for is None or audience.despite_lag:
        return None
    window = audience.member_for - (audience.from_age or timedelta())
    cadence = interval(audience.cadence) if audience.cadence else None
    needed = lag + (cadence or timedelta())
    if window >= needed:
        return None
    return (
        f"a window of {spelled(window)} has passed before it shows: lag and cadence come to {spelled(needed)}"
    )
