"""`airflow cio lint`."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_cio.cli.console import command, say, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core import contract_rules
from airflow_provider_cio.core.audience.files import lint_audiences


@command
def lint(args: Namespace) -> None:
    """Print each finding as `error: file:line: key: message Next step: ...`; status 1 when one is an error."""
    folder = contract_folder(args.path)
    findings = contract_rules.lint(folder) + lint_audiences(folder)
    for finding in findings:
        say(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    tell(f"{folder}: {errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise SystemExit(1)
