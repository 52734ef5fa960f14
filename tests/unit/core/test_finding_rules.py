from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.core.contract.findings import RULES, action_of

PEOPLE: dict[str, Any] = {
    "name": "people",
    "kind": "people",
    "description": "d",
    "owner": "o",
    "source": "cio_marts.people",
    "identity": {"id": "id"},
    "attributes": {"name": "name"},
}


@pytest.mark.parametrize(
    ("findings", "message"),
    [
        ({"value_to_long": "skip"}, "there is no finding 'value_to_long': did you mean `value_too_long`?"),
        (
            {"identifier_too_long": "truncate"},
            "`identifier_too_long` cannot be `truncate`: choose skip or fail",
        ),
        ({"value_too_long": "ignore"}, "Input should be 'skip', 'truncate', 'fail' or 'report'"),
    ],
)
def test_what_cannot_be_done_is_refused(findings: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Sync.model_validate(PEOPLE | {"findings": findings})
    assert message in str(refused.value)


def test_without_a_word_nothing_is_lost() -> None:
    """No default cuts a value off; trimming an identifier is what its canonical form means."""
    sync = Sync.model_validate(PEOPLE)
    cut = {name for name in RULES if action_of(sync.findings, name) == "truncate"}
    assert cut == {"identifier_padded"}


def test_the_reference_has_every_finding_with_its_actions() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/findings.md").read_text()
    told = {
        name: tuple(re.findall(r"`(\w+)`", actions))
        for name, actions in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", page, re.MULTILINE)
    }
    assert {name: rule.actions for name, rule in RULES.items()}.items() <= told.items()
