from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.engine.plan import describe, make_plan
from airflow_provider_cio.engine.preflight import preflight
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    ContractError,
    FatalError,
    RetriableError,
    SourceError,
    WarehouseError,
)
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)


def findings(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.rows("SELECT phase, name, severity FROM cio_sync.findings")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source": "cio_marts.custmers"},
            r"people.yaml: source: cio_marts.custmers: .*does not exist.*Next step",
        ),
        ({"source": "nowhere.customers"}, r"people.yaml: source: nowhere.customers: .*does not exist"),
        (
            {"attributes": {"name": "nme"}},
            r"people.yaml: attributes.name: cio_marts.customers has no column 'nme'.*did you mean 'name'",
        ),
        (
            {"identity": {"id": "zzz"}},
            r"identity.id: .* no column 'zzz'. Next step: its columns are customer_id,",
        ),
        ({"identity": {"id": "spent_at"}}, r"no column 'spent_at'"),
        ({"identity": {"id": "vip"}}, r"identity.id: column 'vip' is boolean, which makes no exact key"),
        (
            {"attributes": {"x": {"expression": "UPPER(nme)"}}},
            r"people.yaml: attributes.x: .*nme.*does not exist",
        ),
        ({"attributes": {"x": {"expression": "SUM("}}}, r"people.yaml: attributes.x: .*refused a statement"),
        (
            {"attributes": {"x": {"column": "name", "type": "integer"}}},
            r"people.yaml: attributes.x: column 'name' is text and cannot become type: integer",
        ),
    ],
)
def test_a_source_that_is_not_what_the_sync_says(lab: Lab, changes: dict[str, Any], message: str) -> None:
    context = lab.context(lab.people(**changes))
    with pytest.raises(SourceError, match=message):
        preflight(context)
    assert findings(lab) == [("preflight", "source", "stop")]
    with pytest.raises(SourceError, match=message):
        make_plan(context)
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.plans") == [(0,)]


def test_an_attribute_without_a_zone_stops(lab: Lab) -> None:
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN joined TIMESTAMP")
    with pytest.raises(
        SourceError, match=r"attributes.joined: column 'joined' is a TIMESTAMP without a time zone"
    ):
        preflight(lab.context(lab.people(attributes={"joined": "joined"})))


@pytest.mark.parametrize(
    ("occurred_at", "message"),
    [
        ("ordered_at", r"`occurred_at` is a TIMESTAMP without a time zone. Next step: name its zone"),
        ("items", r"`occurred_at` is integer, not a date or timestamp"),
        ("orderd_at", r"occurred_at: .* no column 'orderd_at'. Next step: did you mean 'ordered_at'"),
    ],
)
def test_moments_of_events(lab: Lab, occurred_at: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        preflight(lab.context(lab.events(occurred_at=occurred_at)))


def test_duplicates_stop_a_people_sync_and_are_named_by_their_hash(lab: Lab) -> None:
    lab.customers(10)
    lab.customers(2, start=3)
    lab.insert("customers (customer_id)", ["(' c4 ')"])
    context = lab.context(lab.people())
    with pytest.raises(SourceError, match=r"identity.id: 2 keys occur on 5 rows") as raised:
        make_plan(context)
    assert hashed("c4") in str(raised.value)
    assert "c4" not in str(raised.value).replace(hashed("c4"), "")
    assert sorted(findings(lab)) == [
        ("plan", "duplicate_key", "stop"),
        ("plan", "identifier_padded", "notice"),
    ]
    assert describe(context)["findings"][0]["name"] == "duplicate_key"
    lab.run("DELETE FROM cio_marts.customers WHERE customer_id IN ('c3', 'c4', ' c4 ')")
    assert make_plan(lab.context(lab.people(), "run-2")).counts.added == 8


def test_duplicate_event_keys_stop(lab: Lab) -> None:
    lab.insert("orders", ["('o1', 'c1', '2024-01-01', 1, 1)", "('o1', 'c2', '2024-01-02', 1, 1)"])
    with pytest.raises(SourceError, match=r"orders.yaml: key: 1 keys occur on 2 rows"):
        make_plan(lab.context(lab.events()))


def test_a_value_that_cannot_be_computed_is_not_quoted(lab: Lab) -> None:
    lab.insert("customers (customer_id, name)", ["('c1', 'Jane Doe')"])
    with pytest.raises(SourceError, match="cannot be computed") as raised:
        make_plan(lab.context(lab.people(attributes={"x": {"expression": "CAST(name AS INTEGER)"}})))
    assert "Jane" not in str(raised.value)


def test_all_is_well(lab: Lab) -> None:
    assert preflight(lab.context(lab.people())) == []
    lab.run("ALTER TABLE cio_marts.customers ADD COLUMN score FLOAT8")
    [found] = preflight(lab.context(lab.people(attributes={"score": "score"})))
    assert (found.name, found.severity, found.field) == ("float_attribute", "warning", "attributes.score")


def test_an_absent_bucket(lab: Lab) -> None:
    bucket = Bucket(lab.s3_client, "s3://no-such-bucket/x", lab.bucket.iam_role)
    with pytest.raises(ContractError, match=r"'no-such-bucket' does not exist. Next step: create it"):
        preflight(lab.context(lab.people(), bucket=bucket))


def test_wrong_keys(lab: Lab) -> None:
    message = r"refused the keys.*Next step: check the site id"
    with (
        TrackClient(site_id="x", api_key="y", base_url=lab.customerio.url) as track,
        pytest.raises(AuthenticationError, match=message),
    ):
        preflight(lab.context(lab.people(), track=track))


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"port": 1}, WarehouseError, "No connection to Redshift.*Next step: check host, port"),
        ({"password": "wrong"}, AuthenticationError, "Redshift refused the login.*Next step: correct login"),
        ({"database": "nowhere"}, FatalError, "Next step: correct the database"),
    ],
)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_bad_connection(lab: Lab, change: dict[str, Any], kind: type[Exception], message: str) -> None:
    warehouse = Warehouse(lambda: redshift_connector.connect(**lab.dsn | change))
    with pytest.raises(kind, match=message) as raised:
        preflight(lab.context(lab.people(), warehouse=warehouse))
    del raised
    gc.collect()  # the driver leaves the socket of a refused login open


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_lost_connection_may_pass(lab: Lab) -> None:
    warehouse = lab.new_warehouse()
    [(pid,)] = warehouse.fetch("SELECT pg_backend_pid()")
    lab.rows(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises(RetriableError, match="The connection to Redshift broke"):
        warehouse.fetch("SELECT 1")
    assert warehouse.fetch("SELECT 1") == [(1,)]
    gc.collect()


def test_a_sync_that_sent_to_one_workspace_is_kept_from_another(lab: Lab) -> None:
    lab.customers(2)
    lab.setting(environment_id=7)
    preflight(lab.context(lab.people()))
    lab.setting(environment_id=8)  # nothing was sent, so a connection may still be corrected
    run_sync(lab.context(lab.people()))
    renamed = lab.context(lab.people(), "run-2").contract.model_copy(update={"workspace": "store"})
    preflight(lab.context(lab.people(), "run-2", contract=renamed))
    assert lab.rows("SELECT sync, workspace, workspace_id FROM cio_sync.workspaces") == [
        ("people", "store", "8")
    ]

    lab.setting(environment_id=7)
    said = r"'people' sends to workspace 'store' \(8\), and this run would to 'shop' \(7\).*another name"
    with pytest.raises(ContractError, match=said):
        run_sync(lab.context(lab.people(), "run-3"))
    run_sync(lab.context(lab.people(name="others"), "run-4"))
    assert lab.rows("SELECT COUNT(*) FROM cio_sync.plans WHERE run_id = 'run-3'") == [(0,)]
