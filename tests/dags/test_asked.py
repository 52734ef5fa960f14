"""Runs that are asked for something else than the whole: a dry run, a cohort, and what is not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.contract import Connections
from airflow_provider_cio.core.watch.alerting import Observation
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.hooks.alerts import Desk

if TYPE_CHECKING:
    from dag_lab import Dags

pytest_plugins = ("dag_lab",)


@pytest.fixture
def dag(dags: Dags) -> Any:
    """The people sync as its file says now. A run's own: dag.test() leaves in a Dag what it was asked for."""

    def made(**changes: Any) -> Any:
        from airflow_provider_cio.templates.export import sync_dag

        return sync_dag(dags.sync("people", **dags.people | changes))

    return made


def test_a_dry_run_is_green_and_leaves_no_trace(
    lab: Any, dags: Dags, dag: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    lab.customers(9)
    people = Subject("sync", "people")
    late = [
        Observation(check, people, "critical", "bad", run_id="manual") for check in ("deadline", "failed")
    ]
    Desk(Connections()).see(*late)

    run = dags.run(dag(guards={"max_added": 5}, deadline={"within": "1h"}), dry_run=True)
    assert run.state == "success"
    assert run.tasks == {
        "preflight": "success",
        "plan": "success",
        **dict.fromkeys(("guards", "unload", "send", "commit", "reconcile", "verdict"), "skipped"),
    }
    shown = run.xcom("plan", "dry_run")
    assert (shown["to_send"], [guard["name"] for guard in shown["guards"] if not guard["ok"]]) == (
        9,
        ["max_added"],
    )
    assert "**9 rows** would be sent: 9 added, 0 changed, 0 exited" in caplog.text
    assert "Guard max_added would stop this run" in caplog.text
    assert lab.received() == 0
    for books in ("plans", "runs", "leases", "state"):
        assert lab.rows(f"SELECT COUNT(*) FROM cio_sync.{books}") == [(0,)], books
    states = dict(lab.rows("SELECT check_name, state FROM cio_sync.alerts"))
    assert states == {"deadline": "recovered", "failed": "critical"}


def test_a_cohort_is_sent_alone_and_not_announced(lab: Any, dags: Dags, dag: Any) -> None:
    lab.customers(9)
    run = dags.run(dag(cohort=["c1", "c2", "nobody"], guards={"max_added": 1}), cohort=True)
    assert (run.state, run.tasks["commit"], run.tasks["verdict"]) == ("success", "success", "skipped")
    assert (lab.stats()["people"], lab.received()) == (2, 2)
    whole = dags.run(dag(cohort=["c1"])).xcom("verdict")["counts"]
    assert (whole["added"], whole["unchanged"]) == (7, 2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"dry-run": True},
            "params.dry-run: this Dag does not know it. Next step: trigger the Dag again with one of",
        ),
        ({"cohort": True}, "people.yaml: there is no cohort. Next step: name some people"),
    ],
)
def test_what_is_not_understood_is_refused_before_anything_is_planned(
    lab: Any, dags: Dags, dag: Any, capfd: pytest.CaptureFixture[str], asked: dict[str, Any], said: str
) -> None:
    lab.customers(3)
    run = dags.run(dag(), **asked)
    assert (run.state, run.tasks["preflight"], run.tasks["send"]) == ("failed", "failed", "upstream_failed")
    assert said in "".join(capfd.readouterr())
    assert lab.received() == 0


def test_airflow_itself_refuses_another_type(dags: Dags, dag: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError, match="dry_run"):
        dags.run(dag(), dry_run="perhaps")
