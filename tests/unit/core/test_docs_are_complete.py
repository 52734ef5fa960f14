"""The reference names every key of the contract, every error, and every reason of a refusal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from airflow_provider_cio import exceptions
from airflow_provider_cio.core import contract
from airflow_provider_cio.core.contract import Contract, Sync, reference

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs/reference"


def words(page: str) -> set[str]:
    return set(re.findall(r"\w+", (REFERENCE / page).read_text()))


MODELS = [
    model
    for model in vars(contract).values()
    if isinstance(model, type) and issubclass(model, contract.Model) and model is not contract.Model
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_described(model: type[BaseModel]) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []
    assert model.__doc__


def test_the_page_of_keys_holds_every_model_and_every_key() -> None:
    page = reference.markdown()
    for model in MODELS:
        for name in model.model_fields:
            assert f"| `{name}` |" in page, f"{model.__name__}.{name}"


def test_every_error_is_described() -> None:
    errors = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.CustomerIOProviderError)
    }
    assert errors <= words("errors.md")


def test_every_reason_of_a_refusal_is_described() -> None:
    core = ROOT / "airflow_provider_cio/core"
    source = "".join((core / name).read_text() for name in ("operations.py", "plan_rows.py", "json_text.py"))
    reasons = set(
        re.findall(
            r'"((?:identifier|partner|name|value|item|not_a|invalid|event_id|occurred_at)_[a-z0-9_]+)"',
            source,
        )
    )
    assert len(reasons) >= 9
    assert reasons <= words("errors.md")


def test_the_examples_load() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", (REFERENCE / "contract.md").read_text(), re.DOTALL)
    whole, people, orders = (yaml.safe_load(example) for example in examples)
    Contract.model_validate(whole)
    for name, sync in (("people", people), ("orders", orders)):
        Sync.model_validate({"name": name, **sync})
