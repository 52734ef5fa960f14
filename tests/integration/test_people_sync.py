from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.operations import preview
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import describe, make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.sample import sample
from airflow_provider_cio.exceptions import GuardStoppedError, RejectedRowsError

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)
NO_GUARDS = {"max_exit_pct": 100, "max_unidentified_pct": 100}


def reconciles(report: Any) -> None:
    counts = report.counts
    assert counts.source_rows == counts.added + counts.changed + counts.unchanged + counts.unidentified
    assert counts.to_send == report.accepted + report.rejected + report.unknown + report.unsent


def test_first_run_sends_everyone_the_second_nobody_the_third_what_changed(lab: Lab) -> None:
    lab.customers(300)
    first = run_sync(lab.context(lab.people()))
    assert (first.status, first.accepted, first.counts.added) == ("sent", 300, 300)
    assert lab.stats()["people"] == 300
    assert lab.person("c7")["attributes"]["spent"] == 7.5

    second = run_sync(lab.context(lab.people(), "run-2"))
    assert (second.status, second.sent, second.counts.unchanged) == ("nothing_to_send", 0, 300)
    assert lab.received() == 300

    lab.run("UPDATE cio_marts.customers SET spent = spent + 1 WHERE customer_id IN ('c7', 'c70', 'c99')")
    third = run_sync(lab.context(lab.people(), "run-3"))
    assert (third.accepted, third.counts.changed, third.counts.unchanged) == (3, 3, 297)
    assert lab.received() == 303
    assert lab.person("c7")["attributes"]["spent"] == 8.5
    for report in (first, second, third):
        reconciles(report)
    statuses = lab.rows("SELECT run_id, status, accepted FROM cio_sync.runs ORDER BY started_at")
    assert statuses == [("run-1", "sent", 300), ("run-2", "nothing_to_send", 0), ("run-3", "sent", 3)]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.state WHERE sync = 'people' AND present") == [(300,)]


def test_null_differs_from_empty_and_a_field_does_not_leak_into_its_neighbour(lab: Lab) -> None:
    sync = lab.people(attributes={"name": "name", "email": "email"}, nulls="clear")
    lab.insert(
        "customers (customer_id, name, email)", ["('a', NULL, 'x')", "('b', '', 'y')", "('c', '1:', '~')"]
    )
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET name = '' WHERE customer_id = 'a'")
    lab.run("UPDATE cio_marts.customers SET name = '1', email = ':~' WHERE customer_id = 'c'")
    report = run_sync(lab.context(sync, "run-2"))
    assert report.counts.changed == 2


def test_every_type_reaches_customer_io_exactly(lab: Lab) -> None:
    lab.insert(
        "customers (customer_id, name, orders, spent, vip, born, seen_at)",
        ["('a', 'Zoë \"Q\"', 2147483647, 1234567890.12, TRUE, '2020-02-29', '2024-01-01 12:00:00+02')"],
    )
    lab.run("""UPDATE cio_marts.customers SET extra = JSON_PARSE('{"a": [1, "two", null]}')""")
    sync = lab.people(
        attributes={
            **{
                name: name for name in ("name", "orders", "spent", "vip", "born", "seen_at", "extra", "email")
            },
            "twice": {"expression": "orders::BIGINT * 2"},
        }
    )
    rows, columns = sample(lab.context(sync), 5)
    shown = preview(rows, sync, redact=False, columns=columns)
    run_sync(lab.context(sync))
    stored = lab.person("a")["attributes"]
    expected = {
        "name": 'Zoë "Q"',
        "orders": 2147483647,
        "spent": 1234567890.12,
        "vip": True,
        "born": 1582934400,
        "seen_at": 1704103200,
        "extra": {"a": [1, "two", None]},
        "twice": 4294967294,
    }
    assert {name: stored.get(name) for name in expected} == expected
    assert shown[0]["attributes"] == expected


def test_rows_without_a_usable_identifier_are_counted_and_never_sent(lab: Lab) -> None:
    lab.insert(
        "customers (customer_id, name)",
        ["('good', 'G')", "(NULL, 'N')", "('  ', 'B')", f"('{'x' * 151}', 'L')", "(' padded ', 'P')"],
    )
    report = run_sync(lab.context(lab.people(guards=NO_GUARDS)))
    assert (report.counts.source_rows, report.counts.unidentified, report.accepted) == (5, 3, 2)
    reconciles(report)
    assert lab.person("padded")["attributes"]["name"] == "P"
    found = lab.rows("SELECT name, severity, rows, samples FROM cio_sync.findings ORDER BY name")
    assert found == [
        ("identifier_missing", "warning", 2, None),
        ("identifier_padded", "notice", 1, hashed("padded")),
        ("identifier_too_long", "warning", 1, hashed("x" * 151)),
    ]


@pytest.mark.parametrize(
    ("on_exit", "expected"),
    [("clear_attributes", {"name": ""}), ({"set_flag": {"attribute": "is_gone"}}, {"is_gone": True})],
)
def test_who_leaves_is_told_once_and_may_come_back(lab: Lab, on_exit: Any, expected: dict[str, Any]) -> None:
    sync = lab.people(on_exit=on_exit, guards=NO_GUARDS)
    lab.customers(10)
    run_sync(lab.context(sync))
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'c3'")
    left = run_sync(lab.context(sync, "run-2"))
    assert (left.counts.exited, left.accepted, left.counts.unchanged) == (1, 1, 9)
    attributes = lab.person("c3")["attributes"]
    assert {key: attributes.get(key, "") for key in expected} == expected

    quiet = run_sync(lab.context(sync, "run-3"))
    assert (quiet.counts.exited, quiet.sent, quiet.counts.tracked) == (0, 0, 9)

    lab.customers(1, start=3)
    back = run_sync(lab.context(sync, "run-4"))
    assert (back.counts.added, back.accepted) == (1, 1)
    attributes = lab.person("c3")["attributes"]
    assert attributes["name"] == "Name 3"
    assert not attributes.get("is_gone")


def test_keep_leaves_those_who_left_alone(lab: Lab) -> None:
    lab.customers(10)
    run_sync(lab.context(lab.people()))
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id IN ('c1', 'c2')")
    for run in ("run-2", "run-3"):
        report = run_sync(lab.context(lab.people(), run))
        assert (report.counts.exited, report.sent, report.counts.tracked) == (0, 0, 10)
    lab.customers(2, start=1)
    assert run_sync(lab.context(lab.people(), "run-4")).sent == 0


def test_items_refused_in_a_207_are_rejected_and_stay_open(lab: Lab) -> None:
    lab.customers(100)
    lab.faults({"status": 207, "times": 1, "match": '"c42"'})
    report = run_sync(lab.context(lab.people(max_rejected_pct=5)))
    assert (report.status, report.accepted, report.rejected) == ("partial", 99, 1)
    reconciles(report)
    [(key_hash, sent, reason)] = lab.rows("SELECT key_hash, sent, reason FROM cio_sync.rejects")
    assert (key_hash, sent) == (hashed("c42"), True)
    assert reason
    healed = run_sync(lab.context(lab.people(), "run-2"))
    assert (healed.counts.added, healed.accepted) == (1, 1)


def test_a_poisoned_batch_is_taken_apart_until_the_poison_stands_alone(lab: Lab) -> None:
    lab.customers(200)
    lab.faults({"status": 400, "times": 100, "match": '"c77"'})
    report = run_sync(lab.context(lab.people(max_rejected_pct=5)))
    assert (report.accepted, report.rejected) == (199, 1)
    assert lab.rows("SELECT key_hash FROM cio_sync.rejects") == [(hashed("c77"),)]
    assert lab.stats()["people"] == 199


def test_rows_refused_before_sending_fail_the_run_past_the_limit(lab: Lab) -> None:
    lab.customers(20)
    lab.run("UPDATE cio_marts.customers SET name = CASE WHEN orders IN (4, 5) THEN '{' ELSE '{}' END")
    sync = lab.people(attributes={"name": {"column": "name", "type": "json"}})
    with pytest.raises(RejectedRowsError, match=r"2 of 20 rows were refused \(10.00 %, allowed 1 %\)"):
        run_sync(lab.context(sync))
    assert lab.rows("SELECT status, accepted, rejected, sent FROM cio_sync.runs") == [("partial", 18, 2, 18)]
    assert lab.rows("SELECT DISTINCT reason, field, sent FROM cio_sync.rejects") == [
        ("invalid_json", "attributes.name", False)
    ]
    assert lab.stats()["people"] == 18


def test_a_guard_stops_the_plan_and_the_next_run_heals(lab: Lab) -> None:
    lab.customers(20)
    sync = lab.people(guards={"max_added": 10})
    with pytest.raises(GuardStoppedError, match="max_added"):
        run_sync(lab.context(sync))
    assert lab.received() == 0
    assert lab.rows("SELECT status, unsent FROM cio_sync.runs") == [("guard_stopped", 20)]
    lab.run("DELETE FROM cio_marts.customers WHERE orders >= 10")
    assert run_sync(lab.context(sync, "run-2")).accepted == 10


def test_describe_counts_and_keeps_nothing(lab: Lab) -> None:
    lab.customers(12)
    seen = describe(lab.context(lab.people()))
    assert (seen["to_send"], seen["counts"]["added"], seen["findings"]) == (12, 12, [])
    assert lab.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'cio_sync'") == []


def test_rows_are_spread_over_shards_and_each_is_sent_once(lab: Lab) -> None:
    lab.customers(500)
    context = lab.context(lab.people(rows_per_shard=50))
    assert make_plan(context).shards == 10
    report = run_sync(context)
    assert (report.accepted, lab.received(), lab.stats()["people"]) == (500, 500, 500)
    assert report.requests == sum(lab.stats()["requests"]["POST /api/v2/batch"].values())


def test_emails_are_one_person_whatever_their_case(lab: Lab) -> None:
    lab.insert("customers (email, name)", ["(' Ann@Example.com ', 'Ann')"])
    sync = lab.people(identity={"email": "email"}, allow_email_only="test")
    run_sync(lab.context(sync))
    lab.run("UPDATE cio_marts.customers SET email = 'ANN@example.com'")
    assert run_sync(lab.context(sync, "run-2")).sent == 0
    assert lab.rows("SELECT row_key FROM cio_sync.state") == [("ann@example.com",)]


def test_a_changed_mapping_sends_everyone_again(lab: Lab) -> None:
    lab.customers(5)
    run_sync(lab.context(lab.people()))
    other = lab.people(attributes={"name": "name"})
    assert run_sync(lab.context(other, "run-2")).counts.changed == 5
    assert run_sync(lab.context(other, "run-3")).sent == 0


def test_a_sql_file_is_a_source_and_percent_signs_are_no_placeholders(lab: Lab) -> None:
    lab.customers(10)
    path = lab.folder / "people.sql"
    path.write_text(
        "-- customers, don't ask\nWITH few AS (SELECT * FROM cio_marts.customers WHERE orders % 2 = 0)\n"
        "SELECT * FROM few WHERE name LIKE 'Name%' -- or not;\n;"
    )
    sync = lab.people(source=None, sql=str(path))
    assert run_sync(lab.context(sync)).accepted == 5
