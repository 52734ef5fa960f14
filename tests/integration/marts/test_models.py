"""The unit tests of models that ship, and that such a test can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_cio.core.models.testcases import load_tests
from airflow_provider_cio.engine.enrichment.model_tests import run_case
from airflow_provider_cio.exceptions import ContractError

pytest_plugins = ("marts_lab",)
ROOT = Path(__file__).parents[3]
FILES = {file.stem: load_tests(file) for file in sorted((ROOT / "sql/tests").glob("*.yaml"))}


@pytest.mark.parametrize("name", FILES)
def test_rows_in_rows_out(enrichment, name):
    failures = [run_case(enrichment, FILES[name], case) for case in FILES[name].cases]
    assert [str(failure) for failure in failures if failure] == []


def test_every_mart_has_rows_in_and_rows_out():
    marts = {file.stem for file in (ROOT / "sql/marts").glob("*.sql")}
    assert marts == {tests.model for tests in FILES.values()}
    assert all(tests.model == name for name, tests in FILES.items())


def test_a_wrong_expectation_fails(enrichment):
    tests = FILES["recent_purchasers"]
    case = tests.cases[0].model_copy(update={"expect": [{"customer_id": "C2"}]})
    failure = run_case(enrichment, tests, case)
    assert failure is not None
    assert (failure.missing, failure.unexpected) == (["['C2']"], ["['C1']"])
    assert enrichment.warehouse.fetch("SELECT * FROM cio_sync.model_builds") == []


def test_an_unknown_column_is_named_with_its_line(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(
        "model: recent_purchasers\ncases:\n  - name: x\n    as_of: 2026-01-01 00:00:00\n"
        "    given: {orders: [{totl: 1}]}\n    expect: []\n"
    )
    with pytest.raises(ContractError, match=r"x.yaml:5: cases\[0\].given: .*orders has no column totl"):
        load_tests(file)
