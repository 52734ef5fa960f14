"""The page: who sees what, what it says, and that no name and no outage breaks it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from made_snapshots import NOW, run

from airflow_provider_cio.core.snapshot import Alert, Detail, Drifted, Reject

if TYPE_CHECKING:
    from page_lab import Page

pytest_plugins = ("page_lab",)

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=y>"


def text(answer: Any) -> str:
    """What is read of a page, in one line."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text))


@pytest.mark.parametrize("path", ["", "dags/cio_sync_orders", "dags/cio_sync_orders/runs/x"])
def test_an_anonymous_visitor_gets_nothing(page: Page, path: str) -> None:
    page.publish("orders", owner="retention")
    answer = page.client.get(f"/customerio/{path}")
    assert answer.status_code == 401
    assert "retention" not in answer.text
    assert page.client.post(f"/customerio/{path}/refresh").status_code in {401, 404, 405}


def test_each_visitor_sees_the_dags_that_they_may_read(page: Page) -> None:
    page.publish("orders", owner="team one")
    page.publish(
        "customers", owner="team two", alerts=[Alert(name="stale", severity="CRITICAL", message="secret")]
    )
    assert "team one" in text(page.get())
    assert "team two" in text(page.get())
    seen = text(page.get(user="orders"))
    assert "team one" in seen
    for hidden in ("team two", "customers", "secret"):
        assert hidden not in seen
    assert "Nothing to show" in text(page.get(user="nobody"))


@pytest.mark.parametrize("path", ["dags/cio_sync_people", f"dags/cio_sync_people/runs/{run().run_id}"])
def test_a_dag_that_may_not_be_read_is_as_one_that_is_not_there(page: Page, path: str) -> None:
    page.publish("people", owner="team two")
    assert page.get(path).status_code == 200
    hidden, absent = page.get(path, user="orders"), page.get(path.replace("people", "absent"), user="orders")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.text == absent.text.replace("absent", "people")


def test_a_snapshot_belongs_to_the_dag_that_wrote_it(page: Page) -> None:
    page.publish("orders", dag_id="their_own_dag", owner="team one")
    assert "team one" not in text(page.get(user="cio_sync_orders"))
    assert "team one" in text(page.get(user="their_own_dag"))


def test_every_name_is_escaped(page: Page) -> None:
    detail = Detail(
        runs=[run(run_id=HOSTILE, message=HOSTILE, rejected=1)],
        rejects=[
            Reject(plan_id="01K", kind="permanent", reason=HOSTILE, field=HOSTILE, rows=1, samples=[HOSTILE])
        ],
        drift=[Drifted(reason=HOSTILE, field=HOSTILE, rows=3)],
    )
    page.publish(
        HOSTILE,
        dag_id="hostile",
        detail=detail,
        owner=HOSTILE,
        kind=HOSTILE,
        description=HOSTILE,
        source=HOSTILE,
        last=run(status=HOSTILE, message=HOSTILE),
        alerts=[Alert(name=HOSTILE, severity=HOSTILE, message=HOSTILE)],
    )
    run_page = page.get("dags/hostile").text
    link = re.search(r'href="([^"]*runs/[^"]*)"', run_page)
    assert link
    for answer in (
        page.get(),
        page.get("dags/hostile"),
        page.client.get(link[1], headers=page_headers(page)),
    ):
        assert answer.status_code == 200
        assert "&lt;script&gt;" in answer.text
        assert "<img" not in answer.text
        assert answer.text.count("<script") == 1
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def page_headers(page: Page) -> dict[str, str]:
    return dict(page.get().request.headers.items())


def test_states(page: Page) -> None:
    page.publish("calm", owner="a")
    page.publish("tardy", last=run(lag=7200.0))
    page.publish("torn", last=run(status="partial", rejected=3))
    page.publish("new")
    seen = text(page.get())
    assert "1 of 4 as they should be" in seen
    assert "1 late" in seen
    assert "1 need a look" in seen
    for state in ("delivered", "late", "partly delivered", "no run yet"):
        assert state in seen


def test_airflow_knows_more_than_the_snapshot(page: Page) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    page.publish("broken", owner="a")
    page.publish("slow", owner="a")
    with create_session() as session:
        for dag_id, run_id, state in (
            ("cio_sync_broken", "manual__later", "failed"),
            ("cio_sync_slow", "scheduled__2020-01-01T00:00:00+00:00", "running"),
        ):
            found = DagRun(
                dag_id=dag_id,
                run_id=run_id,
                run_type=DagRunType.MANUAL,
                state=state,
                triggered_by=DagRunTriggeredByType.TEST,
            )
            found.end_date = NOW + timedelta(days=3650) if state == "failed" else None
            session.add(found)
    seen = text(page.get("dags/cio_sync_broken"))
    assert "ended before it could be accounted for" in seen
    assert "still running" in text(page.get("dags/cio_sync_slow"))


def test_a_run_with_rejects_and_the_command_that_replays_them(page: Page) -> None:
    reject = Reject(
        plan_id="01K", kind="permanent", reason="it's invalid", field="email", rows=2, samples=["a1b2c3"]
    )
    detail = Detail(runs=[run(rejected=2)], rejects=[reject, reject.model_copy(update={"plan_id": "01J"})])
    page.publish("people", owner="a", detail=detail)
    answer = page.get("dags/cio_sync_people/runs/scheduled__2026-11-25T11:50:00+00:00")
    assert "a1b2c3" in text(answer)
    assert "airflow cio replay-rejects people" in text(answer)
    assert "--reason &#39;it&#39;&#34;&#39;&#34;&#39;s invalid&#39;" in answer.text
    assert answer.text.count("a1b2c3") == 1


def test_five_hundred_syncs_take_as_many_queries_as_one(page: Page) -> None:
    from airflow import settings
    from sqlalchemy import event

    def count() -> int:
        asked: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            asked.append(statement)

        event.listen(settings.engine, "before_cursor_execute", note)
        try:
            page.get().raise_for_status()
        finally:
            event.remove(settings.engine, "before_cursor_execute", note)
        return len(asked)

    page.publish("first", owner="a")
    few = count()
    for number in range(60):
        page.publish(f"sync{number}", owner="a")
    assert count() == few
    assert len(page.get().content) < 61 * 4_000


def test_redshift_is_down(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_cio.exceptions import WarehouseError
    from airflow_provider_cio.plugin import app

    def down(_: object) -> None:
        raise WarehouseError("nothing answers on port 1.", next_step="look at the cluster.")

    page.publish("people", owner="the owner")
    monkeypatch.setattr(app, "_ask", down)
    answer = page.post("dags/cio_sync_people/refresh")
    assert answer.status_code == 502
    assert "nothing answers on port 1" in answer.text
    assert "the owner" in answer.text
    assert "the owner" in text(page.get())


def test_a_refresh_needs_the_right_to_edit_and_comes_from_the_page(page: Page) -> None:
    page.publish("people", owner="a")
    assert page.post("dags/cio_sync_people/refresh", user="people").status_code == 403
    answer = page.post("dags/cio_sync_people/refresh", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Refresh from Redshift" not in page.get("dags/cio_sync_people", user="people").text
    assert "Refresh from Redshift" in page.get("dags/cio_sync_people").text


def test_a_snapshot_of_another_version_is_no_snapshot(page: Page) -> None:
    from airflow.models.asset_state_store import AssetStateStoreModel
    from airflow.utils.session import create_session
    from sqlalchemy import update

    page.publish("people", owner="a")
    with create_session() as session:
        session.execute(update(AssetStateStoreModel).values(value='{"kept": "elsewhere"}'))
    assert "no run yet" in text(page.get())
    assert "No run has ended yet" in text(page.get("dags/cio_sync_people"))
