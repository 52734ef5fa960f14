"""The cohort as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)

DAG_FILE = """
from datetime import datetime, UTC
from airflow.sdk import DAG
from airflow_provider_cio.operators.verify import VerifyCohort

with DAG("verify", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
    VerifyCohort(task_id="verify", sync_file={file!r}, wait=0)
"""


def test_the_task_is_green_until_something_differs(dags: Dags, lab: Any) -> None:
    lab.customers(10)
    file = dags.sync("people", **dags.people, cohort=["c1", "c2"])
    (dags.folder / "cio_syncs.py").unlink()
    (dags.folder / "verify.py").write_text(DAG_FILE.format(file=str(file)))
    run = dags.run(dags.bag().dags["verify"])
    assert (run.state, run.xcom("verify"), lab.stats()["people"]) == ("success", 8, 2)
    lab.writer({"type": "person", "action": "suppress", "identifiers": {"id": "c2"}})
    assert dags.run(dags.bag().dags["verify"]).state == "failed"
