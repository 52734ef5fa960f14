"""Shared, changed and guests' emails: found, skipped, merged; nobody is merged whom the rule does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import state

if TYPE_CHECKING:
    from sync_lab import Lab

    from airflow_provider_cio.core.contract import Sync

pytest_plugins = ("sync_lab",)
OPEN = {"max_exit_pct": 100, "max_unidentified_pct": 100, "max_drop_pct": None, "max_growth_pct": None}
MERGE = {"merge": {"keep": "orders"}}


def people(lab: Lab, on_conflict: Any = "stop", **changes: Any) -> Sync:
    given: dict[str, Any] = {
        "attributes": {"name": "name", "email": "email"},
        "guards": OPEN,
        "backfill": {"journeys_paused": True},
        "on_conflict": on_conflict,
    }
    return lab.people(**given | changes)


def rows(lab: Lab, *values: str) -> None:
    """``(id, email, name, orders)``."""
    lab.insert("customers (customer_id, email, name, orders)", list(values))


def emails(lab: Lab) -> dict[str, str | None]:
    found = httpx.get(f"{lab.customerio.url}/_sandbox/people").json()["people"]
    return {each["id"] or each["cio_id"]: each["email"] for each in found}


def findings(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.rows("SELECT DISTINCT name, rows FROM cio_sync.findings ORDER BY name")


SHARED = ("('a', 'Ann@x.com', 'A', 1)", "('b', ' ann@x.com', 'B', 2)", "('c', 'c@x.com', 'C', 3)")


def test_a_shared_email_stops_the_run_and_names_the_people_by_hash(lab: Lab) -> None:
    rows(lab, *SHARED)
    with pytest.raises(SourceError, match="2 rows of different people share an email") as raised:
        run_sync(lab.context(people(lab)))
    assert "on_conflict" in str(raised.value)
    assert all(hashed(key) in str(raised.value) for key in ("a", "b"))
    assert lab.received() == 0


def test_skipping_keeps_what_was_accepted_and_is_no_exit(lab: Lab) -> None:
    rows(lab, *SHARED)
    lab.run("UPDATE cio_marts.customers SET email = 'b@x.com' WHERE customer_id = 'b'")
    sync = people(lab, "skip", on_exit="delete")
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET email = 'ANN@x.com' WHERE customer_id = 'b'")
    report = run_sync(lab.context(sync, "run-2"))
    assert (report.sent, report.counts.exited, report.counts.unidentified) == (0, 0, 2)
    assert emails(lab) == {"a": "Ann@x.com", "b": "b@x.com", "c": "c@x.com"}


def test_a_workspace_where_emails_do_not_identify_sends_them_all(lab: Lab) -> None:
    rows(lab, *SHARED)
    context = lab.context(people(lab))
    contract = context.contract.model_copy(update={"unique_emails": False})
    assert run_sync(lab.context(people(lab), contract=contract)).accepted == 3


def test_the_careless_way_would_lose_an_email_without_a_word(lab: Lab) -> None:
    rows(lab, *SHARED)
    lab.run("UPDATE cio_marts.customers SET email = BTRIM(email)")
    contract = lab.context(people(lab)).contract.model_copy(update={"unique_emails": False})
    report = run_sync(lab.context(people(lab), contract=contract))
    assert report.rejected == 0
    assert sorted(each is None for each in emails(lab).values()) == [False, False, True]


def test_a_merge_waits_for_who_stays_then_happens_once(lab: Lab) -> None:
    rows(lab, *SHARED)
    sync = people(lab, MERGE)
    lab.track().send_batch(
        b'{"batch":[{"type":"person","action":"identify","identifiers":{"id":"b"},"attributes":{"old":1}}]}',
        1,
    )
    lab.run("UPDATE cio_marts.customers SET email = 'b@x.com' WHERE customer_id = 'b'")
    first = run_sync(lab.context(sync))
    assert first.accepted == 3
    lab.run("UPDATE cio_marts.customers SET email = 'ann@x.com' WHERE customer_id = 'b'")
    second = run_sync(lab.context(sync, "run-2"))
    assert (second.accepted, second.counts.changed, second.counts.unidentified) == (1, 1, 0)
    assert sorted(emails(lab)) == ["a", "c"]
    assert lab.person("a")["attributes"]["old"] == 1
    assert lab.person("a")["attributes"]["name"] == "A"
    assert lab.rows("SELECT present FROM cio_sync.state WHERE row_key = 'b'") == [(False,)]
    third = run_sync(lab.context(sync, "run-3"))
    assert (third.sent, third.counts.unchanged) == (0, 3)
    for report in (first, second, third):
        counts = report.counts
        assert counts.source_rows == counts.added + counts.changed + counts.unchanged + counts.unidentified


def test_a_first_run_sends_who_stays_and_merges_nobody_it_never_sent(lab: Lab) -> None:
    rows(lab, *SHARED)
    report = run_sync(lab.context(people(lab, MERGE)))
    assert report.accepted == 2
    assert emails(lab) == {"a": "Ann@x.com", "c": "c@x.com"}
    assert findings(lab) == [("merge_waits", 1)]
    assert run_sync(lab.context(people(lab, MERGE), "run-2")).sent == 0


def test_a_tie_merges_nobody(lab: Lab) -> None:
    rows(lab, "('a', 'x@x.com', 'A', 1)", "('b', 'x@x.com', 'B', 1)", "('c', 'x@x.com', 'C', NULL)")
    report = run_sync(lab.context(people(lab, MERGE)))
    assert (report.sent, report.counts.unidentified) == (0, 3)
    assert ("email_of_several_tied", 3) in findings(lab)


def test_changed_emails_are_counted_and_guests_who_registered(lab: Lab) -> None:
    lab.run("CREATE TABLE cio_marts.guests AS SELECT 'g@x.com' AS email, 'Guest' AS name")
    guests = people(
        lab,
        name="guests",
        source="cio_marts.guests",
        identity={"email": "email"},
        allow_email_only="guests",
        attributes={"guest_name": "name"},
        on_exit="delete",
    )
    run_sync(lab.context(guests))
    rows(lab, "('a', 'a@x.com', 'A', 1)", "('b', 'G@x.com', 'B', 2)")
    sync = people(lab)
    assert run_sync(lab.context(sync, "run-2")).accepted == 2
    assert emails(lab) == {"a": "a@x.com", "b": "G@x.com"}
    assert lab.person("b")["attributes"] == {"guest_name": "Guest", "name": "B"}
    assert findings(lab) == [("guest_registered", 1)]

    lab.run("DELETE FROM cio_marts.guests")
    lab.run("INSERT INTO cio_marts.guests VALUES ('other@x.com', 'Other')")
    report = run_sync(lab.context(guests, "run-3"))
    assert report.counts.exited == 0
    assert "b" in emails(lab)
    assert ("exit_sent_by_another_sync", 1) in findings(lab)

    lab.run("UPDATE cio_marts.customers SET email = 'new@x.com' WHERE customer_id = 'a'")
    run_sync(lab.context(sync, "run-4"))
    assert ("email_changed", 1) in findings(lab)
    shares = lab.rows(
        "SELECT identifier, rows, identified, with_email FROM cio_sync.identity_shares ORDER BY measured_at"
    )
    assert shares == [("email", 1, 1, 1), ("id", 2, 2, 2), ("email", 1, 1, 1), ("id", 2, 2, 2)]


ROW = st.tuples(st.sampled_from(["x@x.com", "X@x.com ", "y@x.com", None]), st.none() | st.integers(0, 2))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=2, max_size=7), st.sets(st.integers(0, 6)))
def test_no_plan_merges_people_whom_the_rule_does_not_name(
    lab: Lab, drawn: list[tuple[str | None, int | None]], known: set[int]
) -> None:
    """The table is the oracle: who stays is alone with the smallest value, and both were accepted before."""
    sync = people(lab, MERGE)
    lab.run("DELETE FROM cio_marts.customers")
    state.ensure_tables(lab.warehouse, "people")
    for table in ("state__people", "plans", "leases"):
        lab.run(f"DELETE FROM cio_sync.{table}")
    everybody = {f"p{n}": row for n, row in enumerate(drawn)}
    text = {
        key: f"('{key}', {'NULL' if email is None else repr(email)}, '{key}', {'NULL' if keep is None else keep})"
        for key, (email, keep) in everybody.items()
    }
    rows(lab, *text.values())
    accepted = {f"p{n}" for n in known} & everybody.keys()
    context = lab.context(sync)
    if accepted:
        tracked = ", ".join(f"('{key}', TRUE, 'h', 'm', 'p', GETDATE())" for key in accepted)
        lab.run(
            "INSERT INTO cio_sync.state__people (row_key, present, payload_hash, mapping, plan_id, synced_at) "
            f"VALUES {tracked}"
        )
    plan = make_plan(context)
    found: set[tuple[str, str]] = set()
    if plan.counts.to_send:
        changes = f'cio_sync."changes__people__{plan.plan_id.lower()}"'
        query = f"SELECT identifier, partner, row_key FROM {changes} WHERE operation = 'merge'"
        found = {(stays, goes) for stays, goes, key in lab.rows(query) if key == goes}
        assert len(found) == len(lab.rows(query))
    expected = set()
    for goes, (email, keep) in everybody.items():
        group = {key: row for key, row in everybody.items() if email and row[0] and same(row[0], email)}
        values = [value for _, value in group.values() if value is not None]
        first = [key for key, (_, value) in group.items() if values and value == min(values)]
        if len(group) > 1 and len(first) == 1 and keep is not None and goes != first[0]:
            expected.add((first[0], goes))
    assert found == {pair for pair in expected if set(pair) <= accepted}


def same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()
