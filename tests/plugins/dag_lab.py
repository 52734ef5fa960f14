"""Fixture `dags`: a Dags folder with syncs over the lab's tables, connections to it, and Dag runs in this process."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

ROLE = "arn:aws:iam::123456789012:role/redshift"
LOADER = Path(__file__).parents[2] / "dags/cio_syncs.py"
PEOPLE: dict[str, Any] = {
    "kind": "people",
    "description": "State of customers",
    "owner": "retention",
    "source": "cio_marts.customers",
    "identity": {"id": "customer_id"},
    "attributes": {"name": "name", "order_count": "orders"},
    "rows_per_shard": 5,
    "backfill": {"journeys_paused": True},
}


@dataclass
class Run:
    """A Dag run that has ended."""

    record: Any

    @property
    def state(self) -> str:
        return str(self.record.state)

    @property
    def tasks(self) -> dict[str, str]:
        """States by task; of a mapped task, its different states, joined."""
        states: dict[str, set[str]] = {}
        for task in self.record.get_task_instances():
            states.setdefault(task.task_id, set()).add(str(task.state))
        return {name: "+".join(sorted(found)) for name, found in states.items()}

    def instance(self, task_id: str, map_index: int = -1) -> Any:
        return self.record.get_task_instance(task_id, map_index=map_index)

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """What a task left, as the API shows it."""
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session

        with create_session() as session:
            found = session.scalar(
                XComModel.get_many(
                    run_id=self.record.run_id,
                    key=key,
                    task_ids=task_id,
                    dag_ids=self.record.dag_id,
                    map_indexes=map_index,
                )
            )
            return None if found is None else XComModel.deserialize_value(found)


class Dags:
    """The Dags folder of this process's Airflow."""

    people = PEOPLE

    def __init__(self, folder: Path, staging: str) -> None:
        self.folder = folder
        shutil.copy(LOADER, folder)
        (folder / "syncs").mkdir()
        self.contract(staging)

    def contract(self, staging: str, role: str = ROLE) -> None:
        attributes = (
            ("name", "string", "people"),
            ("order_count", "integer", "people"),
            ("other", "string", "broken"),
        )
        contract = {
            "workspace": "shop",
            "staging": {"s3": staging, "iam_role": role},
            "attributes": {
                name: {"type": kind, "writer": writer, "description": "Of the lab"}
                for name, kind, writer in attributes
            },
        }
        self.staging = staging
        (self.folder / "contract.yaml").write_text(yaml.safe_dump(contract))

    def sync(self, name: str, **content: Any) -> Path:
        file = self.folder / "syncs" / f"{name}.yaml"
        file.write_text(yaml.safe_dump(content))
        return file

    def bag(self) -> Any:
        """What Airflow loads of the folder."""
        from airflow.dag_processing.dagbag import BundleDagBag

        return BundleDagBag(str(self.folder), bundle_path=self.folder, bundle_name="dags-folder")

    def run(self, dag: Any, **asked: Any) -> Run:
        """Run a Dag to its end in this process; with what the Trigger form would hand it."""
        # Airflow fails at the end of dag.test() of a Dag with a deadline: apache/airflow#73428.
        dag.deadline = None
        return Run(dag.test(run_conf=asked))


@pytest.fixture(scope="session")
def _execution_api(airflow_home: Path) -> None:
    """What dag.test() answers its tasks with; its import warns of things that are not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import airflow.api_fastapi.execution_api.app  # noqa: F401


@pytest.fixture
def dags(
    airflow_home: Path, _execution_api: None, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dags]:
    connect(lab, monkeypatch)
    folder = airflow_home / "dags"
    yield Dags(folder, lab.bucket.uri(""))
    shutil.rmtree(folder)
    folder.mkdir()


def connect(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three connections of a contract's defaults, in the environment."""
    connections = {
        "REDSHIFT_DEFAULT": {
            "conn_type": "redshift",
            "host": lab.dsn["host"],
            "port": lab.dsn["port"],
            "schema": lab.dsn["database"],
            "login": lab.dsn["user"],
            "password": lab.dsn["password"],
            "extra": {"ssl": False},
        },
        "AWS_DEFAULT": {
            "conn_type": "aws",
            "login": "testing",
            "password": "testing",
            "extra": {"endpoint_url": lab.s3_client.meta.endpoint_url, "region_name": "us-east-1"},
        },
        "CUSTOMERIO_DEFAULT": {
            "conn_type": "customerio",
            "extra": {
                "site_id": "sandbox-site",
                "track_api_key": "sandbox-track-key",
                "app_api_key": "sandbox-app-key",
                "base_url": lab.customerio.url,
            },
        },
    }
    for name, connection in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(connection))


@pytest.fixture
def lineage(airflow_home: Path, _execution_api: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What OpenLineage was told of each task that ended well.

    Asked as Airflow's OpenLineage provider asks: by its extractors, in the task's process, when it has ended.
    """
    from airflow.providers.openlineage.extractors import manager
    from airflow.sdk.execution_time import task_runner

    extractors = manager.ExtractorManager()
    told: dict[str, Any] = {}
    real = task_runner.finalize

    def finalize(instance: Any, *arguments: Any, **named: Any) -> None:
        extractor = extractors._get_extractor(instance.task)
        told[instance.task_id] = extractor and extractor.extract_on_complete(instance)
        real(instance, *arguments, **named)

    monkeypatch.setattr(task_runner, "finalize", finalize)
    return told
