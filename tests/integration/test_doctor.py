"""`airflow cio doctor` on an installation that is well, and on sick ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from dag_lab import Dags

pytest_plugins = ("dag_lab",)


@pytest.fixture
def doctor(lab: Any, dags: Dags, capsys: pytest.CaptureFixture[str]) -> Callable[[], Any]:
    """The findings by level, and the exit status."""
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()
    dags.sync("people", **dags.people)

    def call() -> tuple[int, dict[str, str], dict[str, str]]:
        args = parser.parse_args(["cio", "doctor", str(dags.folder), "-o", "json"])
        status = 0
        try:
            args.func(args)
        except SystemExit as left:
            status = int(left.code or 0)
        found = json.loads(capsys.readouterr().out)
        well = {each["what"]: each["said"] for each in found if each["level"] == "ok"}
        wrong = {each["what"]: f"{each['said']} {each['fix']}" for each in found if each["level"] == "wrong"}
        assert all(each["fix"] for each in found if each["level"] != "ok")
        return status, well, wrong

    return call


def test_well(lab: Any, doctor: Any) -> None:
    status, well, wrong = doctor()
    assert wrong == {}
    assert status == 0
    assert {"Redshift", "bucket", "region", "role", "clock", "Track API", "App API", "page"} <= well.keys()
    assert list(lab.bucket.listing("doctor/")) == []


def test_sick(lab: Any, dags: Dags, doctor: Any) -> None:
    lab.run("DROP TABLE cio_marts.customers CASCADE")
    dags.contract(dags.staging, "arn:aws:iam::123456789012:user/nobody")
    file = dags.folder / "contract.yaml"
    file.write_text(file.read_text() + "send_pool: nowhere\n")
    status, _, wrong = doctor()
    assert status == 1
    assert "cio_marts.customers" in wrong["grants"]
    assert "airflow pools set nowhere 10" in wrong["pool"]
    assert "airflow cio grants" in wrong["role"]
