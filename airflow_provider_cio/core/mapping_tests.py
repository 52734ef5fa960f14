"""The `tests:` of a sync: a given source row must render to the expected operation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Contract, FieldMapping, Sync
from airflow_provider_cio.core.contract_files import parse, parse_sync
from airflow_provider_cio.core.event_id import ulid
from airflow_provider_cio.core.findings import Finding, Folder, SyncFile
from airflow_provider_cio.core.identity import canonical
from airflow_provider_cio.core.operations import preview
from airflow_provider_cio.core.yaml_lines import read
from airflow_provider_cio.exceptions import SourceError

_SUPER = 4000


@dataclass(frozen=True)
class Case:
    """One mapping test of one sync, for pytest: ``@pytest.mark.parametrize("case", cases(DAGS), ids=str)``."""

    file: SyncFile
    number: int
    workspace: str

    def __str__(self) -> str:
        return f"{self.file.sync.name}-{self.number + 1}"

    def check(self) -> None:
        """
        :raises AssertionError: something else is rendered; file, line and both values are named.
        """
        found = list(_findings(self.file, self.number, self.workspace))
        if found:
            raise AssertionError("\n".join(map(str, found)))


def cases(folder: Path) -> list[Case]:
    """The mapping tests of all syncs of a folder that holds `contract.yaml` and `syncs`.

    :raises ContractError: a file cannot be loaded.
    """
    workspace = parse(read(folder / "contract.yaml"), Contract).workspace
    documents = [read(path) for path in sorted((folder / "syncs").glob("*.yaml"))]
    files = [SyncFile(document, parse_sync(document)) for document in documents]
    return [Case(file, number, workspace) for file in files for number in range(len(file.sync.tests))]


def mapping_tests_pass(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Each test of the sync, run through the renderer."""
    for number in range(len(file.sync.tests)):
        yield from _findings(file, number, folder.contract.workspace)


def _findings(file: SyncFile, number: int, workspace: str) -> Iterator[Finding]:
    test, at = file.sync.tests[number], ("tests", number)
    try:
        operation = operation_of(test.given, file.sync, workspace)
    except (ValueError, TypeError, pa.ArrowException, SourceError) as error:
        yield file.error((*at, "given"), f"cannot be rendered: {error}", "correct the row or the mapping")
        return
    for key, expected in test.expect.items():
        if operation.get(key) != expected:
            yield file.error(
                (*at, "expect", key),
                f"expected {_shown(expected)}, rendered {_shown(operation.get(key))}",
                "correct the mapping or the expectation",
            )


def operation_of(given: Mapping[str, Any], sync: Sync, workspace: str) -> dict[str, Any]:
    """The operation of one source row; the result of an expression is given under its field's name.

    :raises ValueError: a column that the sync does not read, or an `occurred_at` without a zone.
    """
    names = {key: column(key.partition(".")[2] or key, field) for key, field in sync.values.items()}
    read = {*names.values(), *sync.identity.values()}
    if sync.partner:
        read.add(sync.partner[2])
    if sync.kind == "events" and sync.key and sync.occurred_at:
        read |= {sync.key, column("occurred_at", sync.occurred_at)}
    unknown = sorted(given.keys() - read)
    if unknown:
        raise ValueError(
            f"the sync reads no column {', '.join(unknown)} (it reads {', '.join(sorted(read))})"
        )
    known = [(canonical(given.get(sync.identity[name]), name), name) for name in sync.identifiers]
    who, by = next((each for each in known if each[0] is not None), known[0])
    row: dict[str, pa.Array] = {
        "operation": pa.array(["upsert"]),
        "identifier": pa.array([who], pa.string()),
        "identified_by": pa.array([by], pa.string()),
    }
    if sync.partner:
        _, kind, partner = sync.partner
        row["partner"] = pa.array([canonical(given.get(partner), kind or "id")], pa.string())
    nested: list[Column] = []
    for position, (key, field) in enumerate(sync.values.items()):
        value = given.get(names[key])
        if isinstance(value, dict | list):
            nested.append(Column(f"f_{position}", _SUPER))
            value = json.dumps(value)
        row[f"f_{position}"] = pa.array([_moment(value) if field.type == "timestamp" else value])
    if sync.kind == "events" and sync.key and sync.occurred_at:
        moment = _utc(given.get(column("occurred_at", sync.occurred_at)), sync.occurred_at)
        milliseconds = int(moment.timestamp() * 1000)
        row["event_id"] = pa.array([ulid(workspace, sync.name, str(given.get(sync.key)), milliseconds)])
        row["occurred_at"] = pa.array([moment.replace(tzinfo=None)], pa.timestamp("us"))
    return preview(pa.table(row), sync, redact=False, columns=nested)[0]


def column(name: str, field: FieldMapping) -> str:
    """The column that a given row names: the field's own, or the field's name for an expression."""
    return field.column or name


def _moment(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _utc(value: Any, field: FieldMapping) -> datetime:
    moment = datetime.fromisoformat(value.isoformat() if isinstance(value, date) else str(value))
    if moment.tzinfo is None:
        if field.time_zone is None:
            raise ValueError("occurred_at has no time zone: write +00:00, or give the mapping a `time_zone`")
        moment = moment.replace(tzinfo=ZoneInfo(field.time_zone))
    return moment.astimezone(UTC)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
