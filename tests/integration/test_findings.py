"""What a plan finds in the rows of a source, and what a sync may want done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import describe, make_plan
from airflow_provider_cio.engine.preflight import preflight
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import ContractError, SourceError

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)

NO_GUARDS = {"max_unidentified_pct": 100}
TEXTS = {
    "ok": "REPEAT('x', 1000)",
    "ascii": "REPEAT('x', 1001)",
    "accents": "REPEAT('é', 501)",
    "euros": "REPEAT('€', 334)",
    "smileys": "REPEAT('😀', 251)",
}


def long_values(lab: Lab) -> None:
    for key, text in TEXTS.items():
        lab.run(f"INSERT INTO cio_marts.customers (customer_id, name) SELECT '{key}', {text}")


def found(lab: Lab, **changes: Any) -> dict[str, dict[str, Any]]:
    events = changes.pop("events", False)
    sync = (lab.events if events else lab.people)(guards=NO_GUARDS, **changes)
    return {finding["name"]: finding for finding in describe(lab.context(sync))["findings"]}


def test_values_over_the_limit_are_withheld_and_counted(lab: Lab) -> None:
    long_values(lab)
    finding = found(lab)["value_too_long"]
    assert (finding["rows"], finding["severity"], finding["field"]) == (4, "warning", "attributes.name")
    assert finding["samples"] == sorted(hashed(key) for key in TEXTS if key != "ok")
    report = run_sync(lab.context(lab.people(guards=NO_GUARDS)))
    assert (report.accepted, report.rejected, report.counts.unidentified) == (1, 0, 4)
    assert lab.rows("SELECT name, rows FROM cio_sync.findings") == [("value_too_long", 4)]


def test_values_over_the_limit_may_be_cut_without_breaking_a_character(lab: Lab) -> None:
    long_values(lab)
    sync = lab.people(findings={"value_too_long": "truncate"})
    report = run_sync(lab.context(sync))
    assert (report.accepted, report.rejected) == (5, 0)
    sent = {key: lab.person(key)["attributes"]["name"] for key in TEXTS}
    assert {key: (len(text.encode()), len(text)) for key, text in sent.items()} == {
        "ok": (1000, 1000),
        "ascii": (1000, 1000),
        "accents": (1000, 500),
        "euros": (999, 333),
        "smileys": (1000, 250),
    }
    assert lab.rows("SELECT severity, rows FROM cio_sync.findings") == [("notice", 4)]
    again = run_sync(lab.context(sync, "run-2"))
    assert (again.status, again.counts.unchanged) == ("nothing_to_send", 5)


def test_json_cannot_be_cut(lab: Lab) -> None:
    lab.run(
        "INSERT INTO cio_marts.customers (customer_id, extra) SELECT 'c1', "
        "JSON_PARSE('[\"' || REPEAT('x', 1000) || '\"]')"
    )
    finding = found(lab, attributes={"extra": "extra"}, findings={"value_too_long": "truncate"})
    assert finding["value_too_long"]["severity"] == "warning"


def test_who_is_withheld_has_not_left(lab: Lab) -> None:
    """A person whose name grew too long keeps what was sent, and is no exit."""
    lab.customers(5)
    sync = lab.people(on_exit={"set_flag": {"attribute": "gone"}}, guards={"max_exit_pct": None, **NO_GUARDS})
    assert run_sync(lab.context(sync)).accepted == 5
    lab.run("UPDATE cio_marts.customers SET name = REPEAT('x', 2000) WHERE customer_id = 'c1'")
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'c2'")
    report = run_sync(lab.context(sync, "run-2"))
    assert (report.counts.exited, report.counts.unidentified, report.counts.unchanged) == (1, 1, 3)
    assert lab.person("c1")["attributes"]["name"] == "Name 1"
    assert "gone" not in lab.person("c1")["attributes"]


@pytest.mark.parametrize(
    ("action", "sent"), [("skip", {}), ("truncate", {"c1": 1700000000, "c2": 1700000000})]
)
def test_timestamps_in_milliseconds(lab: Lab, action: str, sent: dict[str, int]) -> None:
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN seen BIGINT")
    lab.insert("customers (customer_id, seen)", ["('c1', 1700000000000)", "('c2', 1700000000)"])
    sync = lab.people(
        attributes={"seen": {"column": "seen", "type": "timestamp"}},
        findings={"timestamp_in_milliseconds": action},
        guards=NO_GUARDS,
    )
    finding = found(lab, attributes=sync.attributes, findings=sync.findings)["timestamp_in_milliseconds"]
    assert (finding["rows"], finding["field"], finding["samples"]) == (1, "attributes.seen", [hashed("c1")])
    assert run_sync(lab.context(sync)).accepted == (2 if sent else 1)
    for key, seconds in sent.items():
        assert lab.person(key)["attributes"]["seen"] == seconds


def test_an_identifier_with_white_space_is_trimmed_and_told(lab: Lab) -> None:
    lab.insert("customers (customer_id)", ["(' c1')", "('c2' || CHR(9))", "('c3')"])
    finding = found(lab)["identifier_padded"]
    assert (finding["rows"], finding["severity"], finding["field"]) == (2, "notice", "identity.id")
    assert run_sync(lab.context(lab.people())).accepted == 3
    skipped = make_plan(
        lab.context(lab.people(findings={"identifier_padded": "skip"}, guards=NO_GUARDS), "run-2")
    )
    assert (skipped.counts.unidentified, skipped.counts.unchanged) == (2, 1)


def test_items_that_are_too_large_are_found_before_they_are_sent(lab: Lab) -> None:
    lab.run("CREATE TABLE cio_marts.notes (id VARCHAR, person VARCHAR, at TIMESTAMP, text VARCHAR(65535))")
    lab.run("INSERT INTO cio_marts.notes SELECT 'n1', 'c1', '2024-01-01', REPEAT('x', 31800)")
    lab.run("INSERT INTO cio_marts.notes SELECT 'n2', 'c1', '2024-01-01', REPEAT('x', 32000)")
    changes = {
        "source": "cio_marts.notes",
        "identity": {"id": "person"},
        "key": "id",
        "occurred_at": {"column": "at", "time_zone": "UTC"},
        "properties": {"text": "text"},
    }
    finding = found(lab, events=True, **changes)["item_too_large"]
    assert (finding["rows"], finding["samples"]) == (1, [hashed("n2")])
    report = run_sync(lab.context(lab.events(guards=NO_GUARDS, **changes)))
    assert (report.accepted, report.rejected) == (1, 0)


def test_duplicates_may_be_skipped(lab: Lab) -> None:
    lab.customers(4)
    lab.customers(1, start=2)
    sync = lab.people(findings={"duplicate_key": "skip"}, guards=NO_GUARDS)
    report = run_sync(lab.context(sync))
    assert (report.accepted, report.counts.unidentified) == (3, 2)
    assert lab.rows("SELECT name, severity, field, rows, samples FROM cio_sync.findings") == [
        ("duplicate_key", "warning", "identity.id", 2, hashed("c2"))
    ]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("identifier_missing", "('o1', ' ', '2024-01-01', 1, 1)"),
        ("occurred_at_missing", "('o1', 'c1', NULL, 1, 1)"),
        ("occurred_at_in_future", "('o1', 'c1', '2200-01-01', 1, 1)"),
        ("key_missing", "('', 'c1', '2024-01-01', 1, 1)"),
    ],
)
def test_any_finding_may_stop_the_run(lab: Lab, name: str, rows: str) -> None:
    lab.insert("orders", [rows, "('o2', 'c1', '2024-01-01', 1, 1)"])
    with pytest.raises(SourceError, match=r"orders.yaml: .*1 rows .*nothing is planned"):
        make_plan(lab.context(lab.events(findings={name: "fail"})))
    assert lab.rows("SELECT name, severity FROM cio_sync.findings") == [(name, "stop")]
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.plans") == [(0,)]


def test_a_time_of_load_is_told(lab: Lab) -> None:
    lab.orders(30)
    assert "occurred_at_is_load_time" not in found(lab, events=True)
    lab.run("UPDATE cio_marts.orders SET ordered_at = '2024-03-01 04:00:00' WHERE items >= 5")
    finding = found(lab, events=True)["occurred_at_is_load_time"]
    assert (finding["rows"], finding["severity"], finding["field"]) == (25, "notice", "occurred_at")
    assert len(finding["samples"]) == 5
    lab.run("UPDATE cio_marts.orders SET ordered_at = DATE_TRUNC('day', ordered_at)")
    assert "occurred_at_is_load_time" not in found(lab, events=True)  # dates


def test_limits_that_the_file_itself_exceeds_stop_before_any_row_is_read(lab: Lab) -> None:
    lab.customers(1)
    many = {f"a{number}": "name" for number in range(301)}
    for changes, name, field in (
        ({"attributes": many}, "too_many_attributes", "attributes"),
        ({"attributes": {"é" * 76: "name"}}, "field_name_too_long", f"attributes.{'é' * 40}"),
    ):
        with pytest.raises(ContractError, match="Next step: s"):
            preflight(lab.context(lab.people(**changes)))
        found_ = lab.rows("SELECT name, severity, field FROM cio_sync.findings")
        assert found_ == [(name, "stop", field)]
        [told] = preflight(lab.context(lab.people(**changes, findings={name: "report"})))
        assert (told.name, told.severity) == (name, "notice")
    with pytest.raises(
        ContractError, match=r"orders\.yaml: event: all rows are events with a name of more than 100"
    ):
        preflight(lab.context(lab.events(event="E" * 101)))
    assert preflight(lab.context(lab.events(event="E" * 100))) == []


def test_names_of_pages_are_measured_and_may_be_cut(lab: Lab) -> None:
    lab.run(
        "CREATE TABLE cio_marts.views (view_id VARCHAR(20), customer_id VARCHAR(20), at TIMESTAMP, title VARCHAR(400))"
    )
    names = {"v1": "REPEAT('x', 100)", "v2": "REPEAT('€', 34)", "v3": "''", "v4": "NULL"}
    for key, title in names.items():
        lab.run(f"INSERT INTO cio_marts.views SELECT '{key}', 'c1', CAST('2024-03-01' AS TIMESTAMP), {title}")
    changes = {
        "event": None, "page": "title", "source": "cio_marts.views", "key": "view_id", "properties": {},
        "occurred_at": {"column": "at", "time_zone": "UTC"},
    }  # fmt: skip
    told = found(lab, events=True, **changes)
    assert {name: (told[name]["rows"], told[name]["severity"], told[name]["field"]) for name in told} == {
        "name_missing": (2, "warning", "page"),
        "name_too_long": (1, "warning", "page"),
    }
    sync = lab.events(guards=NO_GUARDS, findings={"name_too_long": "truncate"}, **changes)
    report = run_sync(lab.context(sync))
    assert (report.accepted, report.rejected, report.counts.unidentified) == (2, 0, 2)
    assert sorted(event["name"] for event in lab.events_of("c1")) == ["x" * 100, "€" * 33]


def test_the_key_of_an_object_has_the_limit_of_an_id(lab: Lab) -> None:
    lab.run("CREATE TABLE cio_marts.pairs (customer_id VARCHAR(20), shop VARCHAR(400))")
    lab.run("INSERT INTO cio_marts.pairs SELECT 'c1', REPEAT('s', 150)")
    lab.run("INSERT INTO cio_marts.pairs SELECT 'c2', REPEAT('s', 151)")
    changes = {
        "kind": "relationships", "source": "cio_marts.pairs", "object_type_id": "1",
        "related": {"object_id": "shop"}, "attributes": {}, "backfill": {},
    }  # fmt: skip
    finding = found(lab, **changes)["partner_too_long"]
    assert (finding["rows"], finding["samples"]) == (1, [hashed("c2" + chr(31) + "s" * 151)])
