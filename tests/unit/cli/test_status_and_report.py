"""`airflow cio status` and `report` say what the page says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from made_snapshots import run

from airflow_provider_cio.core.snapshot import Alert, Day, Destination, Detail

if TYPE_CHECKING:
    from page_lab import Board

pytest_plugins = ("page_lab",)
Cio = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cio(board: Board, capsys: pytest.CaptureFixture[str]) -> Cio:
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()

    def call(*arguments: str) -> tuple[int, str, str]:
        args = parser.parse_args(["cio", *arguments])
        status = 0
        try:
            args.func(args)
        except SystemExit as left:
            status = int(left.code or 0)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_status(cio: Cio, board: Board) -> None:
    board.publish("people", owner="retention", drift=3, last=run(lag=7200.0, rejected=4))
    board.publish("new")
    status, out, _ = cio("status", "-o", "json")
    assert status == 0
    new, people = json.loads(out)
    assert (new["name"], new["state"], new["accepted"]) == ("new", "no run yet", None)
    assert (people["state"], people["accepted"], people["rejected"], people["drift"]) == ("late", 10, 4, 3)
    assert "promised" in people["why"]
    _, table, _ = cio("status")
    for cell in ("people", "late", "2 h of 1 h", "retention"):
        assert cell in table


def test_status_of_nothing(cio: Cio) -> None:
    assert cio("status") == (
        0,
        "",
        "Nothing has been announced yet: Airflow has read no sync, audience or reporting file.\n",
    )


MONDAY = date(2026, 11, 16)


def publish_two_weeks(board: Board) -> None:
    days = [
        Day(day=f"{MONDAY + timedelta(days=n):%Y-%m-%d}", runs=2, bad=n % 2, accepted=100 + n, rejected=n)
        for n in range(-7, 8)
    ]
    measured = [
        Destination(
            name="meta",
            members=1000,
            uploaded=900,
            size=size,
            match_rate=size / 9,
            measured_at=datetime(2026, 11, day, tzinfo=UTC),
        )
        for day, size in ((15, 1), (17, 700), (20, 720), (23, 2))
    ]
    alert = Alert(name="reject_rate", severity="critical", message="<b>too many</b>")
    board.publish(
        "people", owner="retention", detail=Detail(days=days, destinations=measured), alerts=[alert]
    )


def test_a_week_in_markdown(cio: Cio, board: Board) -> None:
    publish_two_weeks(board)
    status, out, _ = cio("report", "--week", "2026-W47")
    assert status == 0
    assert "# Customer.io, 2026-11-16 to 2026-11-22" in out
    this, before = sum(100 + n for n in range(7)), sum(100 + n for n in range(-7, 0))
    assert f"{this:,} rows delivered in 14 runs, 3 of them not wholly; 21 rows refused; 1 open alerts" in out
    assert f"| people | delivered | {this:,} | {before:,} | +7 % | 21 | 0 | 14 | 3 |" in out
    assert "▁▁▁▁▁▁▁▁▁▁▁▁▁▁█" in out.replace("▇", "█")
    assert "720 (from 700)" in out
    assert "80.0 % (from 77.8 %)" in out


def test_a_week_in_html(cio: Cio, board: Board) -> None:
    publish_two_weeks(board)
    _, out, _ = cio("report", "--week", "2026-W47", "-o", "html")
    assert out.startswith("<!doctype html>")
    assert out.count("<svg") == 1
    assert "2026-11-20: 104 accepted, 4 rejected" in out
    assert "2026-11-23: 107" not in out
    assert "&lt;b&gt;too many" in out
    assert "http" not in out.replace("http://www.w3.org", "")


def test_no_week(cio: Cio) -> None:
    status, out, err = cio("report", "--week", "soon")
    assert (status, out) == (1, "")
    assert "--week soon is no week. Next step: write it as 2026-W47." in err
