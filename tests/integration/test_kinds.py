"""Objects, relationships, devices, merges, suppressions, deletions, views: from Redshift and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.operations import preview
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.engine.sample import sample

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)
GUARDS = {"max_exit_pct": 100, "max_unidentified_pct": 100, "min_rows": 0}
MEMBERS = """
CREATE TABLE cio_marts.members (
    customer_id VARCHAR(400), account VARCHAR(400), role VARCHAR(40), token VARCHAR(1000), seen TIMESTAMP
)
"""


def sync(kind: str, **changes: Any) -> Sync:
    common: dict[str, Any] = {
        "name": kind,
        "kind": kind,
        "description": "d",
        "owner": "o",
        "source": "cio_marts.members",
    }
    if kind == "people":
        common["backfill"] = {"journeys_paused": True}
    return Sync.model_validate(
        {**common, "identity": {"id": "customer_id"}, "guards": GUARDS, "max_rejected_pct": 50, **changes}
    )


def members(lab: Lab, *rows: str) -> None:
    lab.run(MEMBERS)
    lab.insert("members", list(rows))


def objects(lab: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{lab.customerio.url}/_sandbox/objects").json()["objects"]
    return found


def test_objects_are_diffed_updated_and_deleted(lab: Lab) -> None:
    members(lab, "('c1', 'acme', 'owner', NULL, NULL)", "('c2', 'globex', 'guest', NULL, NULL)")
    accounts = sync(
        "objects",
        identity={"object_id": "account"},
        object_type_id="2",
        attributes={"contact": "role"},
        on_exit="delete",
    )
    assert run_sync(lab.context(accounts)).accepted == 2
    lab.run("UPDATE cio_marts.members SET role = 'boss' WHERE account = 'acme'")
    lab.run("DELETE FROM cio_marts.members WHERE account = 'globex'")
    report = run_sync(lab.context(accounts, "run-2"))
    assert (report.counts.changed, report.counts.exited) == (1, 1)
    [acme] = objects(lab)
    assert (acme["object_type_id"], acme["identifiers"]["object_id"]) == ("2", "acme")
    assert acme["attributes"] == {"contact": "boss"}


def test_relationships_are_unique_by_person_and_object_and_end(lab: Lab) -> None:
    lab.customers(3)
    run_sync(lab.context(lab.people()))
    members(
        lab,
        "('c1', 'acme', 'owner', NULL, NULL)",
        "('c1', 'globex', 'guest', NULL, NULL)",
        "('c2', 'acme', NULL, NULL, NULL)",
        "('c2', NULL, 'x', NULL, NULL)",
        "('c2', CHR(31) || 'x', 'x', NULL, NULL)",
    )
    related = sync(
        "relationships",
        related={"object_id": "account"},
        object_type_id="2",
        attributes={"role": "role"},
        on_exit="delete",
    )
    report = run_sync(lab.context(related))
    assert (report.accepted, report.counts.unidentified) == (3, 2)
    found = lab.rows("SELECT name, rows FROM cio_sync.findings ORDER BY name")
    assert found == [("key_with_separator", 1), ("partner_missing", 1)]
    lab.run("DELETE FROM cio_marts.members WHERE customer_id = 'c1' AND account = 'acme'")
    report = run_sync(lab.context(related, "run-2"))
    assert (report.counts.exited, report.accepted, report.counts.unchanged) == (1, 1, 2)
    assert [each["identifiers"]["object_id"] for each in lab.person("c1")["relationships"]] == ["globex"]
    assert [each["identifiers"]["object_id"] for each in lab.person("c2")["relationships"]] == ["acme"]
    assert len(objects(lab)) == 2


def test_devices_with_long_tokens_come_and_go(lab: Lab) -> None:
    lab.customers(2)
    run_sync(lab.context(lab.people()))
    long = "t" * 300
    members(
        lab,
        f"('c0', NULL, 'ios', '{long}', '2024-03-01 12:00:00')",
        "('c1', NULL, 'android', 'short', NULL)",
        f"('c1', NULL, 'ios', '{'x' * 351}', NULL)",
    )
    devices = sync(
        "devices",
        device={
            "token": "token",
            "platform": "role",
            "last_used": {"column": "seen", "time_zone": "UTC"},
        },
        on_exit="delete",
    )
    shown = preview(sample(lab.context(devices), 10)[0], devices, redact=False)
    assert {"token": "short", "platform": "android", "attributes": {}} in [
        each.get("device") for each in shown
    ]
    report = run_sync(lab.context(devices))
    assert (report.accepted, report.counts.unidentified) == (2, 1)
    [device] = lab.person("c0")["devices"]
    assert (device["id"], device["platform"], device["last_used"]) == (long, "ios", 1709294400)
    lab.run("DELETE FROM cio_marts.members WHERE token = 'short'")
    assert run_sync(lab.context(devices, "run-2")).counts.exited == 1
    assert lab.person("c1")["devices"] == []
    assert len(lab.person("c0")["devices"]) == 1


def test_a_merge_is_done_once_and_never_with_oneself(lab: Lab) -> None:
    lab.customers(4)
    run_sync(lab.context(lab.people()))
    members(lab, "('c1', 'c2', NULL, NULL, NULL)", "('c3', 'c3', NULL, NULL, NULL)")
    merges = sync("merges", secondary={"id": "account"})
    report = run_sync(lab.context(merges))
    assert (report.accepted, report.counts.unidentified) == (1, 1)
    assert lab.rows("SELECT name, rows FROM cio_sync.findings") == [("merge_with_itself", 1)]
    assert lab.stats()["people"] == 3
    assert run_sync(lab.context(merges, "run-2")).sent == 0


def test_suppressions_follow_the_list_and_deletions_happen_once(lab: Lab) -> None:
    lab.customers(4)
    run_sync(lab.context(lab.people()))
    members(lab, "('c1', NULL, NULL, NULL, NULL)", "('c2', NULL, NULL, NULL, NULL)")
    blocked = sync("suppressions", on_exit="unsuppress")
    assert run_sync(lab.context(blocked)).accepted == 2
    assert (lab.stats()["people"], lab.stats()["suppressed"]) == (2, 4)
    lab.run("DELETE FROM cio_marts.members WHERE customer_id = 'c1'")
    assert run_sync(lab.context(blocked, "run-2")).counts.exited == 1
    assert lab.stats()["suppressed"] == 2

    lab.run("UPDATE cio_marts.members SET customer_id = 'c3'")
    gone = sync("deletions")
    assert run_sync(lab.context(gone)).accepted == 1
    assert lab.stats()["people"] == 1
    assert run_sync(lab.context(gone, "run-2")).sent == 0


def test_page_views_carry_their_names(lab: Lab) -> None:
    lab.customers(1)
    run_sync(lab.context(lab.people()))
    members(
        lab, "('c0', '/cart', 'mail', 'v1', '2024-03-01 12:00:00')", "('c0', NULL, 'x', 'v2', '2024-03-01')"
    )
    views = sync(
        "events",
        page="account",
        key="token",
        occurred_at={"column": "seen", "time_zone": "UTC"},
        lookback="36500d",
        properties={"referrer": "role"},
    )
    report = run_sync(lab.context(views))
    assert (report.accepted, report.rejected, report.counts.unidentified) == (1, 0, 1)
    [view] = lab.events_of("c0")
    assert (view["type"], view["name"], view["data"]) == ("page", "/cart", {"referrer": "mail"})
    assert lab.rows("SELECT name, field, samples FROM cio_sync.findings") == [
        ("name_missing", "page", hashed("v2"))
    ]


def test_phones_identify_in_one_form(lab: Lab) -> None:
    httpx.put(f"{lab.customerio.url}/_sandbox/settings", json={"phone_identifies": True})
    members(
        lab, "('+44 (1632) 960-961', NULL, 'gold', NULL, NULL)", "('01632 960961', NULL, 'none', NULL, NULL)"
    )
    people = sync("people", identity={"phone": "customer_id"}, attributes={"tier": "role"})
    report = run_sync(lab.context(people))
    assert (report.accepted, report.counts.unidentified) == (1, 1)
    assert lab.rows("SELECT name FROM cio_sync.findings") == [("phone_not_e164",)]
    [person] = httpx.get(f"{lab.customerio.url}/_sandbox/people").json()["people"]
    assert person["attributes"] == {"tier": "gold"}
    assert lab.rows("SELECT row_key FROM cio_sync.state") == [("+441632960961",)]
    lab.run("UPDATE cio_marts.members SET customer_id = '+441632960961' WHERE role = 'gold'")
    assert run_sync(lab.context(people, "run-2")).counts.unchanged == 1


def test_one_topic_is_set_and_the_others_stay(lab: Lab) -> None:
    lab.track().send_batch(
        b'{"batch":[{"type":"person","action":"identify","identifiers":{"id":"c1"},"attributes":'
        b'{"cio_subscription_preferences":{"topics":{"topic_1":true,"topic_3":true}}}}]}',
        1,
    )
    members(lab, "('c1', NULL, NULL, NULL, NULL)")
    people = sync(
        "people",
        attributes={"cio_subscription_preferences.topics.topic_3": {"expression": "role IS NOT NULL"}},
    )
    run_sync(lab.context(people))
    preferences = lab.person("c1")["attributes"]["cio_subscription_preferences"]
    assert preferences == {"topics": {"topic_1": True, "topic_3": False}}
