"""Every mistake in a file is named by file, line and key."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from airflow_provider_cio.core.contract_files import json_schema, load_contract, load_sync, read_sql
from airflow_provider_cio.exceptions import ContractError

PEOPLE = """\
kind: people
description: One row a customer.
owner: crm@example.com
source: cio_marts.people
identity: {id: customer_id}
attributes:
  email: email
  ltv: {column: ltv, type: number}
"""
CONTRACT = """\
workspace: shop
staging: {s3: "s3://bucket/cio", iam_role: "arn:aws:iam::123456789012:role/unload"}
attributes:
  email: {type: string, writer: people, description: Address}
events:
  Order Completed:
    description: An order was paid.
    properties:
      order_id: {type: string, required: true}
"""


def written(folder: Path, text: str, name: str = "people.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_sync_loads_and_takes_its_name_from_the_file(tmp_path: Path) -> None:
    sync = load_sync(written(tmp_path, PEOPLE))
    assert (sync.name, sync.identifier, list(sync.fields)) == ("people", "id", ["email", "ltv"])


def test_a_contract_loads(tmp_path: Path) -> None:
    contract = load_contract(written(tmp_path, CONTRACT, "contract.yaml"))
    assert contract.events["Order Completed"].properties["order_id"].required


def changed(old: str, new: str) -> str:
    assert old in PEOPLE
    return PEOPLE.replace(old, new)


MISTAKES = [
    (PEOPLE + "guard:\n  min_rows: 1\n", "9: guard: unknown key: did you mean `guards`?"),
    (changed("type: number", "typ: number"), "8: attributes.ltv.typ: unknown key: did you mean `type`?"),
    (changed("type: number", "type: numbr"), "8: attributes.ltv.type: must be 'string', "),
    (changed("type: number", "type: numbr"), "did you mean `number`?"),
    (changed("  email: email", "  email: 7"), "7: attributes.email: must hold `key: value` lines."),
    (
        changed("{column: ltv, ", "{expression: a, column: ltv, "),
        "8: attributes.ltv: give either `column` or `expression`.",
    ),
    (
        PEOPLE + "guards:\n  max_exit_percent: 1\n",
        "10: guards.max_exit_percent: unknown key: did you mean `max_exit_pct`?",
    ),
    (
        PEOPLE + "guards:\n  max_exit_pct: 120\n",
        "10: guards.max_exit_pct: input should be less than or equal to 100.",
    ),
    (
        changed("type: number}", "type: number, or less}"),
        "8: attributes.ltv.or less: not a key: a text with a comma needs quotes.",
    ),
    (
        PEOPLE + "on_exit: clear\n",
        "9: on_exit: must be 'keep', 'clear_attributes', 'suppress', ",
    ),
    (
        PEOPLE + "on_exit: {set_flag: {atribute: x}}\n",
        "9: on_exit.set_flag.atribute: unknown key: did you mean `attribute`?",
    ),
    (PEOPLE + "on_exit:\n  set_flag: {value: x}\n", "10: on_exit.set_flag.attribute: this key is needed."),
    (
        PEOPLE + "deadline: {within: soon}\n",
        "9: deadline.within: write a duration as a number and a unit: 90s, 45m, 6h or 30d.",
    ),
    (
        PEOPLE + "deadline:\n  within: 1h\n  notify:\n    notifer: x\n",
        "12: deadline.notify.notifer: unknown key",
    ),
    (
        PEOPLE + "tests:\n  - given: {}\n    expect: {}\n  - given: {}\n",
        "12: tests[1].expect: this key is needed.",
    ),
    (PEOPLE + "owner: me\n", "9: owner: the key is on line 3 already."),
    (
        changed("ltv: {column: ltv, type", "ltv: {column: ltv, column: b, type"),
        "8: attributes.ltv.column: the key is on line 8",
    ),
    (PEOPLE + "name: customers\n", "9: name: 'customers' is not the file's name."),
    (changed("source: cio_marts.people", "sql: people.sql"), "4: sql: there is no file "),
    (changed("source: cio_marts.people\n", ""), "1: give either `source` or `sql`."),
    (changed("{id: customer_id}", "{vat: customer_id}"), "5: identity.vat: must be 'id', 'email', 'phone'"),
    (
        changed("{id: customer_id}", "{id: a, email: b}"),
        "1: people who get an id later stay one person only by their email: map `email: b` in attributes.",
    ),
    (PEOPLE + "event: Order Completed\n", "1: kind: people has no `event`."),
    (
        changed("kind: people", "kind: events"),
        "1: kind: events needs `key`, `occurred_at`, `lookback`.",
    ),
    (
        PEOPLE + "occurred_at: {column: at, time_zone: Berlin}\n",
        "9: occurred_at.time_zone: 'Berlin' is not a time zone",
    ),
    (
        PEOPLE + "occurred_at: {column: at, time_zone: Europe}\n",
        "9: occurred_at.time_zone: 'Europe' is not a time zone",
    ),
    (PEOPLE + "  - broken: [\n", "9: not valid YAML: "),
    (PEOPLE + 'notes: "open\n', "not valid YAML: "),
    (PEOPLE + "x: *gone\n", "9: not valid YAML: found undefined alias"),
    ("- a list\n", "1: the file holds no keys."),
    ("", "1: the file holds no keys."),
    ("description: x\x00", "1: not valid YAML: "),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_named_by_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ContractError) as raised:
        load_sync(path)
    assert str(raised.value).startswith(f"{path}:")
    assert message in str(raised.value)
    assert raised.value.mistakes[0].file == str(path)


def test_all_mistakes_of_a_file_are_told_at_once_in_order(tmp_path: Path) -> None:
    path = written(tmp_path, changed("type: number", "type: numbr") + "guard: {}\nnulls: maybe\n")
    with pytest.raises(ContractError) as raised:
        load_sync(path)
    assert [(m.line, m.key) for m in raised.value.mistakes] == [
        (8, "attributes.ltv.type"),
        (9, "guard"),
        (10, "nulls"),
    ]


def test_a_file_name_that_cannot_be_a_sync_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"My-Sync.yaml:1: name: must match"):
        load_sync(written(tmp_path, PEOPLE, "My-Sync.yaml"))


def test_an_absent_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"contract.yaml:1: the file cannot be read \(No such file"):
        load_contract(tmp_path / "contract.yaml")


def test_a_file_that_is_not_utf_8_says_so(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_bytes(b"description: caf\xe9")
    with pytest.raises(ContractError, match="not UTF-8"):
        load_sync(path)


def test_merged_keys_are_no_duplicates(tmp_path: Path) -> None:
    text = changed(
        "  email: email", "  email: &text {column: email, type: string}\n  city: {<<: *text, column: city}"
    )
    assert load_sync(written(tmp_path, text)).attributes["city"].type == "string"


def test_a_sql_file_lies_beside_the_sync_and_is_read_on_demand(tmp_path: Path) -> None:
    path = written(tmp_path, changed("source: cio_marts.people", "sql: people.sql"))
    query = written(tmp_path, "select 1", "people.sql")
    sync = load_sync(path)
    query.write_text("select * from cio_marts.people;\n")
    assert read_sql(sync) == "select * from cio_marts.people"
    query.unlink()
    with pytest.raises(ContractError, match=r"people.sql cannot be read"):
        read_sql(sync)


def test_the_schemas_accept_good_files_and_refuse_unknown_keys() -> None:
    sync, contract = yaml.safe_load(PEOPLE), yaml.safe_load(CONTRACT)
    jsonschema.validate(sync, json_schema("sync"))
    jsonschema.validate(contract, json_schema("contract"))
    with pytest.raises(jsonschema.ValidationError, match="guard"):
        jsonschema.validate({**sync, "guard": {}}, json_schema("sync"))
    with pytest.raises(jsonschema.ValidationError, match="soon"):
        jsonschema.validate({**sync, "deadline": {"within": "soon"}}, json_schema("sync"))
