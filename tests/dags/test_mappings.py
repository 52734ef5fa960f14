"""The mapping tests of the syncs that ship, as a team would run its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from airflow_provider_cio.core.mapping_tests import cases

DAGS = Path(__file__).parents[2] / "dags"


@pytest.mark.parametrize("case", cases(DAGS), ids=str)
def test_mapping(case):
    case.check()


def test_a_wrong_expectation_names_file_line_and_both_values():
    case = cases(DAGS)[0]
    test = case.file.sync.tests[0]
    wrong = test.model_copy(update={"expect": {"action": "delete"}})
    sync = case.file.sync.model_copy(update={"tests": [wrong]})
    with pytest.raises(AssertionError, match=r'customers.yaml:\d+: .*expected "delete", rendered "identify"'):
        replace(case, file=replace(case.file, sync=sync)).check()
