"""`airflow cio lint`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

from airflow_provider_cio.cli.console import command, connected, say, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core import contract_rules
from airflow_provider_cio.core.audience.files import Lags, lint_audiences
from airflow_provider_cio.core.contract_files import load_contract


@command
def lint(args: Namespace) -> None:
    """Print each finding as `error: file:line: key: message Next step: ...`; status 1 when one is an error.

    Nothing is asked of any service, but with `--measured` Redshift for the lags of audiences.
    """
    folder = contract_folder(args.path)
    measured = _measured(folder) if args.measured else {}
    findings = contract_rules.lint(folder) + lint_audiences(folder, measured)
    for finding in findings:
        say(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    tell(f"{folder}: {errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise SystemExit(1)


def _measured(folder: Path) -> Lags:
    from airflow_provider_cio.engine.audience.standing import measured_lags
    from airflow_provider_cio.hooks.warehouse import open_warehouse

    contract = load_contract(folder / "contract.yaml")
    with connected(), closing(open_warehouse(contract.connections)) as warehouse:
        return measured_lags(warehouse)
