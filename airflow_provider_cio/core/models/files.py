"""A folder of SQL models: `sql/staging`, `sql/intermediate`, `sql/marts`, and the checks of `sql/checks`.

A model is one SELECT in a Jinja template. Its head says what it is::

    -- Grain: one row per customer. Key: customer_id.
    -- Build: table, DISTKEY (customer_id) because ..., SORTKEY (last_order_at) because ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from airflow_provider_cio.exceptions import ContractError, Mistake

Layer = Literal["staging", "intermediate", "marts"]
LAYERS: tuple[Layer, ...] = ("staging", "intermediate", "marts")
_GRAIN = re.compile(r"-- Grain: (?P<grain>.+?)\. Key: (?P<key>\w+(?:, \w+)*)\.")
_BUILD = re.compile(r"^-- Build: (?P<kind>table|view)\b", re.MULTILINE)
_DISTKEY = re.compile(r"DISTKEY \((\w+)\)")
_SORTKEY = re.compile(r"SORTKEY \((\w+(?:, \w+)*)\)")


@dataclass(frozen=True)
class ModelFile:
    """One model. `text` is the template, `about` the comment at its head without the dashes."""

    name: str
    layer: Layer
    path: Path
    text: str
    grain: str
    key: tuple[str, ...]
    kind: Literal["table", "view"]
    physical: str

    @property
    def about(self) -> str:
        """What the head of the file says, for pages and messages."""
        head = re.match(r"(?:--.*\n)+", self.text)
        return re.sub(r"^-- ?", "", head[0] if head else "", flags=re.MULTILINE).strip()


@dataclass(frozen=True)
class CheckFile:
    """A query that returns bad rows of one model: `<model>__<what>.sql`."""

    name: str
    model: str
    text: str


@dataclass(frozen=True)
class ModelFolder:
    """All models, by name, and their checks."""

    path: Path
    models: dict[str, ModelFile]
    checks: tuple[CheckFile, ...]


def load_folder(path: Path) -> ModelFolder:
    """Read the SQL folder of a team.

    :raises ContractError: a head is missing, two models have one name, or a check belongs to no model.
    """
    mistakes: list[Mistake] = []
    models: dict[str, ModelFile] = {}
    for layer in LAYERS:
        for file in sorted((path / layer).glob("*.sql")):
            if file.stem in models:
                mistakes.append(_mistake(file, f"there is a model {file.stem} in {models[file.stem].layer}"))
            elif (model := _model(file, layer)) is None:
                mistakes.append(_mistake(file, "the head lacks `-- Grain: ... Key: ....` or `-- Build: ...`"))
            else:
                models[file.stem] = model
    checks = []
    for file in sorted((path / "checks").glob("*.sql")):
        model_name = file.stem.split("__")[0]
        if model_name not in models:
            mistakes.append(_mistake(file, f"there is no model {model_name}"))
        checks.append(CheckFile(file.stem, model_name, file.read_text(encoding="utf-8")))
    if not models and not mistakes:
        mistakes.append(_mistake(path, "there are no models in staging/, intermediate/ and marts/"))
    if mistakes:
        raise ContractError.at(*mistakes)
    return ModelFolder(path, models, tuple(checks))


def _model(file: Path, layer: Layer) -> ModelFile | None:
    text = file.read_text(encoding="utf-8")
    grain, build = _GRAIN.search(_flat_head(text)), _BUILD.search(text)
    if grain is None or build is None:
        return None
    head = _flat_head(text)
    dist, sort = _DISTKEY.search(head), _SORTKEY.search(head)
    physical = " ".join(
        part
        for part in (
            "DISTSTYLE ALL" if "DISTSTYLE ALL" in head else "",
            f"DISTSTYLE KEY DISTKEY ({dist[1]})" if dist else "",
            f"SORTKEY ({sort[1]})" if sort else "",
        )
        if part
    )
    kind: Literal["table", "view"] = "table" if build["kind"] == "table" else "view"
    key = tuple(grain["key"].split(", "))
    return ModelFile(file.stem, layer, file, text, grain["grain"], key, kind, physical)


def _flat_head(text: str) -> str:
    head = re.match(r"(?:--.*\n)+", text)
    return "" if head is None else re.sub(r"\n-- ?(?!Grain|Build)", " ", head[0])


def _mistake(file: Path, message: str) -> Mistake:
    return Mistake(str(file), 1, "", message, "see docs/how-to/add-a-mart.md")
