"""`airflow cio init-db`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from airflow_provider_cio.cli.console import command, connected, tell
from airflow_provider_cio.cli.folders import contract_folder
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.warehouse.state import ensure_tables


@command
def init_db(args: Namespace) -> None:
    """Create the schema and the tables that all syncs share, where they are missing."""
    contract = load_contract(contract_folder(args.path) / "contract.yaml")
    with connected(), closing(open_warehouse(contract.connections)) as warehouse:
        ensure_tables(warehouse)
    tell(f"The tables are in schema {warehouse.schema}.")
