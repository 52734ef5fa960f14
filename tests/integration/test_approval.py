"""A plan is shown, frozen under a digest, and applied exactly, or not at all."""

from __future__ import annotations

import pytest

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine import approval
from airflow_provider_cio.engine.commit import commit
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.engine.plan import describe, make_plan
from airflow_provider_cio.engine.resend import repair
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.send import send_shard
from airflow_provider_cio.engine.unload import unload
from airflow_provider_cio.exceptions import ContractError, FatalError, NotApprovedError

pytest_plugins = ("sync_lab",)


@pytest.fixture
def asked(lab):
    """A plan that waits for its answer: (context, plan id, what is shown)."""
    lab.customers(12)
    ctx = lab.context(lab.people(approve=True, max_plan_age="2h"))
    plan = make_plan(ctx)
    return ctx, plan.plan_id, approval.ask(ctx, plan.plan_id)


def deliver(ctx, plan_id):
    for shard in unload(ctx, plan_id):
        send_shard(ctx, plan_id, shard["shard"], "1")
    return commit(ctx, plan_id)


def approvals(lab):
    return lab.rows("SELECT status, decided_by FROM cio_sync.approvals")


def run_row(lab):
    return lab.rows("SELECT status, unsent, message FROM cio_sync.runs")


def test_what_is_shown(lab, asked):
    _, _, shown = asked
    assert (shown["to_send"], shown["counts"]["added"]) == (12, 12)
    assert shown["fields"] == {"name": 12, "order_count": 12, "spent": 12, "vip": 12}
    assert len(shown["samples"]) == 10
    assert {each["key_hash"] for each in shown["samples"]} <= {hashed(f"c{n}") for n in range(12)}
    assert {guard["name"]: guard["ok"] for guard in shown["guards"]}["min_rows"] is True
    assert "Name 3" not in str(shown)
    assert "12 added" in approval_text(shown)


def approval_text(shown):
    from airflow_provider_cio.engine.review import as_markdown

    return as_markdown(shown)


def test_the_cost_is_that_of_the_requests(lab, asked):
    ctx, plan_id, shown = asked
    report = deliver(ctx, approval.settle(ctx, plan_id, "approved", "ada"))
    assert shown["requests"] == report.requests == 1
    assert abs(shown["bytes"] - report.bytes) < 20
    assert shown["minutes"] == round(1 / 100 / 60, 2)


def test_exactly_the_frozen_rows_are_applied(lab, asked):
    ctx, plan_id, _ = asked
    lab.run("UPDATE cio_marts.customers SET name = 'later'")
    lab.customers(3, start=100)
    deliver(ctx, approval.settle(ctx, plan_id, "approved", "ada"))
    assert (lab.stats()["people"], lab.person("c3")["attributes"]["name"]) == (12, "Name 3")
    assert approvals(lab) == [("approved", "ada")]


def test_no_lease_is_held_while_a_person_thinks(lab, asked):
    ctx, plan_id, _ = asked
    other = lab.context(lab.people(), "run-2")
    assert make_plan(other).counts.added == 12
    Lease(other).release()
    with pytest.raises(FatalError, match="a later run took over"):
        approval.settle(ctx, plan_id, "approved")
    assert lab.received() == 0


def test_a_refused_plan_sends_nothing(lab, asked):
    ctx, plan_id, _ = asked
    with pytest.raises(NotApprovedError, match="refused by ada"):
        approval.settle(ctx, plan_id, "refused", "ada")
    assert (lab.received(), approvals(lab)) == (0, [("refused", "ada")])
    assert run_row(lab) == [("not_approved", 12, "refused: the plan was refused by ada")]
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 12


def test_an_old_plan_is_planned_again(lab, asked):
    ctx, plan_id, _ = asked
    lab.run("UPDATE cio_sync.plans SET created_at = DATEADD(hour, -3, GETDATE())")
    with pytest.raises(NotApprovedError, match="older than max_plan_age") as told:
        approval.settle(ctx, plan_id, "approved")
    assert "plan again" in told.value.next_step
    assert (lab.received(), approvals(lab)) == (0, [("expired", None)])


@pytest.mark.parametrize(
    "change", ["SET f_0 = 'other'", "SET operation = 'exit'", "SET row_key = 'c99' WHERE row_key = 'c1'"]
)
def test_rows_that_are_not_those_that_were_shown(lab, asked, change):
    ctx, plan_id, _ = asked
    lab.run(f"UPDATE cio_sync.changes__people__{plan_id.lower()} {change}")
    with pytest.raises(NotApprovedError, match="not what was shown"):
        approval.settle(ctx, plan_id, "approved")
    assert lab.received() == 0


@pytest.mark.parametrize("on_exit", ["delete", "suppress", "clear_attributes"])
def test_what_cannot_be_taken_back_is_named(lab, on_exit):
    lab.customers(12)
    sync = lab.people(on_exit=on_exit, guards={"max_exit_pct": 50})
    run_sync(lab.context(sync))
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id IN ('c1', 'c2')")
    lab.customers(1, start=50)
    shown = describe(lab.context(sync, "run-2"))
    assert (shown["counts"]["exited"], shown["counts"]["added"]) == (2, 1)
    assert shown["irreversible"] == ({} if on_exit == "clear_attributes" else {on_exit: 2})
    assert ("Cannot be taken back" in approval_text(shown)) is bool(shown["irreversible"])
    assert f"Cannot be taken back: {on_exit} 2." in approval_text(shown) or not shown["irreversible"]


def test_without_approval_the_log_says_what_is_sent_and_what_the_guards_say(lab, caplog):
    lab.customers(12)
    caplog.set_level("INFO", "airflow_provider_cio.engine")
    run_sync(lab.context(lab.people()))
    [keys] = [line for line in caplog.messages if line.startswith("Sample keys: ")]
    named = {each.removesuffix(" (upsert)") for each in keys.removeprefix("Sample keys: ").split(", ")}
    assert len(named) == 10
    assert named <= {hashed(f"c{n}") for n in range(12)}
    assert any(line.startswith("Guard min_rows: 12 source rows") for line in caplog.messages)


def test_asking_again_shows_the_same_rows(asked):
    ctx, plan_id, shown = asked
    assert approval.ask(ctx, plan_id) == shown


def test_a_plan_of_nothing_can_be_approved(lab):
    ctx = lab.context(lab.people(approve=True, guards={"min_rows": 0}))
    plan_id = make_plan(ctx).plan_id
    assert approval.ask(ctx, plan_id)["digest"] == "nothing"
    assert deliver(ctx, approval.settle(ctx, plan_id, "approved")).status == "nothing_to_send"


def test_one_task_cannot_ask(lab):
    with pytest.raises(ContractError, match="approve: nobody can be asked"):
        run_sync(lab.context(lab.people(approve=True)))
    assert repair(lab.context(lab.people(approve=True), "repair")).sent == 0  # named by hand


def test_a_plan_that_nobody_asked_about(lab):
    ctx = lab.context(lab.people(approve=True))
    with pytest.raises(NotApprovedError, match="Nobody was asked"):
        approval.settle(ctx, make_plan(ctx).plan_id, "approved")


def test_describe_shows_the_same_and_keeps_nothing(lab):
    lab.customers(3)
    ctx = lab.context(lab.people())
    shown = describe(ctx, rate=10)
    assert (shown["to_send"], shown["requests"], len(shown["samples"])) == (3, 1, 3)
    assert make_plan(ctx).counts.added == 3
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.plans") == [(1,)]
