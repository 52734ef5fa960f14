"""monitoring.yaml: what it refuses, what it overrides, and that the run-book knows every alert and error."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_cio import exceptions
from airflow_provider_cio.core.watch.checks import CHECKS
from airflow_provider_cio.core.watch.metrics import METRICS
from airflow_provider_cio.core.watch.monitoring_file import Monitoring, load_monitoring
from airflow_provider_cio.exceptions import ContractError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("owner: me\nchecks:\n  volum: {warning: 3}\n", "there is no check 'volum'"),
        ("owner: me\nchecks:\n  volume: {warnin: 3}\n", "did you mean `?warning"),
        ("owner: me\nquiet_hours: {start: '22:00', end: '07:00', time_zone: Mars}\n", "not a time zone"),
        (
            "owner: me\nknown_anomalies:\n  - {start: 2026-11-30, end: 2026-11-27, reason: sale}\n",
            "'sale' ends before it starts",
        ),
        ("cadence: '@hourly'\n", "owner: this key is needed"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    file = tmp_path / "monitoring.yaml"
    file.write_text(text)
    with pytest.raises(ContractError, match=message) as refused:
        load_monitoring(file)
    assert str(file) in str(refused.value)


def test_a_subject_overrides_what_holds_for_all():
    given = Monitoring.model_validate(
        {
            "owner": "me",
            "checks": {"volume": {"warning": 5}, "drift": False},
            "overrides": {"orders": {"volume": {"season": "hour_of_week", "history": "90d"}, "drift": {}}},
        }
    )
    everybody, orders = given.of("volume", "people"), given.of("volume", "orders")
    assert everybody is not None
    assert orders is not None
    assert (everybody.over("volume").warning, everybody.over("volume").season) == (5, "day_of_week")
    assert (orders.over("volume").warning, orders.over("volume").history) == (4, timedelta(days=90))
    assert given.of("drift", "people") is None
    assert given.of("drift", "orders") is not None
    assert given.of("attribute_nulls", "people") is None  # off unless it is named


def test_known_anomalies_end_before_their_end():
    (known,) = Monitoring.model_validate(
        {"owner": "me", "known_anomalies": [{"start": "2026-11-27", "end": "2026-11-28", "reason": "sale"}]}
    ).known_anomalies
    assert known.covers("people", datetime(2026, 11, 27))
    assert not known.covers("people", datetime(2026, 11, 28, tzinfo=UTC))


def test_the_shipped_file_loads():
    assert load_monitoring(ROOT / "dags/monitoring.yaml").owner


def test_the_run_book_has_a_section_for_every_alert_and_error():
    anchors = set(re.findall(r"^### (.*)$", (ROOT / "docs/how-to/run-book.md").read_text(), re.MULTILINE))
    errors = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    leaves = errors - {"CustomerIOProviderError", "FatalError", "RetriableError"}
    assert leaves <= anchors
    wanted = {name.replace("_", " ").capitalize() for name in (*CHECKS, "deadline", "failed")}
    assert wanted <= anchors
    link = Monitoring(owner="me", runbook="https://x/run-book").link("no_run")
    assert link == "https://x/run-book#no-run"


def test_every_check_of_a_metric_names_one_that_is_written():
    for check in CHECKS.values():
        if check.metric:
            kind, metric = check.metric
            assert metric in METRICS[kind]


def test_every_metric_is_described():
    page = (ROOT / "docs/reference/tables.md").read_text()
    assert all(f"| `{name}` |" in page for metrics in METRICS.values() for name in metrics)
