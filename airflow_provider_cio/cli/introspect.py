"""`airflow cio introspect`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from airflow_provider_cio.cli.console import command, connected, say, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.core.models.proposal import propose
from airflow_provider_cio.engine.enrichment.sources import tables_of
from airflow_provider_cio.hooks.warehouse import open_warehouse


@command
def introspect(args: Namespace) -> None:
    """Print the part `sources` of models.yaml for the tables of a schema; nothing is written.

    :raises SourceError: there is no table in the schema, or none that may be read.
    """
    contract = load_contract(contract_folder(args.path) / "contract.yaml")
    with connected(), closing(open_warehouse(contract.connections)) as warehouse:
        tables = tables_of(warehouse, args.schema)
    say(propose(args.schema, tables))
    tell("A proposal by names and types: read it before you paste it into dags/models.yaml.")
