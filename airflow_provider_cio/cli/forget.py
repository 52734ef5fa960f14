"""`airflow cio forget`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from airflow_provider_cio.cli.console import command, connected, say, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.cli.opened import render_staging
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.engine.forget import Person
from airflow_provider_cio.engine.forget import forget as forget_person
from airflow_provider_cio.engine.forget_lines import Log
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.hooks.audience import audience_context
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.receiver.settings import load_settings
from airflow_provider_cio.warehouse.objects import Bucket

RECEIVER = "receiver.yaml"
"""Beside the contract; where the receiver's log is."""
RUN_ID = "airflow cio forget"


@command
def forget(args: Namespace) -> None:
    """Read a `Person` as JSON from standard input, `{"id": ..., "email": ...}`, and print counts as JSON.

    From there, because arguments end in a shell's history and in process lists.

    :raises ContractError: standard input holds something else.
    """
    person = read_person(sys.stdin.read())
    folder = contract_folder(args.path)
    contract = load_contract(folder / "contract.yaml")
    with connected(), ExitStack() as stack:
        s3 = S3Hook(aws_conn_id=contract.connections.aws).get_conn()
        role = render_staging(contract.staging.iam_role)
        bucket = Bucket(s3, render_staging(contract.staging.s3), role)
        log = _receivers_log(folder / RECEIVER, s3, role)
        warehouse = stack.enter_context(closing(open_warehouse(contract.connections)))
        track = stack.enter_context(CustomerIOHook(contract.connections.customerio).track_client())
        audiences = [
            stack.enter_context(audience_context(file, run_id=RUN_ID, render=render_staging))
            for file in sorted((folder / "audiences").glob("*.yaml"))
        ]
        done = forget_person(person, warehouse, bucket, audiences, track, log)
    say(json.dumps(done.to_dict()))
    if done.being_written:
        tell(
            "The receiver still writes a file that was not searched: run this again when it is closed (`roll_after`)."
        )


def _receivers_log(file: Path, s3: Any, role: str) -> Log | None:
    """Looked at before anybody is removed anywhere.

    :raises ContractError: its bucket is not there, or not open to us.
    """
    if not file.is_file():
        return None
    receiver = load_settings(file)
    log = Log(receiver.folder, Bucket(s3, receiver.s3, role))
    try:
        log.bucket.check()
    except ContractError as error:
        raise ContractError(
            f"{file.name}: {error.message} Nobody was removed anywhere.",
            next_step=f"correct `s3` in {file}, or remove the file where no receiver runs",
        ) from None
    return log


def read_person(text: str) -> Person:
    """
    :raises ContractError: not a JSON object of texts with the keys of `Person`; what it holds is not repeated.
    """
    try:
        given = json.loads(text)
        return Person(**{name: None if value is None else str(value) for name, value in given.items()})
    except (ValueError, TypeError, AttributeError):
        raise ContractError(
            "Standard input is not a JSON object with id, email, phone or region.",
            next_step="""write: echo '{"id": "C1", "email": "..."}' | airflow cio forget""",
        ) from None
