"""Names of date parts ("Date parts for date or timestamp functions")."""

from __future__ import annotations

import re

from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused

_NAMES = {
    "millennium": "millennia mil mils",
    "century": "centuries c cent cents",
    "decade": "decades dec decs",
    "year": "years y yr yrs",
    "quarter": "quarters qtr qtrs",
    "month": "months mon mons",
    "week": "weeks w",
    "day": "days d",
    "hour": "hours h hr hrs",
    "minute": "minutes m min mins",
    "second": "seconds s sec secs",
    "millisecond": "milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
    "microsecond": "microseconds us usec usecs usecond useconds microsec microsecs",
}
_READ_ONLY = {
    "dow": "dayofweek dw weekday",
    "doy": "dayofyear dy yearday",
    "epoch": "",
    "timezone": "",
    "timezone_hour": "",
    "timezone_minute": "",
}
_SPANS = {"quarter": "3 months", "decade": "10 years", "century": "100 years", "millennium": "1000 years"}


def _unit_of(names: dict[str, str]) -> dict[str, str]:
    return {name: unit for unit, others in names.items() for name in (unit, *others.split())}


_COUNTED = _unit_of(_NAMES)
_READ = _COUNTED | _unit_of(_READ_ONLY)


def counted(part: str) -> str:
    """The full name of a part that can be counted or added, written bare or in quotes.

    :raises SqlRefused: no such part.
    """
    return _known(part, _COUNTED)


def read(part: str) -> str:
    """The full name of a part that EXTRACT and DATE_PART know.

    :raises SqlRefused: no such part.
    """
    return _known(part, _READ)


def span(unit: str) -> str:
    """The length of a unit, as an interval's text."""
    return _SPANS.get(unit, f"1 {unit}")


def _known(part: str, units: dict[str, str]) -> str:
    bare = re.fullmatch(r"""['"]?(\w+)['"]?""", part)
    unit = units.get(bare[1].lower()) if bare else None
    if unit is None:
        raise SqlRefused(f"date part {part} is not supported here", "22023")
    return unit
