"""The six exit policies: what each sends, and what a careless one would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import GuardStoppedError

if TYPE_CHECKING:
    from sync_lab import Lab

    from airflow_provider_cio.core.contract import Sync

pytest_plugins = ("sync_lab",)
FLAG = {"set_flag": {"attribute": "is_gone"}}


def leaving(lab: Lab, on_exit: Any, **changes: Any) -> Sync:
    """A people sync of ten, of whom c3 leaves; somebody we never sent is in Customer.io too."""
    lab.track().send_batch(
        b'{"batch":[{"type":"person","action":"identify","identifiers":{"id":"stranger"},'
        b'"attributes":{"name":"Not ours","plan":"gold"}}]}',
        1,
    )
    sync = lab.people(
        on_exit=on_exit, **{"guards": {"max_exit_pct": 50, "max_unidentified_pct": 50}, **changes}
    )
    lab.customers(10)
    run_sync(lab.context(sync))
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'c3'")
    return sync


def everybody(lab: Lab) -> dict[str, dict[str, Any]]:
    found = httpx.get(f"{lab.customerio.url}/_sandbox/people").json()["people"]
    return {each["id"]: each["attributes"] for each in found}


@pytest.mark.parametrize("on_exit", ["keep", "clear_attributes", FLAG, "suppress", "delete"], ids=str)
def test_only_who_left_is_touched_and_strangers_never_are(lab: Lab, on_exit: Any) -> None:
    sync = leaving(lab, on_exit)
    before = everybody(lab)
    report = run_sync(lab.context(sync, "run-2"))
    after = everybody(lab)
    assert report.counts.exited == (0 if on_exit == "keep" else 1)
    assert {name: each for name, each in before.items() if name != "c3"} == {
        name: each for name, each in after.items() if name != "c3"
    }
    expected = {
        "keep": before["c3"],
        "clear_attributes": {},
        str(FLAG): {**before["c3"], "is_gone": True},
        "suppress": None,
        "delete": None,
    }
    assert after.get("c3") == expected[str(on_exit)]
    assert lab.stats()["suppressed"] == (2 if on_exit == "suppress" else 0)
    assert run_sync(lab.context(sync, "run-3")).sent == 0


def test_leaving_a_segment_leaves_the_profile_alone(lab: Lab) -> None:
    url = lab.customerio.url
    keys = {"Authorization": "Bearer sandbox-app-key"}
    made = httpx.post(f"{url}/v1/segments", json={"segment": {"name": "members"}}, headers=keys)
    number = made.json()["segment"]["id"]
    sync = leaving(lab, {"leave_segment": {"id": number}})
    track = ("sandbox-site", "sandbox-track-key")
    ids = {"ids": ["c3", "c4", "stranger"]}
    httpx.post(f"{url}/api/v1/segments/{number}/add_customers", json=ids, auth=track).raise_for_status()
    before = everybody(lab)
    lab.run("UPDATE cio_marts.customers SET spent = 99 WHERE customer_id = 'c4'")
    report = run_sync(lab.context(sync, "run-2"))
    assert (report.counts.exited, report.counts.changed, report.accepted) == (1, 1, 2)
    members = httpx.get(f"{url}/v1/segments/{number}/membership", headers=keys).json()["ids"]
    assert sorted(members) == ["c4", "stranger"]
    assert everybody(lab)["c3"] == before["c3"]
    assert everybody(lab)["c4"]["spent"] == 99


def test_a_segment_that_is_not_there_is_named_and_the_exit_stays_open(lab: Lab) -> None:
    sync = leaving(lab, {"leave_segment": {"id": 404}})
    with pytest.raises(Exception, match="/api/v1/segments/404/remove_customers"):
        run_sync(lab.context(sync, "run-2"))
    assert lab.rows("SELECT present FROM cio_sync.state WHERE row_key = 'c3'") == [(True,)]


def test_a_source_that_lost_its_rows_deletes_nobody(lab: Lab) -> None:
    sync = leaving(lab, "delete", guards={"max_exit_pct": 20})
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id > 'c4'")
    with pytest.raises(GuardStoppedError, match=r"max_exit_pct: 60.* of tracked rows left"):
        run_sync(lab.context(sync, "run-2"))
    assert len(everybody(lab)) == 11
    lab.run("DELETE FROM cio_marts.customers")
    with pytest.raises(GuardStoppedError, match="min_rows"):
        run_sync(lab.context(sync, "run-3"))
    assert len(everybody(lab)) == 11


@pytest.mark.parametrize("on_exit", ["delete", "suppress"])
def test_who_another_sync_still_sends_is_kept(lab: Lab, on_exit: str) -> None:
    sync = leaving(lab, on_exit, name="members")
    lab.run("CREATE TABLE cio_marts.all_customers AS SELECT 'c3' AS customer_id, 'Name' AS name")
    other = lab.people(source="cio_marts.all_customers", attributes={"first_name": "name"})
    run_sync(lab.context(other))
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'c5'")
    report = run_sync(lab.context(sync, "run-2"))
    assert report.counts.exited == 1
    assert "c3" in everybody(lab)
    assert "c5" not in everybody(lab)
    found = lab.rows("SELECT rows, samples FROM cio_sync.findings WHERE name = 'exit_sent_by_another_sync'")
    assert found == [(1, hashed("c3"))]


def test_who_was_suppressed_and_came_back_is_a_finding_not_a_silent_loss(lab: Lab) -> None:
    sync = leaving(lab, "suppress")
    run_sync(lab.context(sync, "run-2"))
    lab.customers(1, start=3)
    received = lab.received()
    report = run_sync(lab.context(sync, "run-3"))
    assert (report.sent, report.counts.unidentified, lab.received()) == (0, 1, received)
    counts = report.counts
    assert counts.source_rows == counts.added + counts.changed + counts.unchanged + counts.unidentified
    found = lab.rows("SELECT rows, samples FROM cio_sync.findings WHERE name = 'suppressed_came_back'")
    assert found == [(1, hashed("c3"))]


def test_who_was_deleted_and_came_back_is_a_person_again(lab: Lab) -> None:
    sync = leaving(lab, "delete")
    run_sync(lab.context(sync, "run-2"))
    lab.customers(1, start=3)
    assert run_sync(lab.context(sync, "run-3")).accepted == 1
    assert everybody(lab)["c3"]["name"] == "Name 3"
