"""Read an OpenAPI document: requests that it describes, and a validator for its answers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Json = dict[str, Any]
DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
SCALARS: dict[str, list[Any]] = {
    "string": ["text"],
    "integer": [1],
    "number": [1.5],
    "boolean": [True, False],
    "null": [None],
}
FORMATS = {"email": "someone@example.com", "ulid": "01HZXJ5V3J6Y8Q1N2B4C5D6E7F"}


def folder() -> Path:
    """Where the vendor's documents are: the variable CIO_SPECS, or beside the project."""
    return Path(os.environ.get("CIO_SPECS") or DEFAULT_FOLDER)


class Document:
    """One OpenAPI document, 3.0 or 3.1."""

    def __init__(self, file: Path) -> None:
        self.root: Json = json.loads(file.read_text(encoding="utf-8"))
        self.paths: dict[str, Json] = self.root["paths"]

    def operation(self, method: str, path: str) -> Json | None:
        return self.paths.get(path, {}).get(method.lower())

    def request(self, method: str, path: str) -> Json | None:
        operation = self.operation(method, path)
        content = (operation or {}).get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def statuses(self, method: str, path: str) -> set[int]:
        operation = self.operation(method, path)
        return {int(status) for status in (operation or {})["responses"]}

    def validator(self, method: str, path: str, status: int) -> Draft202012Validator | None:
        """For the documented body of an answer; None when no body is documented."""
        operation = self.operation(method, path)
        response = self.resolve((operation or {})["responses"].get(str(status), {}))
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        return None if schema is None else Draft202012Validator(self.strict(schema))

    def resolve(self, schema: Json) -> Json:
        while "$ref" in schema:
            target: Any = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            schema = target
        return schema

    def strict(self, schema: Any) -> Any:
        """JSON Schema: references inlined, ``nullable`` spelled out, overlapping ``oneOf`` as ``anyOf``."""
        if isinstance(schema, list):
            return [self.strict(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        found = {
            {"oneOf": "anyOf"}.get(name, name): self.strict(value)
            for name, value in self.resolve(schema).items()
            if name not in {"example", "examples", "discriminator", "description", "format", "nullable"}
        }
        if self.resolve(schema).get("nullable"):
            found = {"anyOf": [found, {"type": "null"}]}
        return found

    def instances(self, schema: Json) -> list[Any]:
        """Values that ``schema`` describes: its examples, each alternative, the least and the most."""
        schema = self.resolve(schema)
        if schema.get("readOnly"):
            return []
        shape = {name: value for name, value in schema.items() if name not in {"oneOf", "anyOf", "allOf"}}
        found: list[Any] = []
        if isinstance(schema.get("example"), (dict, list)) and _is_whole(schema):
            found.append(schema["example"])
        if "allOf" in schema:
            parts = [self.instances(part) for part in schema["allOf"]]
            count = max(len(part) for part in parts)
            found += [_joined([part[i % len(part)] for part in parts]) for i in range(count)]
        elif "oneOf" in schema or "anyOf" in schema:
            found += [
                each for part in schema.get("oneOf") or schema["anyOf"] for each in self.instances(part)
            ]
        else:
            found += self._plain(shape)
        return found

    def _plain(self, schema: Json) -> list[Any]:
        kinds = schema.get("type", "object" if "properties" in schema else "string")
        kind = kinds[0] if isinstance(kinds, list) else kinds
        if kind == "object":
            return self._objects(schema)
        if kind == "array":
            items = self.instances(schema.get("items", {}))
            return [items[:5]] if items else [[]]
        if "enum" in schema:
            return list(schema["enum"])
        example = schema.get("example")
        if kind == "string":
            text = example if example is not None else FORMATS.get(str(schema.get("format")).lower(), "text")
            return [str(text)]
        return [example] if type(example) is int and kind == "integer" else SCALARS[kind]

    def _objects(self, schema: Json) -> list[Json]:
        variants = {name: self.instances(each) for name, each in schema.get("properties", {}).items()}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            variants["custom_field"] = self.instances(extra)
        variants = {name: values for name, values in variants.items() if values}
        required = [name for name in schema.get("required", []) if name in variants]
        count = max((len(values) for values in variants.values()), default=1)
        full = [{name: values[i % len(values)] for name, values in variants.items()} for i in range(count)]
        return [{name: variants[name][0] for name in required}, *full] if required else full


def _is_whole(schema: Json) -> bool:
    """An example that leaves out what the schema requires only illustrates a part."""
    return set(schema.get("required", [])) <= set(schema["example"])


def _joined(parts: list[Any]) -> Json:
    whole: Json = {}
    for part in parts:
        whole.update(part)
    return whole
