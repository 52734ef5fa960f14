"""Rows that go by an id, else an email, else a phone: one person each, and one person still when they register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.reconcile import reconcile
from airflow_provider_cio.engine.resend import repair
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.verify import verify
from airflow_provider_cio.exceptions import ContractError, SourceError
from airflow_provider_cio.warehouse import state

if TYPE_CHECKING:
    from sync_lab import Lab

    from airflow_provider_cio.core.contract import Sync

pytest_plugins = ("sync_lab",)
OPEN = {"max_exit_pct": 100, "max_unidentified_pct": 100, "max_drop_pct": None, "max_growth_pct": None}
MIXED = {"id": "customer_id", "email": "email"}


def people(lab: Lab, **changes: Any) -> Sync:
    values: dict[str, Any] = {
        "identity": MIXED,
        "allow_email_only": "guests",
        "attributes": {"name": "name", "email": "email"},
        "guards": OPEN,
    }
    return lab.people(**values | changes)


def rows(lab: Lab, *values: str) -> None:
    """``(id, email, name, orders)``."""
    lab.insert("customers (customer_id, email, name, orders)", list(values))


def everybody(lab: Lab) -> dict[str | None, dict[str, Any]]:
    found = httpx.get(f"{lab.customerio.url}/_sandbox/people").json()["people"]
    return {each["id"] or each["email"]: {"email": each["email"], **each["attributes"]} for each in found}


def findings(lab: Lab, phase: str = "plan") -> list[tuple[Any, ...]]:
    return lab.rows(
        f"SELECT DISTINCT name, rows FROM cio_sync.findings WHERE phase = '{phase}' ORDER BY name"
    )


def test_each_row_goes_by_the_first_identifier_it_has(lab: Lab) -> None:
    lab.setting(phone_identifies=True)
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN phone VARCHAR(40)")
    columns = "customers (customer_id, email, phone, name)"
    lab.insert(
        columns,
        [
            "('c1', 'One@x.com', '+441632960961', 'One')",
            "('  ', ' Two@x.com', NULL, 'Two')",
            "(NULL, '', '+44 1632 960-962', 'Three')",
            "(NULL, NULL, '0163', 'Four')",
            "(NULL, NULL, NULL, 'Five')",
        ],
    )
    sync = people(lab, identity={**MIXED, "phone": "phone"})
    ctx = lab.context(sync, app=lab.app())
    report = run_sync(ctx)
    assert (report.accepted, report.counts.unidentified) == (3, 2)
    assert lab.rows("SELECT row_key FROM cio_sync.state ORDER BY 1") == [
        ("+441632960962\x1fphone",),
        ("c1",),
        ("two@x.com\x1femail",),
    ]
    assert {each["name"] for each in everybody(lab).values()} == {"One", "Two", "Three"}
    assert findings(lab) == [
        ("identifier_missing", 1),
        ("identifier_padded", 1),
        ("phone_not_e164", 1),
    ]
    shares = lab.rows("SELECT identifier, rows, identified FROM cio_sync.identity_shares ORDER BY 1")
    assert shares == [("email", 5, 1), ("id", 5, 1), ("phone", 5, 2)]
    looked = reconcile(ctx, report.plan_id)
    assert (looked["sampled"], looked["drifted"]) == (3, 0)
    lab.writer(
        {
            "type": "person",
            "action": "identify",
            "identifiers": {"phone": "+441632960962"},
            "attributes": {"name": "X"},
        }
    )
    assert reconcile(ctx, report.plan_id)["by_reason"] == {"overwritten": 1}
    repaired = repair(lab.context(sync, "repair"))
    assert repaired.accepted == 1
    assert reconcile(ctx, repaired.plan_id)["drifted"] == 0
    assert run_sync(lab.context(sync, "run-2")).counts.unchanged == 3


@pytest.mark.parametrize("on_exit", ["delete", "suppress", "clear_attributes"])
def test_a_guest_who_registers_stays_one_person_and_has_not_left(lab: Lab, on_exit: str) -> None:
    """The careless diff sees a key that left, and deletes by email the very person who got an id."""
    rows(lab, "(NULL, 'G@x.com', 'Guest', 1)", "(NULL, 'other@x.com', 'Other', 1)")
    sync = people(lab, on_exit=on_exit)
    run_sync(lab.context(sync))
    lab.run(
        "UPDATE cio_marts.customers SET customer_id = 'c1', name = 'Registered' WHERE customer_id IS NULL "
        "AND name = 'Guest'"
    )
    report = run_sync(lab.context(sync, "run-2"))
    assert (report.accepted, report.counts.added, report.counts.exited) == (1, 1, 0)
    assert findings(lab) == [("guest_registered", 1)]
    assert everybody(lab)["c1"] == {"email": "G@x.com", "name": "Registered"}
    assert len(everybody(lab)) == 2
    assert run_sync(lab.context(sync, "run-3")).sent == 0
    assert lab.rows("SELECT row_key FROM cio_sync.state ORDER BY 1") == [("c1",), ("other@x.com\x1femail",)]

    lab.run("DELETE FROM cio_marts.customers WHERE name = 'Other'")
    assert run_sync(lab.context(sync, "run-4")).counts.exited == 1
    assert everybody(lab).get("other@x.com") == (
        {"email": "other@x.com"} if on_exit == "clear_attributes" else None
    )
    assert "c1" in everybody(lab)


def test_a_guest_row_beside_the_row_with_an_id_is_withheld(lab: Lab) -> None:
    rows(lab, "('c1', 'A@x.com', 'Registered', 1)", "(NULL, 'a@x.com', 'Guest', 1)")
    report = run_sync(lab.context(people(lab)))
    assert (report.accepted, report.counts.unidentified) == (1, 1)
    assert findings(lab) == [("guest_known_by_id", 1)]
    assert everybody(lab) == {"c1": {"email": "A@x.com", "name": "Registered"}}


def test_events_of_guests_go_by_their_email_and_reach_the_same_person(lab: Lab) -> None:
    lab.run("ALTER TABLE cio_marts.orders ADD COLUMN email VARCHAR(100)")
    lab.insert(
        "orders (order_id, customer_id, email, ordered_at)",
        ["('o1', NULL, 'g@x.com', '2024-03-01')", "('o2', 'c1', 'g@x.com', '2024-03-02')"],
    )
    rows(lab, "(NULL, 'g@x.com', 'Guest', 1)")
    run_sync(lab.context(people(lab)))
    sync = lab.events(identity=MIXED, allow_email_only="guests", cohort=["G@x.com"])
    lab.run("UPDATE cio_marts.customers SET customer_id = 'c1'")
    run_sync(lab.context(people(lab), "run-2"))
    ctx = lab.context(sync, app=lab.app())
    report = run_sync(ctx)
    assert report.accepted == 2
    assert [each["data"]["order_id"] for each in lab.events_of("c1")] == ["o1", "o2"]
    assert reconcile(ctx, report.plan_id)["drifted"] == 0
    lines = verify(lab.context(sync, "verify", app=lab.app()), wait=0)
    assert all(line.ok for line in lines), lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"attributes": {"name": "name"}}, "map `email: email` in attributes"),
        ({"attributes": {"email": "name"}}, "map `email: email` in attributes"),
        ({"on_exit": {"leave_segment": {"id": 3}}}, "`leave_segment` needs rows that all go by one"),
        ({"on_conflict": {"merge": {"keep": "orders"}}}, "`merge` needs rows that all go by one"),
        ({"identity": {"id": "customer_id", "object_id": "email"}}, "some of id, email, phone, cio_id"),
        ({"transport": "pipelines"}, "identifies by `id`"),
    ],
)
def test_what_identifiers_cannot_do_together_is_refused_by_name(
    lab: Lab, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        people(lab, **changes)


def test_one_person_with_two_emails_is_named_as_that(lab: Lab) -> None:
    rows(lab, "('a', 'a@x.com', 'A', 1)", "('a', 'b@x.com', 'A', 1)", "('c', 'c@x.com', 'C', 1)")
    sync = people(lab, identity={"id": "customer_id"}, allow_email_only=None)
    with pytest.raises(SourceError, match="2 rows are about one person and hold different emails") as raised:
        run_sync(lab.context(sync))
    assert hashed("a") in str(raised.value)
    assert findings(lab) == [("duplicate_key", 2), ("several_emails_of_one", 2)]
    skipping = people(
        lab,
        identity={"id": "customer_id"},
        findings={"duplicate_key": "skip", "several_emails_of_one": "skip"},
    )
    report = run_sync(lab.context(skipping, "run-2"))
    assert (report.accepted, report.counts.unidentified) == (1, 2)
    assert list(everybody(lab)) == ["c"]


def test_people_who_share_a_phone_are_counted_or_kept_back(lab: Lab) -> None:
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN phone VARCHAR(40)")
    lab.insert(
        "customers (customer_id, phone)",
        ["('a', '+44 1632 960961')", "('b', '+441632960961')", "('c', '+441632960962')", "('d', NULL)"],
    )
    sync = lab.people(attributes={"phone": "phone"}, guards=OPEN)
    assert run_sync(lab.context(sync)).accepted == 4
    assert findings(lab) == [("phone_of_several", 2)]
    cautious = lab.people(
        name="cautious", attributes={"phone": "phone"}, guards=OPEN, findings={"phone_of_several": "skip"}
    )
    report = run_sync(lab.context(cautious, "run-2"))
    assert (report.accepted, report.counts.unidentified) == (2, 2)
    stopping = lab.people(
        name="stopping", attributes={"phone": "phone"}, findings={"phone_of_several": "fail"}
    )
    with pytest.raises(SourceError, match="2 rows of different people share a phone"):
        run_sync(lab.context(stopping, "run-3"))


def test_a_changed_email_is_sent_by_cio_id_where_the_contract_says_so(lab: Lab) -> None:
    lab.setting(email_update_by_id=False)
    rows(lab, "('a', 'a@x.com', 'A', 1)", "('b', 'b@x.com', 'B', 1)")
    sync = people(lab, identity={"id": "customer_id"}, allow_email_only=None, on_exit="delete")
    plain = lab.context(sync)
    run_sync(plain)
    lab.run("UPDATE cio_marts.customers SET email = 'new@x.com' WHERE customer_id = 'a'")
    careless = run_sync(lab.context(sync, "run-2"))
    assert (careless.accepted, everybody(lab)["a"]["email"]) == (1, "a@x.com")  # 200, and nothing happened

    contract = plain.contract.model_copy(update={"email_changes": "by_cio_id"})
    lab.run("UPDATE cio_marts.customers SET email = 'newer@x.com' WHERE customer_id = 'a'")
    with pytest.raises(ContractError, match="1 people have another email"):
        run_sync(lab.context(sync, "run-3", contract=contract))
    lab.expire_lease()
    app = lab.app()
    report = run_sync(lab.context(sync, "run-4", contract=contract, app=app))
    assert (report.accepted, app.requests) == (1, 1)
    assert everybody(lab)["a"] == {"email": "newer@x.com", "name": "A"}
    assert everybody(lab)["b"]["email"] == "b@x.com"
    assert lab.rows("SELECT identifier FROM cio_sync.cio_ids") == [("a",)]
    assert lab.rows("SELECT row_key FROM cio_sync.state ORDER BY 1") == [("a",), ("b",)]

    lab.run("UPDATE cio_marts.customers SET email = 'newest@x.com' WHERE customer_id = 'a'")
    assert run_sync(lab.context(sync, "run-5", contract=contract, app=app)).accepted == 1
    assert app.requests == 1  # the table knew
    assert everybody(lab)["a"]["email"] == "newest@x.com"
    assert run_sync(lab.context(sync, "run-6", contract=contract, app=app)).sent == 0
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'a'")
    assert run_sync(lab.context(sync, "run-7", contract=contract, app=app)).counts.exited == 1
    assert list(everybody(lab)) == ["b"]
    assert lab.rows("SELECT identifier FROM cio_sync.cio_ids") == []


IDS = st.sampled_from(["p1", "p2", " p1", "", None])
EMAILS = st.sampled_from(["x@x.com", "X@x.com ", "y@x.com", "", None])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(IDS, EMAILS), max_size=6))
def test_every_row_is_planned_under_its_own_name_or_withheld(
    lab: Lab, drawn: list[tuple[str | None, str | None]]
) -> None:
    """The table is the oracle: one operation for each person whom exactly one row names, and nobody else."""
    actions = {"duplicate_key": "skip", "several_emails_of_one": "skip"}
    sync = people(lab, findings=actions, on_conflict="skip", guards={**OPEN, "min_rows": 0})
    state.ensure_tables(lab.warehouse, "people")
    for table in ("cio_marts.customers", "cio_sync.plans", "cio_sync.leases"):
        lab.run(f"DELETE FROM {table}")
    literal = {None: "NULL"}
    if drawn:
        rows(
            lab,
            *(
                f"({', '.join(literal.get(value) or repr(value) for value in row)}, 'n', {place})"
                for place, row in enumerate(drawn)
            ),
        )
    known = [((who or "").strip(), (email or "").strip().lower()) for who, email in drawn]
    named = [("id", who) if who else ("email", email) for who, email in known if who or email]
    owners: dict[str, set[str]] = {}
    for who, email in known:
        if who and email:
            owners.setdefault(email, set()).add(who)
    expected = set()
    for who, email in known:
        by = ("id", who) if who else ("email", email)
        alone = named.count(by) == 1
        rivals = owners.get(email, set()) - {who}
        if (who or email) and alone and not rivals:
            expected.add(by)
    plan = make_plan(lab.context(sync))
    found = set()
    if plan.counts.to_send:
        changes = f'cio_sync."changes__people__{plan.plan_id.lower()}"'
        found = set(lab.rows(f"SELECT identified_by, identifier FROM {changes}"))
        assert len(found) == plan.counts.to_send
    assert {tuple(row) for row in found} == expected
    assert plan.counts.source_rows == len(drawn) == plan.counts.added + plan.counts.unidentified
