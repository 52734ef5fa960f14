"""`dags/contract.yaml` and `dags/syncs/*.yaml` -> typed models; errors name file, line and key."""

from __future__ import annotations

import re
import types
import typing
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from airflow_provider_cio.core import exit_rules
from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.core.findings import SyncFile
from airflow_provider_cio.core.yaml_lines import Document, Location, dotted, read
from airflow_provider_cio.exceptions import ContractError, Mistake

M = TypeVar("M", bound=BaseModel)

_QUOTED = re.compile(r"'([^']*)'")


def load_contract(path: Path) -> Contract:
    """The contract, read once for each version of its file: every sync of a folder asks for it.

    :raises ContractError: one line for each mistake: 'dags/contract.yaml:12: events.Order Completed: ...'.
    """
    try:
        version = path.stat()
    except OSError:
        return parse(read(path), Contract)
    return _contract(path, version.st_mtime_ns, version.st_size)


@lru_cache(maxsize=8)
def _contract(path: Path, _changed: int, _size: int) -> Contract:
    return parse(read(path), Contract)


def load_sync(path: Path) -> Sync:
    """One sync. `name` may be left out; it is the file's name without .yaml, and must be that when given.

    A `sql:` file lies beside the YAML file; `Sync.sql` then holds its path, and :func:`read_sql` its text.
    What cannot be taken back and has no limit or no approval is not loaded at all, whoever asks.

    :raises ContractError: one line for each mistake: 'dags/syncs/people.yaml:12: attributes.email.type: ...'.
    """
    document = read(path)
    sync = parse_sync(document)
    breaches = [
        Mistake(each.file, each.line, each.key, each.message, each.next_step)
        for each in exit_rules.unguarded(SyncFile(document, sync))
    ]
    if breaches:
        raise ContractError.at(*breaches)
    return sync


def parse_sync(document: Document) -> Sync:
    """:func:`load_sync` of a document that was read before."""
    path = Path(document.file)
    sync = parse(document.named(), Sync)
    if sync.sql is None:
        return sync
    sql = path.parent / sync.sql
    if not sql.is_file():
        raise ContractError.at(
            document.mistake(
                ("sql",), f"there is no file {sql}", "correct the name; it is relative to the YAML file"
            )
        )
    return sync.model_copy(update={"sql": str(sql)})


def read_sql(sync: Sync) -> str:
    """The query of a sync with `sql:`, without a closing semicolon.

    :raises ContractError: the file has gone.
    """
    try:
        return Path(sync.sql or "").read_text(encoding="utf-8").strip().rstrip(";").rstrip()
    except OSError:
        raise ContractError(
            f"{sync.name}: the file {sync.sql} cannot be read.",
            next_step="bring it back beside the sync's YAML file",
        ) from None


def json_schema(which: Literal["contract", "sync"]) -> dict[str, Any]:
    """JSON Schema of a file, for editors. A sync's `name` is optional there: the file has one."""
    if which == "contract":
        return Contract.model_json_schema()
    schema = Sync.model_json_schema()
    schema["required"].remove("name")
    return schema


def parse(document: Document, model: type[M]) -> M:
    """Validate a document.

    :raises ContractError: one line for each mistake.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = {_explain(document, model, details) for details in error.errors(include_url=False)}
        raise ContractError.at(*sorted(found)) from None


def _explain(document: Document, model: type[BaseModel], error: ErrorDetails) -> Mistake:
    location = document.known(error["loc"])
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            location = (*location, error["loc"][-1])
            message = "this key is needed"
        case "extra_forbidden" if error["input"] is None and " " in str(location[-1]):
            message = "not a key: a text with a comma needs quotes"
        case "extra_forbidden":
            known = _keys(model, location[:-1])
            message = "unknown key" + (_closest(location[-1], known) or f"; known are {', '.join(known)}")
        case "literal_error":
            message = f"must be {context['expected']}" + _closest(
                error["input"], _QUOTED.findall(context["expected"])
            )
        case "string_pattern_mismatch":
            message = f"must match {context['pattern']}"
        case "value_error":
            message = str(context["error"])
        case "model_type" | "dict_type":
            message = "must hold `key: value` lines"
        case _:
            message = error["msg"][:1].lower() + error["msg"][1:]
    key = dotted(location) or dotted(tuple(error["loc"][:1]))
    return Mistake(document.file, document.line(location), key, message)


def _closest(given: object, known: list[str]) -> str:
    close = get_close_matches(str(given).lower(), known, n=1, cutoff=0.6)
    return f": did you mean `{close[0]}`?" if close else ""


def _keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that a model takes at a location of its document."""
    kind: Any = model
    for part in location:
        inner = _models(kind)
        fields = [m.model_fields[part].annotation for m in inner if part in m.model_fields]
        kind = fields[0] if fields else _item(kind)
    return sorted({name for m in _models(kind) for name in m.model_fields})


def _models(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    if get_origin(kind) in (typing.Union, types.UnionType, Annotated):
        return [model for part in get_args(kind) for model in _models(part)]
    return []


def _item(kind: Any) -> Any:
    """The type of a dict's values or a list's items."""
    arguments = get_args(kind)
    return arguments[-1] if get_origin(kind) in (dict, list) else arguments[0] if arguments else kind
