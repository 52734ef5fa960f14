"""The keys of the files as Markdown, out of the models; the documentation makes a page of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_cio.core.contract import Contract, Model, Sync
from airflow_provider_cio.core.contract.kinds import KINDS, ONLY_SOME
from airflow_provider_cio.core.watch.monitoring_file import Monitoring

Schema = dict[str, Any]
_FILES: dict[str, type[Model]] = {
    "dags/syncs/NAME.yaml": Sync,
    "dags/contract.yaml": Contract,
    "dags/monitoring.yaml": Monitoring,
}
_HEAD = """\
# Every key of the contract

Made from the models that read the files. What the keys are for, with examples: [](contract.md).
"""


def markdown() -> str:
    """The page `docs/reference/contract-keys.md`."""
    lines = [
        _HEAD,
        "## Kinds of sync",
        "",
        "| kind | identity | needs | may have | on_exit |",
        "|---|---|---|---|---|",
    ]
    for kind, rules in KINDS.items():
        cells = (rules.identifiers, rules.needs, rules.may, rules.exits)
        lines.append(
            f"| `{kind}` | {' | '.join(', '.join(f'`{word}`' for word in cell) for cell in cells)} |"
        )
    common = sorted(Sync.model_fields.keys() - ONLY_SOME - {"identity", "kind", "on_exit"})
    lines += ["", f"Every kind may have {', '.join(f'`{key}`' for key in common)}.", ""]
    for title, model in _FILES.items():
        schema = model.model_json_schema()
        lines += [f"## {title}", "", *_table(schema, schema["$defs"]), ""]
        for name in _reachable(schema, schema["$defs"], []):
            lines += [f"### {title}: {name}", "", *_table(schema["$defs"][name], schema["$defs"]), ""]
    return "\n".join(lines)


def _table(schema: Schema, models: Schema) -> Iterator[str]:
    yield f"{str(schema.get('description', '')).splitlines()[0]}"
    yield ""
    yield "| key | value | without it | meaning |"
    yield "|---|---|---|---|"
    for key, value in schema["properties"].items():
        needed = key in schema.get("required", ()) and key != "name"
        default = value.get("default")
        without = "needed" if needed else "" if default is None else f"`{json.dumps(default)}`"
        yield f"| `{key}` | {_spelled(value, models)} | {without} | {value.get('description', '')} |"


def _spelled(value: Schema, models: Schema) -> str:
    """The type of a value in words."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"*{name}*" if "properties" in models[name] else _spelled(models[name], models)
    for several in ("anyOf", "oneOf"):
        if several in value:
            words = [_spelled(each, models) for each in value[several] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(words))
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        if not isinstance(inner, dict):
            inner = next(iter(value.get("patternProperties", {}).values()), None)
        return f"name -> {_spelled(inner, models) if isinstance(inner, dict) else 'anything'}"
    if value.get("type") == "array":
        return f"list of {_spelled(value['items'], models)}"
    return {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(
        value.get("type", ""), "text" if value.get("type") == "string" else "anything"
    )


def _reachable(schema: Any, models: Schema, found: list[str]) -> list[str]:
    """Models below a schema, in the order in which they are met."""
    if isinstance(schema, dict):
        name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
        if name and name not in found:
            found += [name] if "properties" in models[name] else []
            _reachable(models[name], models, found)
        for key, value in schema.items():
            if key != "$defs":
                _reachable(value, models, found)
    elif isinstance(schema, list):
        for each in schema:
            _reachable(each, models, found)
    return found
