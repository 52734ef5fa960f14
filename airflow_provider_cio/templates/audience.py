"""A Dag per audience: sync, and where a platform confirms later, a wait for its word."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.audience.files import load_audience
from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.operators.audience_sync import AudienceSyncOperator
from airflow_provider_cio.sensors.audience_upload import AudienceUploadSensor
from airflow_provider_cio.templates.export import SCHEDULED_SINCE
from airflow_provider_cio.templates.watched import Watched
from airflow_provider_cio.transfers.redshift_to_customerio import contract_beside


def audience_dag_id(name: str) -> str:
    """The Dag of an audience."""
    return f"cio_audience_{name}"


def audience_dag(audience_file: str | Path) -> DAG:
    """The Dag of one audience file; its contract lies in the folder above.

    :raises ContractError: the file is wrong.
    """
    file = Path(audience_file)
    audience, contract = load_audience(file), load_contract(contract_beside(file))
    watched = Watched(audience, contract.connections, contract_beside(file).parent, kind="audience")
    waits = any(each.capabilities.confirmation == "request" for each in audience.destinations.values())
    with DAG(
        audience_dag_id(audience.name),
        description=audience.description,
        doc_md=describe(audience),
        schedule=audience.cadence,
        start_date=SCHEDULED_SINCE,
        catchup=False,
        max_active_runs=1,
        tags={"customerio", "audience", audience.purpose},
        default_args={"owner": audience.owner, **watched.every_task},
        deadline=watched.deadline,
    ) as dag:
        sync = AudienceSyncOperator(
            task_id="sync", audience_file=file, **({} if waits else watched.last_task)
        )
        if waits:
            sync >> AudienceUploadSensor(
                task_id="confirm", audience_file=file, inlets=[*sync.outlets], **watched.last_task
            )
    return dag


def describe(audience: Audience) -> str:
    """Markdown: who is in it, who never is, where it goes, whose it is."""
    window = ""
    if audience.member_for:
        window = (
            f", from {audience.from_age or '0:00:00'} to {audience.member_for} after `{audience.entered_at}`"
        )
    lines = [
        audience.description,
        "",
        f"- **Owner**: {audience.owner}",
        f"- **Purpose**: {audience.purpose}, definition {audience.version}",
        f"- **Members**: `{audience.source or audience.sql or f'segment {audience.segment}'}`{window}",
        f"- **Never**: {', '.join(audience.excluded_by) or 'nobody is excluded'}",
    ]
    if audience.holdout:
        lines.append(f"- **Held out**: {audience.holdout.percent:g} % for {audience.holdout.experiment}")
    lines += ["", "| destination | type | audience | identifiers |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {each.type} | {each.audience} | {', '.join(audience.kinds_of(each))} |"
        for name, each in audience.destinations.items()
    ]
    return "\n".join(lines)
