"""Where the SQL files are that this package ships."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).resolve().parent.parent


def sql_folder() -> Path:
    """The `sql` folder: inside the installed wheel, or beside the package in the repository."""
    wheel = _PACKAGE / "_shipped" / "sql"
    return wheel if wheel.is_dir() else _PACKAGE.parent / "sql"


def render_sql(path: str, **names: str) -> str:
    """The file `path` under the `sql` folder, rendered; an unknown name in it is an error."""
    return _environment().get_template(path).render(**names)


@cache
def _environment() -> Environment:
    # Autoescape is for HTML; values are quoted by `statements.identifier` and `statements.literal`.
    return Environment(loader=FileSystemLoader(sql_folder()), undefined=StrictUndefined, autoescape=False)  # noqa: S701
