from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, resources
from typing import Any

import jsonschema
import pytest

from airflow_provider_cio.get_provider_info import get_provider_info

FIELDS = {
    "region": "Region",
    "site_id": "Site ID",
    "track_api_key": "Track API key",
    "app_api_key": "App API key",
    "pipelines_api_key": "Pipelines API key",
    "workspace_id": "Workspace ID",
    "rate_limit": "Requests a second",
    "item_rate_limit": "Items a second",
    "rate_slots": "Slots that share the rate",
    "app_rate_slots": "Slots that share the App API",
    "rate": "Rate",
    "base_url": "Base URL",
}


def _paths() -> Iterator[tuple[str, str | None]]:
    """Everything that the provider info names: a module, or a module and what is in it."""
    info = get_provider_info()
    for kind in ("hooks", "operators", "sensors"):
        for entry in info.get(kind, []):
            yield from ((module, None) for module in entry["python-modules"])
    yield from ((entry["python-module"], None) for entry in info["transfers"])
    names = [
        *info["extra-links"],
        *info["cli"],
        *info.get("notifications", []),
        *(entry["hook-class-name"] for entry in info["connection-types"]),
        *(entry["class-name"] for entry in info.get("task-decorators", [])),
    ]
    for name in names:
        module, _, attribute = name.rpartition(".")
        yield module, attribute


def test_asking_for_the_provider_info_does_not_import_airflow() -> None:
    code = (
        "import sys, airflow_provider_cio; from airflow_provider_cio.get_provider_info import get_provider_info;"
        "get_provider_info(); print([m for m in sys.modules if m.split('.')[0] in ('airflow', 'pyarrow', 'boto3')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_valid_by_airflows_schema() -> None:
    schema = json.loads(resources.files("airflow").joinpath("provider_info.schema.json").read_text("utf-8"))
    jsonschema.validate(get_provider_info(), schema)


@pytest.mark.parametrize(("module", "attribute"), list(_paths()))
def test_whatever_it_names_can_be_imported(module: str, attribute: str | None) -> None:
    imported = import_module(module)
    assert attribute is None or hasattr(imported, attribute)


def test_airflow_finds_the_connection_type_with_its_fields(airflow_home: object) -> None:
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()
    names = {hook.connection_type: hook.hook_name for hook in manager.iter_connection_type_hook_ui_metadata()}
    assert names["customerio"] == "Customer.io"
    shown = {
        name.removeprefix("extra__customerio__"): widget
        for name, widget in manager.connection_form_widgets.items()
        if name.startswith("extra__customerio__")
    }
    assert list(shown) == list(FIELDS)
    behaviour = manager.field_behaviours["customerio"]
    assert set(behaviour["hidden_fields"]) == {"host", "schema", "login", "password", "port", "extra"}


def test_labels_and_secrets_of_the_form() -> None:
    fields: dict[str, dict[str, Any]] = get_provider_info()["connection-types"][0]["conn-fields"]
    assert {name: field["label"] for name, field in fields.items()} == FIELDS
    assert {name for name, field in fields.items() if field["schema"].get("format") == "password"} == {
        "track_api_key",
        "app_api_key",
        "pipelines_api_key",
    }
    assert all(field["description"].endswith(".") for field in fields.values())


def test_the_command_line_knows_our_group(airflow_home: object) -> None:
    from airflow.providers_manager import ProvidersManager

    groups = [group for function in ProvidersManager().cli_command_functions for group in function()]
    assert "cio" in [group.name for group in groups]


def test_the_form_and_the_hook_know_the_same_fields(
    airflow_home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_cio.exceptions import ContractError
    from airflow_provider_cio.hooks.customerio import CustomerIOHook

    everything = {
        **dict.fromkeys(FIELDS, "1"),
        "region": "eu",
        "rate_limit": 7,
        "rate": "adaptive",
        "base_url": "http://127.0.0.1:9",
    }
    _connection(monkeypatch, everything)
    CustomerIOHook("cio_test").track_client().close()

    _connection(monkeypatch, {**everything, "api_kye": "x"})
    with pytest.raises(ContractError, match="api_kye"):
        CustomerIOHook("cio_test").track_client()


def _connection(monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]) -> None:
    text = json.dumps({"conn_type": "customerio", "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_CIO_TEST", text)
