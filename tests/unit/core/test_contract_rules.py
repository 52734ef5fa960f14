"""Each rule of lint, broken by one file: the finding names file and line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.core.contract_rules import Finding, lint
from airflow_provider_cio.core.schedule_rules import interval, spelled

CONTRACT = """\
workspace: shop
staging: {s3: "s3://bucket/cio", iam_role: "arn:aws:iam::123456789012:role/unload"}
attributes:
  email: {type: string, writer: people, description: Address}
  ltv: {type: number, writer: people, description: Lifetime value}
  is_gone: {type: boolean, writer: people, description: Left the shop}
events:
  Order Completed:
    description: An order was paid.
    properties:
      order_id: {type: string, required: true}
      total: {type: number}
"""
PEOPLE = """\
kind: people
description: One row a customer.
owner: crm@example.com
source: cio_marts.people
identity: {id: customer_id}
attributes:
  email: email
  ltv: {column: ltv, type: number}
on_exit: {set_flag: {attribute: is_gone}}
cadence: "*/15 * * * *"
deadline: {within: 30m}
tests:
  - given: {customer_id: C1, email: ada@example.com, ltv: 12.5}
    expect:
      identifiers: {id: C1}
      attributes: {email: ada@example.com, ltv: 12.5}
"""
ORDERS = """\
kind: events
description: One row an order.
owner: crm@example.com
source: cio_marts.orders
identity: {id: customer_id}
event: Order Completed
key: order_id
occurred_at: {column: paid_at, time_zone: Europe/London}
lookback: 30d
after: people
properties:
  order_id: order_id
  total: {expression: "price * quantity", type: number}
tests:
  - given: {customer_id: C1, order_id: A1, paid_at: 2024-07-01 12:00:00, total: 9}
    expect: {name: Order Completed, timestamp: 1719831600, attributes: {order_id: A1, total: 9}}
  - given: {order_id: A1, paid_at: 2024-07-01T12:00:00Z}
    expect: {refused: identifier_missing}
"""


@pytest.fixture
def dags(tmp_path: Path) -> Path:
    (tmp_path / "syncs").mkdir()
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "syncs/people.yaml").write_text(PEOPLE)
    (tmp_path / "syncs/orders.yaml").write_text(ORDERS)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def told(folder: Path, severity: str = "error") -> list[str]:
    return [
        f"{Path(f.file).relative_to(folder)}:{f.line}: {f.key}: {f.message}"
        for f in lint(folder)
        if f.severity == severity
    ]


def test_a_good_folder_has_no_findings(dags: Path) -> None:
    assert lint(dags) == []


BROKEN: list[tuple[str, str, str, str]] = [
    ("people", "{id: customer_id}", "{email: email}", "5: identity.email: email is the only identifier"),
    (
        "people",
        "  email: email",
        "  city: city",
        "7: attributes.city: 'city' has no entry under `attributes:`",
    ),
    (
        "people",
        "type: number",
        "type: string",
        "8: attributes.ltv: declared string, contract.yaml says number",
    ),
    ("people", "is_gone", "was_here", "9: on_exit.set_flag.attribute: 'was_here' has no entry"),
    ("people", "  email: email", "  cio_id: email", "7: attributes.cio_id: 'cio_id' is not an attribute"),
    (
        "people",
        "  email: email",
        f"  {'n' * 151}: email",
        f"7: attributes.{'n' * 151}: the name is longer than 150 bytes",
    ),
    ("people", '"*/15 * * * *"', "'@hourly'", "10: cadence: runs every 1h cannot keep a deadline of 30m"),
    (
        "people",
        '"*/15 * * * *"',
        "every day",
        "10: cadence: 'every day' is not a cron expression of five fields",
    ),
    (
        "people",
        '"*/15 * * * *"',
        "'61 * * * *'",
        "10: cadence: '61 * * * *' is neither a cron expression nor a preset",
    ),
    ("people", "cio_marts.people", "people", "4: source: 'people' names no schema"),
    (
        "people",
        "cio_marts.people",
        "public.people",
        "4: source: schema 'public' is not one for sources (cio_marts)",
    ),
    (
        "people",
        "{column: ltv,",
        "{expression: 'a +* (', ",
        "8: attributes.ltv.expression: not an SQL expression",
    ),
    ("people", "{column: ltv,", "{expression: 'a, b', ", "8: attributes.ltv.expression: not one expression"),
    (
        "people",
        "{column: ltv,",
        "{expression: '(select max(x) from raw.t)', ",
        "8: attributes.ltv.expression: not one expression",
    ),
    ("people", "ltv: 12.5}\n    expect", "ltv: 13}\n    expect", "16: tests[0].expect.attributes: expected "),
    (
        "people",
        "{customer_id: C1, email",
        "{customer_id: C1, mail",
        "13: tests[0].given: cannot be rendered: the sync reads no",
    ),
    (
        "orders",
        "event: Order Completed",
        "event: order_completed",
        "6: event: 'order_completed' is not in the taxonomy: did you mean 'Order Completed'?",
    ),
    ("orders", "event: Order Completed", f"event: {'é' * 51}", "6: event: the name is longer than 100 bytes"),
    (
        "orders",
        "  total: {",
        "  order_total: {",
        "13: properties.order_total: 'Order Completed' has no property 'order_total'",
    ),
    (
        "orders",
        "  order_id: order_id\n",
        "",
        "11: properties: 'Order Completed' requires the property 'order_id'",
    ),
    (
        "orders",
        "  order_id: order_id",
        "  order_id: {column: order_id, type: integer}",
        "12: properties.order_id: declared integer, the taxonomy says string",
    ),
    ("orders", "after: people", "after: persons", "10: after: there is no sync 'persons'"),
    ("orders", "after: people", "after: orders", "10: after: 'orders' is not a people sync"),
    (
        "orders",
        "{column: paid_at, time_zone: Europe/London}",
        "paid_at",
        "15: tests[0].given: cannot be rendered: occurred_at has no time zone",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), BROKEN)
def test_a_broken_rule_names_file_and_line(dags: Path, name: str, old: str, new: str, message: str) -> None:
    change(dags / f"syncs/{name}.yaml", old, new)
    assert any(line.startswith(f"syncs/{name}.yaml:{message}") for line in told(dags)), told(dags)


def test_an_optional_property_may_be_left_out(dags: Path) -> None:
    text = ORDERS.replace('  total: {expression: "price * quantity", type: number}\n', "")
    (dags / "syncs/orders.yaml").write_text(text.split("tests:")[0])
    assert lint(dags) == []


def test_a_cadence_as_long_as_the_deadline_will_do(dags: Path) -> None:
    change(dags / "syncs/people.yaml", "*/15", "*/30")
    assert lint(dags) == []


def test_email_alone_needs_a_reason(dags: Path) -> None:
    change(
        dags / "syncs/people.yaml", "{id: customer_id}", "{email: customer_id}\nallow_email_only: no ids yet"
    )
    assert "identity" not in " ".join(told(dags))


def test_one_identifier_everywhere(dags: Path) -> None:
    change(dags / "contract.yaml", "workspace: shop", "workspace: shop\nidentity: email")
    assert [line.split(": the ")[0] for line in told(dags)] == [
        "syncs/orders.yaml:5: identity.id",
        "syncs/people.yaml:5: identity.id",
    ]


def test_two_writers_of_an_attribute(dags: Path) -> None:
    second = PEOPLE.split("on_exit")[0].replace("  ltv", "  tier: tier\n  ltv")
    (dags / "syncs/vip.yaml").write_text(second)
    (dags / "syncs/vap.yaml").write_text(second)
    twice, unknown = "has two writers: this sync, and 'people' by", "has no entry under `attributes:` of"
    assert told(dags) == [
        f"syncs/vap.yaml:7: attributes.email: 'email' {twice} contract.yaml",
        f"syncs/vap.yaml:8: attributes.tier: 'tier' {unknown} contract.yaml",
        f"syncs/vap.yaml:9: attributes.ltv: 'ltv' {twice} contract.yaml",
        f"syncs/vip.yaml:7: attributes.email: 'email' {twice} contract.yaml",
        f"syncs/vip.yaml:8: attributes.tier: 'tier' {unknown} contract.yaml; sync 'vap' writes it too",
        f"syncs/vip.yaml:9: attributes.ltv: 'ltv' {twice} contract.yaml",
    ]


def test_the_contract_is_read_once_for_each_version_of_its_file(dags: Path) -> None:
    file = dags / "contract.yaml"
    assert load_contract(file) is load_contract(file)
    change(file, "workspace: shop", "workspace: other")
    assert load_contract(file).workspace == "other"


def test_more_than_300_attributes(dags: Path) -> None:
    many = "".join(f"  a{n}: a{n}\n" for n in range(299))
    change(dags / "syncs/people.yaml", "  email: email\n", f"  email: email\n{many}")
    assert "syncs/people.yaml:6: attributes: 302 attributes; Customer.io takes 300 a person" in told(dags)


def test_more_than_300_attributes_of_all_people_syncs_together(dags: Path) -> None:
    for name in ("one", "two"):
        many = "".join(f"  {name}_{n}: a{n}\n" for n in range(150))
        (dags / f"syncs/{name}.yaml").write_text(PEOPLE.replace("  email: email\n", many))
    assert [line for line in told(dags, "warning") if "together" in line] == [
        "contract.yaml:3: attributes: the people syncs write 303 attributes together; Customer.io takes 300 a person"
    ]


def test_clearing_unsubscribed_would_subscribe_again(dags: Path) -> None:
    change(
        dags / "contract.yaml",
        "  email:",
        "  unsubscribed: {type: boolean, writer: people, description: x}\n  email:",
    )
    change(
        dags / "syncs/people.yaml",
        "  email: email",
        "  unsubscribed: {column: u, nulls: clear}\n  email: email",
    )
    assert told(dags)[0] == (
        "syncs/people.yaml:7: attributes.unsubscribed: clearing `unsubscribed` subscribes the person again"
    )


def test_promises_that_nobody_keeps_are_warnings(dags: Path) -> None:
    change(
        dags / "contract.yaml",
        "writer: people, description: Address",
        "writer: persons, description: Address",
    )
    change(
        dags / "contract.yaml",
        "  is_gone:",
        "  city: {type: string, writer: people, description: City}\n  is_gone:",
    )
    assert told(dags, "warning") == [
        "contract.yaml:4: attributes.email.writer: there is no sync 'persons'",
        "contract.yaml:6: attributes.city.writer: sync 'people' does not write 'city'",
    ]


def test_two_syncs_of_an_event_are_a_warning(dags: Path) -> None:
    (dags / "syncs/pos.yaml").write_text(ORDERS)
    assert told(dags, "warning") == [
        "syncs/pos.yaml:6: event: sync 'orders' sends 'Order Completed' too: a row in both is two events"
    ]


def test_a_property_that_overrides_a_message_is_a_warning(dags: Path) -> None:
    change(dags / "contract.yaml", "      total:", "      recipient: {type: string}\n      total:")
    change(dags / "syncs/orders.yaml", "  total:", "  recipient: mail\n  total:")
    assert [line.split(": 'r")[0] for line in told(dags, "warning")] == [
        "syncs/orders.yaml:13: properties.recipient"
    ]


def test_a_deadline_of_a_sync_that_is_never_due_is_a_warning(dags: Path) -> None:
    change(dags / "syncs/people.yaml", 'cadence: "*/15 * * * *"\n', "")
    assert [line.split(": a sync")[0] for line in told(dags, "warning")] == ["syncs/people.yaml:10: deadline"]


SQL = [
    ("select * from cio_marts.people\nwhere x > 1", None),
    ("with p as (select * from cio_marts.people)\nselect * from p", None),
    (
        "select 1\nfrom cio_marts.people p\njoin raw.orders o on true",
        "3: : 'raw.orders' is not in a schema for sources",
    ),
    ("with p as (\n  select * from people)\nselect * from p", "2: : 'people' is not in a schema for sources"),
    ("select a\nfrom where", "2: : not SQL of Redshift"),
    (
        "with people as (select * from cio_marts.people)\nselect * from people\njoin raw.people p on true",
        "3: : 'raw.people' is not in a schema for sources",
    ),
    ("select 'a", "1: : not SQL of Redshift: a quotation is not closed"),
    ("delete from cio_marts.people", "1: : the file must hold exactly one SELECT"),
    ("select 1; select 2", "1: : the file must hold exactly one SELECT"),
]


@pytest.mark.parametrize(("query", "message"), SQL)
def test_sql_files_are_read_by_the_same_rule(dags: Path, query: str, message: str | None) -> None:
    change(dags / "syncs/people.yaml", "source: cio_marts.people", "sql: people.sql")
    (dags / "syncs/people.sql").write_text(query)
    found = told(dags)
    assert (found == []) if message is None else found[0].startswith(f"syncs/people.sql:{message}"), found


def test_a_sql_file_with_templates_is_not_checked_and_says_so(dags: Path) -> None:
    change(dags / "syncs/people.yaml", "source: cio_marts.people", "sql: people.sql")
    (dags / "syncs/people.sql").write_text("select * from {{ params.table }}")
    assert [line.split(": the file")[0] for line in told(dags, "warning")] == ["syncs/people.yaml:4: sql"]


def test_a_broken_file_hides_no_other_findings(dags: Path) -> None:
    change(dags / "syncs/people.yaml", "kind: people", "kind: persons")
    change(dags / "syncs/orders.yaml", "identity: {id: customer_id}", "identity: {email: customer_id}")
    assert [line.split(": ")[0] for line in told(dags)] == ["syncs/orders.yaml:5", "syncs/people.yaml:1"]


def test_a_broken_contract_is_a_finding_and_syncs_still_load(dags: Path) -> None:
    change(dags / "contract.yaml", "workspace: shop", "workplace: shop")
    change(dags / "syncs/people.yaml", "kind: people", "kind: persons")
    assert [line.split(": ")[0] for line in told(dags)] == [
        "contract.yaml:1",
        "contract.yaml:1",
        "syncs/people.yaml:1",
    ]


def test_a_finding_reads_as_one_line() -> None:
    finding = Finding("error", "a.yaml", 3, "source", "wrong", "mend it")
    assert str(finding) == "error: a.yaml:3: source: wrong. Next step: mend it."


@pytest.mark.parametrize(
    ("cadence", "every"),
    [
        ("*/15 * * * *", timedelta(minutes=15)),
        ("@daily", timedelta(days=1)),
        ("0 9-17 * * 1-5", timedelta(hours=1)),
        ("@continuous", None),
    ],
)
def test_the_shortest_interval_of_a_cadence(cadence: str, every: timedelta | None) -> None:
    assert interval(cadence) == every


def test_times_are_spelled_as_in_the_contract() -> None:
    assert [spelled(timedelta(seconds=s)) for s in (90, 900, 7200, 172800)] == ["90s", "15m", "2h", "2d"]
