"""A run of a sync as OpenLineage sees it: the Redshift view it read, what it wrote in Customer.io, rows of both."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.core.contract import Contract, Sync
from airflow_provider_cio.core.report import RunReport
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.lookup import find_connection


def lineage_of(sync: Sync, contract: Contract, report: RunReport) -> Any:
    """Datasets of a committed run, as an `OperatorLineage`.

    Names follow OpenLineage's for Redshift (`redshift://host:port`, `database.schema.view`). What is written is
    `customerio://<region>`, `<workspace>.<people, or the event's name>`. A sync with a SQL file names no input.
    """
    # Only where Airflow has its OpenLineage provider is this called.
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import input_statistics_input_dataset as read_facets
    from openlineage.client.facet_v2 import output_statistics_output_dataset as written_facets

    read = read_facets.InputStatisticsInputDatasetFacet(rowCount=report.counts.source_rows)
    written = written_facets.OutputStatisticsOutputDatasetFacet(rowCount=report.accepted, size=report.bytes)
    inputs = []
    if sync.source is not None:
        redshift = find_connection(contract.connections.redshift)
        inputs.append(
            InputDataset(
                namespace=f"redshift://{redshift.host}:{redshift.port or 5439}",
                name=f"{redshift.schema}.{sync.source.lower()}",
                inputFacets={"inputStatistics": read},
            )
        )
    region = CustomerIOHook(contract.connections.customerio).settings.region
    output = OutputDataset(
        namespace=f"customerio://{region}",
        name=f"{contract.workspace}.{sync.event or sync.kind}",
        outputFacets={"outputStatistics": written},
    )
    return OperatorLineage(inputs=inputs, outputs=[output])
