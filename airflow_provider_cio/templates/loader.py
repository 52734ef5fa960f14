"""A folder of YAML files -> Dags."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_parsing_context

from airflow_provider_cio.core.audience.files import lint_audiences, load_audience
from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.core.findings import Finding
from airflow_provider_cio.exceptions import ContractError, Mistake
from airflow_provider_cio.templates.audience import audience_dag, audience_dag_id
from airflow_provider_cio.templates.backfill import backfill_dag, backfill_id_of
from airflow_provider_cio.templates.broken import BrokenSync
from airflow_provider_cio.templates.export import dag_id_of, sync_dag
from airflow_provider_cio.templates.reporting import reporting_dag, reporting_dag_id
from airflow_provider_cio.transfers.redshift_to_customerio import contract_beside


def load_syncs(folder: str | Path, namespace: dict[str, Any]) -> None:
    """Put a Dag for each `*.yaml` of the folder into the namespace of a Dag file (its ``globals()``).

    The folder is called `syncs`, and `contract.yaml` lies beside it. A file with a mistake, its own or against
    the rules of `airflow cio lint`, becomes an import error of its own; the other syncs are not touched.

    A worker that starts a task loads the Dag of that task alone.
    """
    files = {dag_id_of(file.stem): file for file in sorted(Path(folder).glob("*.yaml"))}
    running = get_parsing_context().dag_id
    if running is not None:
        if running in files:
            namespace[running] = sync_dag(files[running])
        for file in files.values():
            if running == backfill_id_of(file.stem):
                namespace[running] = backfill_of(file)
        return
    breaches = _breaches(Path(folder).parent)
    for dag_id, file in files.items():
        try:
            namespace[dag_id] = _checked(file, sync_dag, breaches[str(file)])
            if (history := backfill_of(file)) is not None:
                namespace[history.dag_id] = history
        except ContractError as error:
            BrokenSync.report(dag_id, file, error, namespace)


def load_audiences(folder: str | Path, namespace: dict[str, Any]) -> None:
    """:func:`load_syncs` for audiences; the folder is called `audiences`.

    An audience without destinations, which others only use, has no Dag.
    """
    files = {audience_dag_id(file.stem): file for file in sorted(Path(folder).glob("*.yaml"))}
    running = get_parsing_context().dag_id
    if running is not None:
        if running in files:
            namespace[running] = audience_dag(files[running])
        return
    breaches = _by_file(lint_audiences(Path(folder).parent))
    for dag_id, file in files.items():
        try:
            if breaches[str(file)] or load_audience(file).destinations:
                namespace[dag_id] = _checked(file, audience_dag, breaches[str(file)])
        except ContractError as error:
            BrokenSync.report(dag_id, file, error, namespace)


def load_reports(folder: str | Path, namespace: dict[str, Any]) -> None:
    """:func:`load_syncs` for files that bring reporting back; the folder is called `reporting`."""
    files = {reporting_dag_id(file.stem): file for file in sorted(Path(folder).glob("*.yaml"))}
    running = get_parsing_context().dag_id
    if running is not None:
        if running in files:
            namespace[running] = reporting_dag(files[running])
        return
    for dag_id, file in files.items():
        try:
            namespace[dag_id] = _checked(file, reporting_dag, [])
        except ContractError as error:
            BrokenSync.report(dag_id, file, error, namespace)


def backfill_of(file: Path) -> DAG | None:
    """The Dag of a sync's history, if it names a window."""
    sync = load_sync(file)
    if sync.backfill.window is None:
        return None
    return backfill_dag(sync, load_contract(contract_beside(file)), folder=file.parent)


def _breaches(folder: Path) -> dict[str, list[Mistake]]:
    from airflow_provider_cio.core.contract_rules import lint  # a worker lints nothing, and starts sooner

    return _by_file(lint(folder))


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
