"""YAML whose values know their lines; duplicate keys are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from airflow_provider_cio.exceptions import ContractError, Mistake

Location = tuple[str | int, ...]
"""Keys and positions from the top of a document: ("attributes", "email", "type") or ("tests", 0)."""


@dataclass(frozen=True)
class Document:
    """A parsed file: its values, and the line on which each key or list item starts."""

    file: str
    data: dict[Any, Any]
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """The line of a location, or of its nearest parent that the file holds."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def mistake(self, location: Location, message: str, next_step: str = "") -> Mistake:
        """Something wrong at a location."""
        return Mistake(self.file, self.line(location), dotted(location), message, next_step)

    def named(self) -> Document:
        """With the file's name without .yaml as its `name`, which may be left out.

        :raises ContractError: `name` is another one.
        """
        path = Path(self.file)
        name = self.data.get("name", path.stem)
        if name != path.stem:
            raise ContractError.at(
                self.mistake(
                    ("name",),
                    f"'{name}' is not the file's name",
                    f"write `name: {path.stem}`, leave the key out, or rename the file to {name}.yaml",
                )
            )
        return Document(self.file, {**self.data, "name": name}, self.lines)

    def known(self, location: Sequence[str | int]) -> Location:
        """A location without the parts that the file does not hold, such as the name of a variant."""
        found: Location = ()
        for part in location:
            if (*found, part) in self.lines:
                found = (*found, part)
        return found


def read(path: Path) -> Document:
    """Read one YAML file whose top is a mapping.

    :raises ContractError: 'file:line: what is wrong'; the file is absent, is not YAML, or repeats a key.
    """
    file = str(path)
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        return _document(loader, file)
    except OSError as error:
        wrong = Mistake(
            file, 1, "", f"the file cannot be read ({error.strerror})", "create it or correct the path"
        )
    except UnicodeDecodeError:
        wrong = Mistake(file, 1, "", "the file is not UTF-8 text", "save it as UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        wrong = Mistake(
            file,
            mark.line + 1 if mark else 1,
            "",
            f"not valid YAML: {error.problem or error.context}",
            "check indentation, colons and quotes on this line and the one before",
        )
    except yaml.YAMLError as error:
        wrong = Mistake(file, 1, "", f"not valid YAML: {error}", "save it as plain text")
    raise ContractError.at(wrong)


def _document(loader: yaml.SafeLoader, file: str) -> Document:
    node = loader.get_single_node()
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1 if node else 1
        raise ContractError.at(
            Mistake(file, line, "", "the file holds no keys", "start with `key: value` lines")
        )
    lines: dict[Location, int] = {(): 1}
    return Document(file, _mapping(loader, node, (), lines, file), lines)


def _value(
    loader: yaml.SafeLoader, node: yaml.Node, at: Location, lines: dict[Location, int], file: str
) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, at, lines, file)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*at, n), lines, file) for n, item in enumerate(node.value)]
    return loader.construct_object(node)


def _mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, at: Location, lines: dict[Location, int], file: str
) -> dict[Any, Any]:
    _refuse_duplicates(node, at, file)
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.tag)
        location = (*at, key)
        lines[location] = key_node.start_mark.line + 1
        result[key] = _value(loader, value_node, location, lines, file)
    return result


def _refuse_duplicates(node: yaml.MappingNode, at: Location, file: str) -> None:
    first: dict[str, int] = {}
    for key_node, _ in node.value:
        line = key_node.start_mark.line + 1
        if key_node.value in first:
            where = f"the key is on line {first[key_node.value]} already"
            raise ContractError.at(
                Mistake(file, line, dotted((*at, key_node.value)), where, "keep one of the two")
            )
        first.setdefault(str(key_node.value), line)


def dotted(location: Location) -> str:
    """`attributes.email.type`, `tests[0]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
