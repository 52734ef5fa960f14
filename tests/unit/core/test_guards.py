from __future__ import annotations

import pytest

from airflow_provider_cio.core.contract import Guards
from airflow_provider_cio.core.guards import evaluate
from airflow_provider_cio.core.report import PlanCounts, RunReport

OPEN = Guards(min_rows=0, max_exit_pct=None, max_unidentified_pct=100)


def stopped(guards: Guards, counts: PlanCounts) -> list[str]:
    return [result.name for result in evaluate(guards, counts) if not result.ok]


@pytest.mark.parametrize(
    ("guard", "at_the_limit", "over"),
    [
        ({"min_rows": 10}, {"source_rows": 10}, {"source_rows": 9}),
        ({"max_change_pct": 10}, {"tracked": 100, "changed": 10}, {"tracked": 100, "changed": 11}),
        ({"max_exit_pct": 20}, {"tracked": 100, "exited": 20}, {"tracked": 100, "exited": 21}),
        ({"max_added": 5}, {"added": 5}, {"added": 6}),
        (
            {"max_unidentified_pct": 5},
            {"source_rows": 100, "unidentified": 5},
            {"source_rows": 100, "unidentified": 6},
        ),
    ],
)
def test_each_guard_stops_just_over_its_limit(
    guard: dict[str, float], at_the_limit: dict[str, int], over: dict[str, int]
) -> None:
    guards = OPEN.model_copy(update=guard)
    assert stopped(guards, PlanCounts(**at_the_limit)) == []
    assert stopped(guards, PlanCounts(**over)) == list(guard)


def test_a_first_sync_has_no_share_to_exceed() -> None:
    assert stopped(Guards(max_change_pct=0, max_exit_pct=0), PlanCounts(source_rows=5, added=5)) == []


def test_the_message_names_the_measure_and_the_guard() -> None:
    result = evaluate(Guards(max_exit_pct=20), PlanCounts(source_rows=9, tracked=1000, exited=255))[1]
    assert (result.measured, result.limit) == (25.5, 20)
    assert result.message == "25.5% of tracked rows left, over max_exit_pct 20"


def test_a_report_survives_json() -> None:
    counts = PlanCounts(source_rows=7, added=3, changed=2, unchanged=2)
    report = RunReport("people", "p1", "r1", "partial", counts, sent=5, accepted=4, rejected=1, requests=1)
    assert RunReport.from_dict(report.to_dict()) == report
    assert report.rejected_pct == 20.0
    assert counts.to_send == 5


def test_a_report_refuses_a_status_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="none of"):
        RunReport("people", "p1", "r1", "fine")  # type: ignore[arg-type]
