"""States of alerts, outages and quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from airflow_provider_cio.core.watch.alerting import Alert, QuietHours, level_of, next_state, to_tell
from airflow_provider_cio.core.watch.metrics import Subject

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def alert(name: str = "volume", **changes: object) -> Alert:
    subject = Subject("sync", "people")
    made = Alert(name, name, subject, "", name, "retention", "https://runbook", "ok", "as usual", "run-1")
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "verdict", "after"),
    [
        (None, "learning", "learning"),
        (None, "ok", "ok"),
        ("learning", "ok", "ok"),
        ("ok", "warning", "warning"),
        ("warning", "critical", "critical"),
        ("critical", "warning", "warning"),
        ("critical", "ok", "recovered"),
        ("warning", "ok", "recovered"),
        ("recovered", "ok", "ok"),
        ("recovered", "critical", "critical"),
        ("critical", "learning", "critical"),
        ("critical", "no_data", "critical"),
    ],
)
def test_states(before, verdict, after):
    assert next_state(before, verdict) == after


def test_each_change_of_level_is_told_once():
    told: list[str] = []
    now = alert()
    for verdict in (
        "ok",
        "warning",
        "warning",
        "critical",
        "critical",
        "warning",
        "ok",
        "ok",
        "critical",
        "ok",
    ):
        now = replace(now, state=next_state(now.state, verdict))  # type: ignore[arg-type]
        messages, joined = to_tell([now], NOON)
        told += [message.state for message in messages]
        assert not joined
        now = replace(now, told=level_of(now.state))
    assert told == ["warning", "critical", "warning", "recovered", "critical", "recovered"]


def test_one_outage_of_many_alerts_is_one_message_and_ends_with_the_last():
    bad = [alert(name, group="redshift", state="critical") for name in "abc"]
    (message,), _ = to_tell(bad, NOON)
    assert [each.alert for each in message.alerts] == ["a", "b", "c"]
    assert message.text.splitlines()[0] == "CRITICAL: 3 alerts of one cause (redshift)"
    known = [replace(each, told="critical") for each in bad]
    late = alert("d", group="redshift", state="critical")
    assert to_tell([*known, late], NOON) == ([], [late])
    mended = [replace(each, state="recovered") for each in known[:2]]
    messages, joined = to_tell([*mended, known[2]], NOON)
    assert (messages, joined) == ([], mended)
    (message,), _ = to_tell([replace(each, state="recovered") for each in known], NOON)
    assert message.state == "recovered"


def test_every_owner_hears_of_an_outage():
    messages, _ = to_tell(
        [alert(owner, group="redshift", owner=owner, state="critical") for owner in ("crm", "data")], NOON
    )
    assert [message.owner for message in messages] == ["crm", "data"]


QUIET = QuietHours(time(22), time(7), "Europe/London")


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        (datetime(2026, 1, 1, 21, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 1, 22, 0, tzinfo=UTC), True),
        (datetime(2026, 1, 2, 6, 59, tzinfo=UTC), True),
        (datetime(2026, 1, 2, 7, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 1, 21, 30, tzinfo=UTC), True),  # summer time
    ],
)
def test_quiet_hours_go_by_the_zone(moment, quiet):
    assert QUIET.at(moment) is quiet


def test_a_quiet_night_waits_unless_it_is_critical():
    night, morning = datetime(2026, 1, 1, 3, tzinfo=UTC), datetime(2026, 1, 1, 8, tzinfo=UTC)
    warning = alert(state="warning")
    assert to_tell([warning], night, QUIET) == ([], [])
    assert [each.state for each in to_tell([warning], morning, QUIET)[0]] == ["warning"]
    assert to_tell([replace(warning, state="recovered")], morning, QUIET) == ([], [])  # it mended by itself
    assert [each.state for each in to_tell([alert(state="critical")], night, QUIET)[0]] == ["critical"]


def test_the_text_names_owner_and_run_book():
    (message,), _ = to_tell([alert(state="warning", message="12 rows, usually 100 to 140")], NOON)
    assert message.text == (
        "WARNING: volume: 12 rows, usually 100 to 140\nOwner: retention. Run-book: https://runbook"
    )
