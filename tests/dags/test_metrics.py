"""What a run tells Airflow's metrics backend."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)


class Backend:
    """A metrics backend that keeps what it is told."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.tags: dict[str, Any] = {}

    def incr(self, stat: str, count: int = 1, rate: float = 1, *, tags: Any = None) -> None:
        self.counts[stat] += count
        self.tags[stat] = tags

    def timing(self, stat: str, dt: Any, *, tags: Any = None) -> None:
        self.counts[stat] += 1
        self.tags[stat] = tags

    def decr(self, *args: Any, **kwargs: Any) -> None: ...

    def gauge(self, *args: Any, **kwargs: Any) -> None: ...

    def timer(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("we measure no timers")


@pytest.fixture
def backend(dags: Dags, monkeypatch: pytest.MonkeyPatch) -> Backend:
    from airflow_provider_cio.hooks import metrics

    backend = Backend()
    monkeypatch.setattr(metrics, "Stats", backend)
    return backend


DAG_FILE = """
from airflow.sdk import DAG
from airflow_provider_cio.transfers.redshift_to_customerio import RedshiftToCustomerIO

with DAG("one_task", schedule=None) as dag:
    RedshiftToCustomerIO(task_id="people", sync_file={file!r}, retries=0)
"""


def one_task(dags: Dags, **people: Any) -> Any:
    file = dags.sync("people", **people)
    (dags.folder / "cio_syncs.py").unlink()
    (dags.folder / "one_task.py").write_text(DAG_FILE.format(file=str(file)))
    return dags.bag().dags["one_task"]


def seven_tasks(dags: Dags, **people: Any) -> Any:
    from airflow_provider_cio.templates.export import sync_dag

    return sync_dag(dags.sync("people", **people))


@pytest.mark.parametrize("make", [one_task, seven_tasks])
def test_a_run_counts_its_rows_once(dags: Dags, lab: Any, backend: Backend, make: Any) -> None:
    lab.customers(12)
    lab.insert("customers (customer_id)", ["(' ')"])
    dag = make(dags, **dags.people | {"guards": {"max_unidentified_pct": 100}})
    assert dags.run(dag).state == "success"
    ours = {name: count for name, count in backend.counts.items() if name.startswith("customerio.") and count}
    assert ours.pop("customerio.sync.drift_sampled", 12) == 12  # of the Dag that reads back
    requests, size = ours.pop("customerio.sync.requests"), ours.pop("customerio.sync.request_bytes")
    assert 0 < requests <= 3
    assert size > 500
    assert ours == {
        "customerio.sync.rows_accepted": 12,
        "customerio.sync.rows_withheld": 1,
        "customerio.sync.runs": 1,
        "customerio.sync.duration": 1,
    }
    assert backend.tags["customerio.sync.rows_accepted"] == {"sync": "people"}
    assert backend.tags["customerio.sync.runs"] == {"sync": "people", "status": "sent"}


def test_the_names_are_short_enough_for_every_backend() -> None:
    """OpenTelemetry in Airflow takes 63 characters, the prefix `airflow.` included."""
    from pathlib import Path

    from airflow_provider_cio.core.watch.metrics import METRICS
    from airflow_provider_cio.hooks.metrics import AUDIENCE_RUNS, REPORTING_LOADS, RUNS

    known = [metric for metrics in METRICS.values() for metric in metrics.values()]
    names = [RUNS, AUDIENCE_RUNS, REPORTING_LOADS, *(each.airflow for each in known if each.airflow)]
    page = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text()
    assert all(len(name) <= 55 for name in names)
    assert all(f"`{name}`" in page for name in names)


def test_openlineage_gets_what_was_read_and_written_with_its_rows(
    dags: Dags, lab: Any, backend: Backend
) -> None:
    from airflow_provider_cio.transfers.redshift_to_customerio import RedshiftToCustomerIO

    lab.customers(7)
    file = dags.sync("people", **dags.people)
    task = RedshiftToCustomerIO(task_id="people", sync_file=file, outlets=[])
    assert task.get_openlineage_facets_on_complete(None) is None  # nothing ran
    task.execute({"run_id": "run-1", "outlet_events": {}})  # type: ignore[typeddict-item]
    lineage = task.get_openlineage_facets_on_complete(None)
    [read], [written] = lineage.inputs, lineage.outputs
    address = f"redshift://{lab.dsn['host']}:{lab.dsn['port']}"
    assert (read.namespace, read.name) == (address, f"{lab.dsn['database']}.cio_marts.customers")
    assert read.inputFacets["inputStatistics"].rowCount == 7
    assert (written.namespace, written.name) == ("customerio://us", "shop.people")
    statistics = written.outputFacets["outputStatistics"]
    assert (statistics.rowCount, statistics.size) == (7, backend.counts["customerio.sync.request_bytes"])


def test_the_commit_of_a_template_tells_openlineage_the_same(
    dags: Dags, lab: Any, lineage: dict[str, Any]
) -> None:
    lab.customers(7)
    dags.sync("people", **dags.people)
    assert dags.run(dags.bag().dags["cio_sync_people"]).state == "success"
    assert [task for task, told in lineage.items() if told and told.outputs] == ["commit"]
    [read], [written] = lineage["commit"].inputs, lineage["commit"].outputs
    assert read.name == f"{lab.dsn['database']}.cio_marts.customers"
    assert read.inputFacets["inputStatistics"].rowCount == 7
    assert (written.name, written.outputFacets["outputStatistics"].rowCount) == ("shop.people", 7)
