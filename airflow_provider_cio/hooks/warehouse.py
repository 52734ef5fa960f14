"""Airflow connections -> the context that the engine's verbs work in."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redshift_connector
from airflow.configuration import conf
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from airflow_provider_cio.clients.track import Sender
from airflow_provider_cio.core.contract import Connections, Contract, Sync
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.lookup import find_connection
from airflow_provider_cio.warehouse.errors import unreachable
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

_DRIVER_OPTIONS = frozenset(inspect.signature(redshift_connector.connect).parameters)
_HOOK_OPTIONS = frozenset({"is_serverless", "serverless_work_group", "serverless_token_duration_seconds"})


@contextmanager
def sync_context(
    sync: Sync,
    contract: Contract,
    *,
    run_id: str,
    folder: Path,
    with_track: bool = True,
    with_app: bool = False,
    pool_slots: int = 1,
    share: float = 1.0,
    render: Callable[[str], str] = str,
) -> Iterator[SyncContext]:
    """Open what one sync needs, and close it at the end.

    :param run_id: of the Airflow run; the tasks of one run share the lease through it.
    :param folder: where the sync's YAML lies.
    :param with_track: False where nothing is sent: no Customer.io connection is needed then.
    :param with_app: True where something is read back; without an App API key the context has no `app`.
    :param pool_slots: of the task: its share of the rate of each API.
    :param share: of the connection's rate, for what must leave room for others.
    :param render: resolves Jinja in `staging`.
    :raises ContractError: a connection holds something impossible.
    """
    connections = contract.connections
    bucket = Bucket(
        S3Hook(aws_conn_id=connections.aws).get_conn(),
        render(contract.staging.s3),
        render(contract.staging.iam_role),
    )
    warehouse = open_warehouse(connections)
    hook = CustomerIOHook(connections.customerio)
    client = hook.pipelines_client if sync.transport == "pipelines" else hook.track_client
    track: Sender | None = client(pool_slots, share) if with_track else None
    reads = with_app or contract.email_changes == "by_cio_id"
    app = hook.app_client(pool_slots) if reads and hook.settings.app_api_key else None
    try:
        yield SyncContext(sync, contract, warehouse, bucket, run_id, track=track, app=app, folder=folder)
    finally:
        for opened in (warehouse, track, app):
            if opened is not None:
                opened.close()


def open_warehouse(connections: Connections) -> Warehouse:
    """Redshift, connected to when it is first asked; close it."""
    return Warehouse(
        lambda: connect_redshift(connections.redshift, connections.aws),
        schema=conf.get("customerio", "state_schema", fallback="cio_sync"),
    )


def connect_redshift(redshift_conn_id: str, aws_conn_id: str) -> Any:
    """One driver connection through Airflow's hook.

    :raises ContractError: the connection does not exist, or has an extra that the driver does not take; the
        driver itself would only raise a TypeError.
    :raises AuthenticationError: login, password or database are wrong.
    :raises WarehouseError: nothing answers, after the five attempts of the hook.
    """
    connection = find_connection(redshift_conn_id)
    unknown = connection.extra_dejson.keys() - _DRIVER_OPTIONS - _HOOK_OPTIONS
    if unknown:
        raise ContractError(
            f"Connection '{redshift_conn_id}' has extras that redshift_connector does not take: "
            f"{', '.join(sorted(unknown))}.",
            next_step="remove them; bucket and role belong to `staging` in dags/contract.yaml.",
        )
    try:
        return RedshiftSQLHook(redshift_conn_id=redshift_conn_id, aws_conn_id=aws_conn_id).get_conn()
    except Exception as error:
        told = unreachable(error)
        where = f"Connection '{redshift_conn_id}' to {connection.host}:{connection.port or 5439}"
        raise type(told)(f"{where}: {told.message}", next_step=told.next_step) from error
