"""Folders of SQL files. They may be Jinja templates: both branches of a condition are linted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_cio.core.sqllint.check import SqlFinding, lint_sql


@dataclass(frozen=True)
class FileFinding:
    """A finding and the file it stands in."""

    file: Path
    finding: SqlFinding

    def __str__(self) -> str:
        found = self.finding
        return f"{self.file}:{found.line}: {found.message} ({found.rule}). Next step: {found.next_step}."


def lint_folder(folder: Path) -> Iterator[FileFinding]:
    """Findings of every ``.sql`` file under a folder."""
    for file in sorted(folder.rglob("*.sql")):
        for finding in lint_sql(rendered(file.read_text(encoding="utf-8"))):
            yield FileFinding(file, finding)


def rendered(template: str) -> str:
    """A Jinja template as plain SQL on the same lines: a variable becomes a name, a tag or comment becomes space."""
    without_tags = re.sub(
        r"\{[%#].*?[%#]\}", lambda tag: re.sub(r"[^\n]", " ", tag[0]), template, flags=re.DOTALL
    )
    return re.sub(r"\{\{(.*?)\}\}", lambda variable: _name(variable[1]), without_tags, flags=re.DOTALL)


def _name(expression: str) -> str:
    return "v_" + re.sub(r"\W+", "_", expression).strip("_").lower() + "\n" * expression.count("\n")
