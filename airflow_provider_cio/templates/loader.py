"""A folder of YAML files -> Dags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_parsing_context

from airflow_provider_cio.core.findings import Finding
from airflow_provider_cio.exceptions import ContractError, Mistake
from airflow_provider_cio.templates.audience import audience_dag, audience_dag_id
from airflow_provider_cio.templates.broken import BrokenSync
from airflow_provider_cio.templates.export import dag_id_of, sync_dag


def load_syncs(folder: str | Path, namespace: dict[str, Any]) -> None:
    """Put a Dag for each `*.yaml` of the folder into the namespace of a Dag file (its ``globals()``).

    The folder is called `syncs`, and `contract.yaml` lies beside it. A file with a mistake, its own or against
    the rules of `airflow cio lint`, becomes an import error of its own; the other syncs are not touched.

    A worker that starts a task loads the Dag of that task alone.
    """
    _load({dag_id_of(file.stem): file for file in _files(folder)}, sync_dag, _breaches, namespace)


def load_audiences(folder: str | Path, namespace: dict[str, Any]) -> None:
    """:func:`load_syncs` for audiences; the folder is called `audiences`."""
    files = {audience_dag_id(file.stem): file for file in _files(folder)}
    _load(files, audience_dag, _audience_breaches, namespace)


def _files(folder: str | Path) -> list[Path]:
    return sorted(Path(folder).glob("*.yaml"))


def _load(
    files: dict[str, Path],
    make: Callable[[Path], DAG],
    breaches_of: Callable[[Path], dict[str, list[Mistake]]],
    namespace: dict[str, Any],
) -> None:
    running = get_parsing_context().dag_id
    if running is not None:
        if running in files:
            namespace[running] = make(files[running])
        return
    breaches = breaches_of(next(iter(files.values())).parent.parent) if files else {}
    for dag_id, file in files.items():
        try:
            namespace[dag_id] = _checked(file, make, breaches.get(str(file), []))
        except ContractError as error:
            BrokenSync.report(dag_id, file, error, namespace)


def _breaches(folder: Path) -> dict[str, list[Mistake]]:
    from airflow_provider_cio.core.contract_rules import lint  # a worker lints nothing, and starts sooner

    return _by_file(lint(folder))


def _audience_breaches(folder: Path) -> dict[str, list[Mistake]]:
    from airflow_provider_cio.core.audience.files import lint_audiences

    return _by_file(lint_audiences(folder))


def _by_file(findings: Iterable[Finding]) -> dict[str, list[Mistake]]:
    found: dict[str, list[Mistake]] = defaultdict(list)
    for finding in findings:
        if finding.severity == "error":
            found[finding.file].append(
                Mistake(finding.file, finding.line, finding.key, finding.message, finding.next_step)
            )
    return found


def _checked(file: Path, make: Callable[[Path], DAG], breaches: list[Mistake]) -> DAG:
    """
    :raises ContractError: whatever is wrong with this file, be it found by lint or by Airflow.
    """
    if breaches:
        raise ContractError.at(*breaches)
    try:
        dag = make(file)
        dag.validate()  # type: ignore[no-untyped-call]
    except ContractError:
        raise
    except Exception as error:
        raise ContractError(
            f"{file}: Airflow cannot make a Dag of it ({type(error).__name__}: {error}).",
            next_step="correct what the message names, such as `cadence` or the notifier of `deadline`.",
        ) from error
    return dag
