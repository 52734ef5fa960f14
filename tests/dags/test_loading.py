"""What Airflow makes of the Dags folder: ours loads clean, and a broken sync harms no other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)

SHIPPED = Path(__file__).parents[2] / "dags"
OTHER = {"attributes": {"other": "name"}}
BROKEN = {
    "a typo": ({"ownr": "nobody"}, "ownr: unknown key: did you mean `owner`?"),
    "an impossible schedule": (
        {"cadence": "61 * * * *"},
        "'61 * * * *' is neither a cron expression nor a preset",
    ),
    "another's attribute": ({"attributes": {"name": "name"}}, "attributes.name: 'name' has two writers"),
    "no notifier": (
        {"deadline": {"within": "1h", "notify": {"notifier": "airflow.nowhere.Notifier"}}},
        "airflow.nowhere.Notifier cannot be imported",
    ),
    "a notifier that breaks": (
        {"deadline": {"within": "1h", "notify": {"notifier": "breaking_notifier.Notifier"}}},
        "Airflow cannot make a Dag of it (RuntimeError: broken on import)",
    ),
}


@pytest.fixture
def shop(dags: Dags) -> Dags:
    """A good sync."""
    dags.sync("people", **dags.people)
    return dags


@pytest.fixture
def parsed(shop: Dags, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Parse the loader as the Dag processor does: (dag ids, import errors by file)."""

    def parse() -> tuple[set[str], dict[str, str]]:
        import structlog
        from airflow.dag_processing.processor import _serialize_dags

        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "client")
        bag = shop.bag()
        serialized, errors = _serialize_dags(bag, structlog.get_logger())
        return {dag.dag_id for dag in serialized}, bag.import_errors | errors

    return parse


def test_our_folder_has_no_import_errors(airflow_home: Path) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(str(SHIPPED), bundle_path=SHIPPED, bundle_name="dags-folder")
    assert bag.import_errors == {}
    assert set(bag.dags) == {f"cio_sync_{file.stem}" for file in SHIPPED.glob("syncs/*.yaml")} | {
        "example_customers_in_one_task",
        "cio_enrichment",
        "cio_reporting_messages",
        "cio_monitoring",
        "cio_audience_cart_recovery",
        "cio_audience_suppression_purchasers",
        "cio_audience_winback",
    }
    for dag in bag.dags.values():
        assert dag.description
        assert dag.catchup is False
        assert dag.max_active_runs == 1
        assert "customerio" in dag.tags
    for name, dag in bag.dags.items():
        if name.startswith("cio_sync_"):
            assert dag.owner == "retention team"
            assert dag.deadline
            assert "| from |" in dag.doc_md
            assert {task.retries for task in dag.tasks if task.task_id != "verdict"} == {3}


@pytest.mark.parametrize("file", sorted(SHIPPED.rglob("*.py")), ids=lambda file: file.name)
def test_dag_files_import_only_what_is_public_and_are_found_by_airflow(file: Path) -> None:
    text = file.read_text()
    modules = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    ours = {module for module in modules if module and module.startswith("airflow_provider_cio")}
    assert all(module.split(".")[1] in {"templates", "transfers"} for module in ours)
    assert "airflow" in text.lower()
    assert "dag" in text.lower()


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_sync_is_an_import_error_of_its_own(
    case: str, shop: Dags, parsed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking_notifier.py").write_text('raise RuntimeError("broken on import")\n')
    monkeypatch.syspath_prepend(tmp_path)
    changes, message = BROKEN[case]
    file = shop.sync("broken", **shop.people | OTHER | changes)
    dag_ids, errors = parsed()
    assert dag_ids == {"cio_sync_people"}
    assert set(errors) == {"syncs/broken.yaml"}
    assert message in errors["syncs/broken.yaml"]
    assert str(file) in errors["syncs/broken.yaml"] or "deadline.notify" in errors["syncs/broken.yaml"]

    shop.sync("broken", **shop.people | OTHER)
    assert parsed() == ({"cio_sync_people", "cio_sync_broken"}, {})


def test_a_broken_reporting_file_harms_no_other(shop: Dags, parsed: Any) -> None:
    (shop.folder / "cio_reporting.py").write_text((SHIPPED / "cio_reporting.py").read_text())
    folder = shop.folder / "reporting"
    folder.mkdir()
    (folder / "good.yaml").write_text("first_day: 2026-01-01\nroutes: {app_api: {streams: [campaigns]}}\n")
    (folder / "broken.yaml").write_text("first_day: 2026-01-01\nroutes: {app_api: {streams: [campains]}}\n")
    dag_ids, errors = parsed()
    assert dag_ids == {"cio_sync_people", "cio_reporting_good"}
    assert set(errors) == {"reporting/broken.yaml"}
    assert "there is no stream 'campains'" in errors["reporting/broken.yaml"]


def test_the_dag_processor_keeps_the_others_scheduled(shop: Dags) -> None:
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    shop.sync("broken", **shop.people | OTHER | {"ownr": "nobody"})
    process_dags()
    with create_session() as session:
        (error,) = session.scalars(select(ParseImportError)).all()
        assert error.filename == "syncs/broken.yaml"
        assert "ownr: unknown key: did you mean `owner`?" in error.stacktrace
        people = session.get(DagModel, "cio_sync_people")
        assert (people.is_stale, people.has_import_errors) == (False, False)
        session.execute(delete(ParseImportError))


def test_whoever_else_loads_the_folder_gets_the_good_ones(
    shop: Dags, caplog: pytest.LogCaptureFixture
) -> None:
    """`airflow dags reserialize` serialises all Dags at once: one that refuses would take all others down."""
    shop.sync("broken", **shop.people | OTHER | {"ownr": "nobody"})
    bag = shop.bag()
    assert (set(bag.dags), bag.import_errors) == ({"cio_sync_people"}, {})
    assert "did you mean `owner`?" in caplog.text


def test_a_worker_loads_only_the_dag_of_its_task(shop: Dags, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sync("broken", **shop.people | OTHER | {"ownr": "nobody"})
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "cio_sync_people")
    assert set(shop.bag().dags) == {"cio_sync_people"}
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "cio_sync_broken")
    assert "did you mean `owner`?" in shop.bag().import_errors["cio_syncs.py"]


def test_a_contract_that_does_not_load_is_named_for_each_sync(shop: Dags, parsed: Any) -> None:
    (shop.folder / "contract.yaml").write_text("workspace: [\n")
    dag_ids, errors = parsed()
    assert (dag_ids, set(errors)) == (set(), {"syncs/people.yaml"})
    assert "contract.yaml:" in errors["syncs/people.yaml"]


def process_dags() -> None:
    """One round of the real Dag processor over the Dags folder of this process's Airflow."""
    subprocess.run(
        [sys.executable, "-m", "airflow", "dag-processor", "--num-runs", "1"],
        check=True,
        capture_output=True,
        timeout=120,
    )
