"""Airflow connections -> the context that the verbs of an audience work in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from airflow_provider_cio.core.audience.files import load_audience, load_suppressions
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.destinations import open_destination
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.warehouse.objects import Bucket


@contextmanager
def audience_context(
    file: Path, *, run_id: str, contract_file: Path | None = None, render: Callable[[str], str] = str
) -> Iterator[AudienceContext]:
    """Open what one audience needs, and close it at the end.

    :param run_id: of the Airflow run: the holder of the lease.
    :param contract_file: `contract.yaml` in the folder above `audiences` without it.
    :param render: resolves Jinja in `staging`.
    :raises ContractError: a file or a connection holds something impossible.
    """
    audience = load_audience(file)
    contract = load_contract(contract_file or file.parent.parent / "contract.yaml")
    connections = contract.connections
    bucket = Bucket(
        S3Hook(aws_conn_id=connections.aws).get_conn(),
        render(contract.staging.s3),
        render(contract.staging.iam_role),
    )
    with ExitStack() as stack:
        warehouse = stack.enter_context(closing(open_warehouse(connections)))
        destinations = {
            name: stack.enter_context(closing(open_destination(settings, connections.customerio)))
            for name, settings in audience.destinations.items()
        }
        app = None
        if audience.segment is not None:
            app = stack.enter_context(closing(CustomerIOHook(connections.customerio).app_client()))
        yield AudienceContext(
            audience,
            contract,
            warehouse,
            bucket,
            run_id,
            suppressions=load_suppressions(audience, file.parent),
            destinations=destinations,
            app=app,
        )
