from __future__ import annotations

import shlex
from dataclasses import fields

from airflow_provider_cio.core.report import PlanCounts, RunReport
from airflow_provider_cio.core.report_text import canonical_line, table

REPORT = RunReport(
    "people",
    "01PLAN",
    'manual run "x"',
    "partial",
    PlanCounts(
        source_rows=1_200_000, tracked=3, added=1_000_000, changed=2, unchanged=199_990, unidentified=8
    ),
    sent=1_000_000,
    accepted=999_990,
    rejected=10,
    unsent=2,
    requests=750,
    seconds=100.0,
)


def test_the_line_holds_every_number_and_can_be_split_again() -> None:
    line = canonical_line(REPORT)
    assert "\n" not in line
    name, *pairs = shlex.split(line)
    values = dict(pair.split("=", 1) for pair in pairs)
    assert name == "customerio.run"
    assert (values["run_id"], values["accepted"], values["added"]) == ('manual run "x"', "999990", "1000000")
    expected = {field.name for field in (*fields(RunReport), *fields(PlanCounts))} - {"counts"}
    assert values.keys() == expected


def test_the_table_is_for_people() -> None:
    text = table(REPORT)
    assert text.startswith("Sync people: partial in 100.0 s, 10,000 rows/s\n")
    assert "  outcome   accepted                   999,990" in text
    assert "  source    rows                     1,200,000" in text
    assert len({len(row) for row in text.splitlines()[1:]}) == 1
