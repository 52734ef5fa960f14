"""An Airflow connection by its id."""

from __future__ import annotations

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_cio.exceptions import ContractError


def find_connection(connection_id: str) -> Connection:
    """
    :raises ContractError: Airflow knows no such connection.
    """
    try:
        return BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise ContractError(
            f"There is no connection '{connection_id}'.",
            next_step="add it under Admin > Connections, or correct the id: `connections` in dags/contract.yaml.",
        ) from None
