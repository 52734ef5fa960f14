"""The Dag of an audience in one process: sync, the wait for Google's word, and what Airflow keeps of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from audience_lab import AudienceLab
    from dag_lab import Dags

pytest_plugins = ("dag_lab", "audience_lab")


TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")
LOADER = Path(__file__).parents[2] / "dags/cio_audiences.py"


def write(dags: Dags, shop: AudienceLab, **changes: Any) -> Path:
    audience = {
        "description": "Carts",
        "owner": "retention",
        "purpose": "winback",
        "source": "cio_marts.carts",
        "identity": {"email": "email"},
        "consent": ["ads_consent"],
        "suppressions": [],
        "destinations": {
            kind: {"type": kind, "audience": shop.ads.audiences[kind]}
            for kind in ("meta", "google", "tiktok", "webhook")
        },
        **changes,
    }
    (dags.folder / LOADER.name).write_text(LOADER.read_text())
    file = dags.folder / "audiences/cart.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(audience))
    return file


@pytest.fixture
def connected(shop: AudienceLab, monkeypatch: pytest.MonkeyPatch) -> AudienceLab:
    from ad_lab import SECRET

    url = shop.ads.sandbox.url
    extras: dict[str, dict[str, str]] = {
        "meta": {"token": "meta-token", "base_url": url("meta")},
        "google": {"account": "123", "access_token": "google-token", "base_url": url("google")},
        "google_ads": {
            "account": "123",
            "access_token": "google-token",
            "developer_token": "google-developer-token",
            "base_url": url("google_ads"),
        },
        "tiktok": {"token": "tiktok-token", "advertiser": "7", "base_url": url("tiktok")},
        "webhook": {"url": url("webhook") + "/hook", "secret": SECRET},
        "rudderstack": {"write_key": "rudder-write-key", "base_url": url("rudderstack")},
    }
    for kind, extra in extras.items():
        monkeypatch.setenv(
            f"AIRFLOW_CONN_CIO_{kind.upper()}_DEFAULT",
            json.dumps({"conn_type": f"cio_{kind}", "extra": extra}),
        )
    return shop


def test_sync_and_confirm(dags: Dags, connected: AudienceLab) -> None:
    from airflow_provider_cio.templates.audience import audience_dag

    connected.cart("c0")
    connected.cart("c1")
    dag = audience_dag(write(dags, connected))
    dag.get_task("confirm").poke_interval = timedelta(0)
    run = dags.run(dag)
    assert (run.state, run.tasks) == ("success", {"sync": "success", "confirm": "success"})
    for kind in ("meta", "google", "tiktok", "webhook"):
        assert connected.at(kind) == connected.sent_as("meta" if kind == "webhook" else kind, ["c0", "c1"])
    assert connected.ledger("google") == {"present": 2}
    report = run.xcom("sync")
    assert (report["members"], report["destinations"]["google"]["outcome"]) == (2, "pending")
    assert dag.get_task("sync").outlets[0].uri == "customerio://audience/cart"


def test_a_guard_fails_at_once_and_says_why(
    dags: Dags, connected: AudienceLab, capfd: pytest.CaptureFixture[str]
) -> None:
    from airflow_provider_cio.templates.audience import audience_dag

    run = dags.run(audience_dag(write(dags, connected)))
    assert (run.state, run.instance("sync").try_number) == ("failed", 1)
    assert "0 members, fewer than min_members 1" in capfd.readouterr().out


def test_airflow_keeps_nothing_that_tells_who(
    dags: Dags,
    connected: AudienceLab,
    airflow_home: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Runs that succeed, are refused by every platform, are stopped, and wait; lint and forget: all that is written."""
    from airflow.cli import cli_parser

    from airflow_provider_cio.templates.audience import audience_dag

    caplog.set_level("DEBUG")
    shop, phone = connected, "+447911123456"
    who = ("wren4411", "jay4412", "owl4413")
    shop.ads.people(list(who))
    for number, name in enumerate(who):
        shop.cart(name, phone=f"{phone[:-1]}{number}")
    identity = {"id": "customer_id", "email": "email", "phone": "phone"}
    places: dict[str, dict[str, str]] = {
        kind: {"type": kind, "audience": shop.ads.audiences[kind]} for kind in TYPES
    }
    places["google_ads"]["despite_legacy"] = "allowed since 2024"
    written: list[str] = []

    def run(**changes: Any) -> str:
        file = write(dags, shop, **{"identity": identity, "destinations": places, **changes})
        dag = audience_dag(file)
        for task in dag.tasks:
            task.retries = 0
        dag.get_task("confirm").poke_interval = timedelta(0)
        ended = dags.run(dag)
        written.extend(json.dumps(ended.xcom(task)) for task in ended.tasks)
        return ended.state

    calm = {"guards": {"max_removed_pct": 100}}
    assert run(**calm) == "success"
    refused: dict[str, dict[str, Any]] = {
        "meta": {"kind": "100", "path": "/users"},
        "google": {"kind": "INVALID_ARGUMENT", "path": ":remove"},
        "google_ads": {"kind": "INVALID_USER_LIST_ID", "path": ":create"},
        "tiktok": {"kind": "40062", "path": "mapping"},
        "rudderstack": {"kind": "400"},
        "webhook": {"kind": "400"},
        "customerio": {"status": 400},
    }
    shop.lab.run(f"UPDATE cio_marts.carts SET ads_consent = FALSE WHERE customer_id = '{who[0]}'")
    for kind, fault in refused.items():
        shop.ads.faults(kind, fault)
    assert run(**calm) == "failed"
    rows = shop.lab.rows("SELECT destination FROM cio_sync.audience_uploads WHERE outcome = 'rejected'")
    assert {row[0] for row in rows} == set(TYPES)
    assert run(guards={"max_removed_pct": 1}) == "failed"
    assert run(source="cio_marts.none", **calm) == "failed"
    shop.cart(who[1], "twice@shop.example")
    assert run(**calm) == "failed"
    shop.lab.run("DELETE FROM cio_marts.carts WHERE email = 'twice@shop.example'")
    shop.ads.faults("google", {"kind": "INVALID_ARGUMENT", "path": "requestStatus"})
    shop.lab.run("UPDATE cio_marts.carts SET email = 'x' || email")
    assert run(**calm) == "failed"
    assert run(**calm) == "success"

    person = {"id": who[1], "email": f"x{who[1]}@shop.example", "phone": phone[:-1] + "1"}
    for command, text in (
        (["lint", str(dags.folder), "--measured"], ""),
        (["forget", str(dags.folder)], json.dumps(person)),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        args = cli_parser.get_parser().parse_args(["cio", *command])
        with contextlib.suppress(SystemExit):
            args.func(args)

    captured = capfd.readouterr()
    assert '"destinations": 7' in captured.out
    written += [caplog.text, captured.out, captured.err]
    tables = shop.lab.rows(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_schema = 'cio_sync' AND table_type = 'BASE TABLE' "
        "AND table_name NOT IN ('audience_members', 'holdout_assignments')"
    )
    written += [str(shop.lab.rows(f'SELECT * FROM cio_sync."{name}"')) for (name,) in tables]
    everything = "\n".join(written).encode()
    everything += b"".join(path.read_bytes() for path in airflow_home.glob("airflow.db*"))
    everything += b"".join(path.read_bytes() for path in airflow_home.glob("logs/**/*") if path.is_file())
    canaries = [*who, *(f"x{name}" for name in who), phone[1:-1]]
    for kind in TYPES:
        canaries += shop.sent_as(kind, [*who, *(f"x{name}" for name in who)])
    canaries += [
        hashlib.sha256(f"{phone[plus:-1]}{n}".encode()).hexdigest() for n in range(3) for plus in (0, 1)
    ]
    assert b"customerio://audience/cart" in everything
    assert [each for each in canaries if each.encode() in everything] == []
    assert list(shop.lab.bucket.listing("")) == []


def test_forget_looks_for_the_receivers_log_before_it_removes_anybody(
    dags: Dags, connected: AudienceLab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.cli import cli_parser

    write(dags, connected)
    receiver = {
        "folder": str(dags.folder),
        "s3": "s3://nobody-has-this/webhooks",
        "reporting": {"signing_key": "K"},
    }
    (dags.folder / "receiver.yaml").write_text(yaml.safe_dump(receiver))
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": "c0"}'))
    with pytest.raises(SystemExit):
        (args := cli_parser.get_parser().parse_args(["cio", "forget", str(dags.folder)])).func(args)
    told = capsys.readouterr().err
    assert (
        "receiver.yaml: The S3 bucket 'nobody-has-this' does not exist. Nobody was removed anywhere." in told
    )
    assert "or remove the file where no receiver runs" in told


def test_lint_holds_windows_to_what_was_measured(
    dags: Dags, connected: AudienceLab, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.cli import cli_parser

    from airflow_provider_cio.warehouse.audience.tables import ensure_tables

    destinations = {"webhook": {"type": "webhook", "audience": "cart"}}
    write(
        dags, connected, entered_at="cart_at", member_for="4h", cadence="@hourly", destinations=destinations
    )
    ensure_tables(connected.lab.warehouse)
    connected.lab.run(
        "INSERT INTO cio_sync.match_rates (audience, destination, run_id, plan_id, members, held_out, unidentified, "
        "uploaded, unsettled, as_expected, lag_p95, measured_at) "
        "VALUES ('cart', 'webhook', 'r', 'p', 1, 0, 0, 1, 0, TRUE, 14000, GETDATE())"
    )
    parser = cli_parser.get_parser()
    findings = []
    for options in ((), ("--measured",)):
        args = parser.parse_args(["cio", "lint", str(dags.folder), *options])
        with contextlib.suppress(SystemExit):
            args.func(args)
        findings.append([line for line in capsys.readouterr().out.splitlines() if "cart.yaml" in line])
    assert findings[0] == []
    assert len(findings[1]) == 1
    assert "member_for: webhook: a window of 4h has passed before it shows" in findings[1][0]


def test_each_file_becomes_a_dag_and_a_wrong_one_is_named(
    dags: Dags, connected: AudienceLab, caplog: pytest.LogCaptureFixture
) -> None:
    (dags.folder / "cio_syncs.py").unlink()
    good = write(dags, connected, cadence="@daily")
    (good.parent / "wrong.yaml").write_text(good.read_text().replace("winback", "retargeting"))
    bag = dags.bag()
    assert set(bag.dags) == {"cio_audience_cart"}
    assert "retargeting without a purchase exclusion" in caplog.text
    assert f"{good.parent / 'wrong.yaml'}:" in caplog.text


@pytest.mark.parametrize(
    ("kind", "extra", "message"),
    [
        ("meta", {"tokne": "x"}, "unknown extra 'tokne'. Next step: write `token`"),
        ("tiktok", {"token": "x"}, "has no advertiser"),
        ("google_ads", {"account": "1", "access_token": "x"}, "has no developer_token"),
        ("rudderstack", {"write_key": "x"}, "has no base_url"),
        ("webhook", {"url": "http://127.0.0.1:9/x", "secret": "plain"}, "whsec_"),
    ],
)
def test_a_bad_connection_is_one_clear_message(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch, kind: str, extra: dict[str, str], message: str
) -> None:
    from airflow_provider_cio.exceptions import ContractError
    from airflow_provider_cio.hooks.destinations import HOOKS

    text = json.dumps({"conn_type": f"cio_{kind}", "extra": extra})
    monkeypatch.setenv(f"AIRFLOW_CONN_CIO_{kind.upper()}_DEFAULT", text)
    with pytest.raises(ContractError) as raised:
        HOOKS[kind]().destination("1")
    assert message in str(raised.value)


def test_forms_and_hooks_know_the_same_fields() -> None:
    from airflow_provider_cio.connection_forms import DESTINATIONS
    from airflow_provider_cio.hooks.destinations import HOOKS

    forms = {each["connection-type"]: set(each["conn-fields"]) for each in DESTINATIONS}
    assert forms == {hook.conn_type: {*hook.needed, *hook.optional} for hook in HOOKS.values()}
