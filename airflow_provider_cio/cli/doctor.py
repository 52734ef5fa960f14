"""`airflow cio doctor`."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from airflow.cli.simple_table import AirflowConsole

from airflow_provider_cio.cli.console import command, connected, say, tell
from airflow_provider_cio.cli.examinations import Patient, examine
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core.contract_files import load_contract


@command
def doctor(args: Namespace) -> None:
    """Print what is well and what is wrong, each with its fix; status 1 when something is wrong."""
    folder = contract_folder(args.path)
    with connected():
        results = list(examine(Patient(folder, load_contract(folder / "contract.yaml"))))
    if args.output == "json":
        say(json.dumps([asdict(result) for result in results]))
    else:
        AirflowConsole().print_as_table(
            [
                {"": result.level, "what": result.what, "found": result.said, "fix": result.fix}
                for result in results
            ]
        )
    wrong = sum(result.level == "wrong" for result in results)
    if wrong:
        tell(f"{wrong} things are wrong.")
        raise SystemExit(1)
