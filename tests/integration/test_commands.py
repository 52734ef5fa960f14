"""`airflow cio plan` and `preview` against a local Redshift, with connections from the environment."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest_plugins = ("sync_lab",)

Run = Callable[..., tuple[int, str, str]]

PERSON = {"name": "Ada Lovelace", "id": "ada-1815"}


@pytest.fixture
def run(
    lab: Any, airflow_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`airflow cio ...` in this process: (status, stdout, stderr)."""
    from airflow.cli import cli_parser

    set_redshift(monkeypatch, lab.dsn)
    aws = {
        "conn_type": "aws",
        "login": "testing",
        "password": "testing",
        "extra": {"endpoint_url": lab.s3_client.meta.endpoint_url, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(aws))
    parser = cli_parser.get_parser()

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        args = parser.parse_args(["cio", *arguments])
        status = 0
        try:
            args.func(args)
        except SystemExit as left:
            status = int(left.code or 0)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture
def people(lab: Any) -> str:
    """A people sync over three customers, one of them without an id."""
    lab.insert(
        "customers (customer_id, name, orders, spent, vip)",
        [f"('{PERSON['id']}', '{PERSON['name']}', 3, 31.50, TRUE)", "('c2', 'Bea', 0, 0, FALSE)"],
    )
    lab.insert("customers (customer_id, name)", ["(NULL, 'Nobody')"])
    sync = lab.people().model_dump(mode="json", exclude_unset=True)
    contract = lab.context(lab.people()).contract.model_dump(mode="json", exclude_unset=True)
    (lab.folder / "syncs").mkdir()
    (lab.folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    file = lab.folder / "syncs/people.yaml"
    file.write_text(yaml.safe_dump(sync))
    return str(file)


def set_redshift(monkeypatch: pytest.MonkeyPatch, dsn: dict[str, Any], **extra: Any) -> None:
    connection = {
        "conn_type": "redshift",
        "host": dsn["host"],
        "port": dsn["port"],
        "schema": dsn["database"],
        "login": dsn["user"],
        "password": dsn["password"],
        "extra": {"ssl": False, **extra},
    }
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps(connection))


def test_plan_counts_and_keeps_nothing(run: Run, lab: Any, people: str) -> None:
    status, out, err = run("plan", people, "-o", "json")
    assert status == 0, err
    planned = json.loads(out)
    assert planned["sync"] == "people"
    counts = planned["counts"]
    assert (counts["source_rows"], counts["added"], counts["unidentified"]) == (3, 2, 1)
    assert planned["to_send"] == 2
    assert [(found["severity"], found["rows"]) for found in planned["findings"]] == [("warning", 1)]
    assert lab.rows("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'cio_sync'") == [
        (0,)
    ]
    assert lab.received() == 0


def test_plan_is_a_table_unless_asked(run: Run, people: str) -> None:
    status, out, err = run("plan", people)
    assert status == 0, err
    assert ["added", "|", "2"] in [line.split() for line in out.splitlines()]
    assert "warning" in out


def test_preview_shows_kinds_and_hashes(run: Run, people: str) -> None:
    status, out, err = run("preview", people, "-n", "3")
    assert status == 0, err
    operations = [json.loads(line) for line in out.splitlines()]
    assert sorted(operation.get("action", operation.get("refused")) for operation in operations) == [
        "identifier_missing",
        "identify",
        "identify",
    ]
    for value in PERSON.values():
        assert value not in out + err


def test_preview_shows_values_when_asked(run: Run, people: str) -> None:
    status, out, err = run("preview", people, "--show-values")
    assert status == 0, err
    shown = {
        operation["identifiers"]["id"]: operation["attributes"]
        for line in out.splitlines()
        if "identifiers" in (operation := json.loads(line))
    }
    assert shown[PERSON["id"]] == {"name": PERSON["name"], "order_count": 3, "spent": 31.5, "vip": True}


def test_preview_shows_no_more_than_asked(run: Run, people: str) -> None:
    status, out, _ = run("preview", people, "-n", "1")
    assert (status, len(out.splitlines())) == (0, 1)


def test_preview_of_an_empty_source(run: Run, lab: Any, people: str) -> None:
    lab.run("DELETE FROM cio_marts.customers")
    status, out, err = run("preview", people)
    assert (status, out) == (0, "")
    assert "no rows" in err


def test_a_view_that_is_missing(run: Run, lab: Any, people: str) -> None:
    lab.run("DROP TABLE cio_marts.customers")
    status, out, err = run("plan", people)
    assert (status, out) == (1, "")
    assert "cio_marts.customers" in err
    assert "Next step: " in err


def test_init_db_creates_the_tables_once(run: Run, lab: Any, people: str) -> None:
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'cio_sync' ORDER BY 1"
    for _ in range(2):
        status, out, err = run("init-db", str(lab.folder))
        assert (status, out) == (0, ""), err
        found = {name for (name,) in lab.rows(tables)}
        assert {"plans", "runs", "rejects", "findings", "leases"} <= found


# redshift_connector leaves the socket of a refused login to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_wrong_password(run: Run, lab: Any, people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_redshift(monkeypatch, lab.dsn | {"password": "wrong-secret"})
    status, _, err = run("plan", people)
    assert status == 1
    assert "refused the login" in err
    assert "wrong-secret" not in err
    gc.collect()


def test_an_extra_that_the_driver_does_not_take(
    run: Run, lab: Any, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_redshift(monkeypatch, lab.dsn, s3_bucket="x")
    status, _, err = run("plan", people)
    assert status == 1
    assert "s3_bucket" in err
    assert "staging" in err


def test_a_connection_that_does_not_exist(run: Run, people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_DEFAULT")
    status, _, err = run("plan", people)
    assert status == 1
    assert "'redshift_default'" in err
    assert "Connections" in err
    assert "Traceback" not in err


def test_a_connection_kept_by_airflow_itself(
    run: Run, lab: Any, people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.cli import cli_parser

    text = os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"]
    monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_DEFAULT")
    parser = cli_parser.get_parser()
    add = parser.parse_args(["connections", "add", "redshift_default", "--conn-json", text])
    delete = parser.parse_args(["connections", "delete", "redshift_default"])
    add.func(add)
    try:
        status, _, err = run("plan", people)
    finally:
        delete.func(delete)
    assert status == 0, err


@pytest.fixture
def customerio_connection(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {"site_id": "sandbox-site", "track_api_key": "sandbox-track-key", "app_api_key": "sandbox-app-key"}
    connection = {"conn_type": "customerio", "extra": {**keys, "base_url": lab.customerio.url}}
    monkeypatch.setenv("AIRFLOW_CONN_CUSTOMERIO_DEFAULT", json.dumps(connection))


@pytest.mark.usefixtures("customerio_connection")
def test_repair_and_replay(run: Run, people: str, lab: Any) -> None:
    status, _, err = run("replay-rejects", people, "--reason", "nothing like it")
    assert (status, "there is nothing to replay" in err) == (1, True)
    status, out, _ = run("repair", people)
    assert (status, json.loads(out)["sent"]) == (0, 0)
    assert lab.received() == 0


@pytest.mark.usefixtures("customerio_connection")
def test_a_staging_that_only_a_task_can_render(run: Run, people: str) -> None:
    file = Path(people).parents[1] / "contract.yaml"
    contract = yaml.safe_load(file.read_text())
    contract["staging"]["s3"] = "{{ ds }}"
    file.write_text(yaml.safe_dump(contract))
    status, _, err = run("repair", people)
    assert (status, "cannot be rendered outside a task" in err) == (1, True)


@pytest.mark.usefixtures("customerio_connection")
def test_verify_shows_no_values_unless_it_is_asked(run: Run, people: str, lab: Any) -> None:
    file = Path(people)
    file.write_text(file.read_text() + f"cohort: [{PERSON['id']}]\n")
    status, out, err = run("verify", people, "-o", "json", "--wait", "0")
    assert (status, "0 differ" in err, PERSON["name"] in out, lab.stats()["people"]) == (0, True, False, 1)
    assert {row[""] for row in json.loads(out)} == {"same"}
    lab.writer(
        {"type": "person", "action": "suppress", "identifiers": {"id": PERSON["id"]}},
    )
    status, out, _ = run("verify", people, "--wait", "0", "--show-values")
    assert (status, "DIFFERENT" in out) == (1, True)


def test_mapping_tests_by_command(run: Run, people: str) -> None:
    folder = str(Path(people).parents[1])
    file = Path(people)
    given = {"given": {"customer_id": "c1", "name": "Ada"}, "expect": {"identifiers": {"id": "c1"}}}
    file.write_text(file.read_text() + yaml.safe_dump({"tests": [given]}))
    assert run("test", folder)[0] == 0
    given["expect"] = {"identifiers": {"id": "c2"}}
    file.write_text(file.read_text().split("tests:")[0] + yaml.safe_dump({"tests": [given]}))
    status, out, err = run("test", folder)
    assert (status, "people.yaml:" in out, "1 mapping tests, 1 failed" in err) == (1, True, True)


def test_let_through_knows_its_guards(run: Run, people: str, lab: Any) -> None:
    status, _, err = run("let-through", people, "max_dorp_pct")
    assert (status, "max_drop_pct" in err) == (1, True)
    status, out, _ = run("let-through", people, "max_drop_pct", "min_rows")
    assert (status, "passes max_drop_pct, min_rows" in out) == (0, True)
    assert lab.rows("SELECT name FROM cio_sync.let_through ORDER BY 1") == [("max_drop_pct",), ("min_rows",)]


def test_preview_of_events_needs_no_tables_of_ours(run: Run, people: str, lab: Any) -> None:
    lab.orders(2)
    file = Path(people).with_name("orders.yaml")
    file.write_text(
        yaml.safe_dump(
            lab.events(backfill={}).model_dump(mode="json", exclude_unset=True) | {"lookback": "30d"}
        )
    )
    assert run("preview", str(file))[0] == 0
    assert lab.rows("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'cio_sync'") == [
        (0,)
    ]
