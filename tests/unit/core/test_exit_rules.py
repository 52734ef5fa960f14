"""What cannot be taken back needs a limit and somebody's word."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_cio.core.contract_files import load_sync
from airflow_provider_cio.core.contract_rules import lint
from airflow_provider_cio.exceptions import ContractError

CONTRACT = """\
workspace: shop
staging: {s3: "s3://bucket/cio", iam_role: default}
attributes:
  email: {type: string, writer: people, description: Address}
  cio_subscription_preferences: {type: json, writer: people, description: Topics}
  cio_subscription_preferences.topics.topic_3: {type: boolean, writer: people, description: News}
"""
PEOPLE = """\
kind: people
description: One row a customer.
owner: crm@example.com
source: cio_marts.people
identity: {id: customer_id}
attributes: {email: email}
"""
LIST = """\
kind: KIND
description: A list.
owner: crm@example.com
source: cio_marts.list
identity: {id: customer_id}
"""


def told(folder: Path, sync: str, name: str = "people") -> list[str]:
    (folder / "syncs").mkdir(exist_ok=True)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / f"syncs/{name}.yaml").write_text(sync)
    return [
        f"{Path(f.file).name}:{f.line}: {f.key}: {f.message}" for f in lint(folder) if f.severity == "error"
    ]


GUARD = "guards: {max_exit_pct: 2}\n"


@pytest.mark.parametrize("exit_", ["delete", "suppress"])
def test_an_exit_that_destroys_needs_a_limit_and_an_approval(tmp_path: Path, exit_: str) -> None:
    sync = PEOPLE + f"on_exit: {exit_}\n"
    alone = f"people.yaml:7: on_exit: on_exit: {exit_} cannot be taken back, and nobody approves it"
    unlimited = f"people.yaml:7: on_exit: on_exit: {exit_} without the guard max_exit_pct"
    assert told(tmp_path, sync) == [alone]
    assert told(tmp_path, sync + GUARD + "approve: true\n") == []
    assert told(tmp_path, sync + GUARD + "allow_unapproved: the view is approved\n") == []
    for guard in ("guards: {max_exit_pct: ~}\n", "guards: {max_exit_pct: 100}\n"):
        [said] = told(tmp_path, sync + guard + "approve: true\n")
        assert said.startswith(unlimited)


@pytest.mark.parametrize("kind", ["merges", "suppressions", "deletions"])
def test_a_kind_that_destroys_needs_both_too(tmp_path: Path, kind: str) -> None:
    sync = LIST.replace("KIND", kind) + ("secondary: {id: old_id}\n" if kind == "merges" else "")
    found = told(tmp_path, sync, "list")
    assert [line.split(": ", 2)[0] for line in found] == ["list.yaml:1", "list.yaml:1"]
    assert told(tmp_path, sync + "guards: {max_added: 10}\napprove: true\n", "list") == []


@pytest.mark.parametrize("guarded", [False, True])
def test_an_unguarded_file_is_not_loaded_by_anybody(tmp_path: Path, guarded: bool) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(
        PEOPLE
        + "on_exit: delete\n"
        + (GUARD + "approve: true\n" if guarded else "guards: {max_exit_pct: 100}\n")
    )
    if guarded:
        assert load_sync(path).exit_policy == "delete"
        return
    with pytest.raises(ContractError) as told:
        load_sync(path)
    assert "people.yaml:7: on_exit: on_exit: delete without the guard max_exit_pct" in str(told.value)
    assert "write `approve: true`" in str(told.value)


def test_topics_are_written_one_by_one(tmp_path: Path) -> None:
    whole = PEOPLE.replace("{email: email}", "{email: email, cio_subscription_preferences: topics}")
    [said] = told(tmp_path, whole)
    assert said.startswith(
        "people.yaml:6: attributes.cio_subscription_preferences: the whole object replaces"
    )
    topic = "cio_subscription_preferences.topics.topic_3"
    one = PEOPLE.replace("{email: email}", f"{{email: email, {topic}: news}}")
    assert told(tmp_path, one) == []
    [said] = told(tmp_path, one + "nulls: clear\n")
    assert f"attributes.{topic}: clearing a preference gives the topic its default" in said


def test_two_syncs_of_one_attribute_of_an_object(tmp_path: Path) -> None:
    account = """\
kind: objects
description: d
owner: o
source: cio_marts.accounts
identity: {object_id: account_id}
object_type_id: "1"
attributes: {name: name}
"""
    assert told(tmp_path, account, "accounts") == []
    assert told(tmp_path, account.replace('"1"', '"2"'), "shops") == []
    [said] = told(tmp_path, account, "branches")
    assert said == "branches.yaml:7: attributes.name: sync 'accounts' writes 'name' of object type 1 too"
