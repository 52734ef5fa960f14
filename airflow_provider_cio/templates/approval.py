"""The tasks between guards and unload where a person decides, on Airflow's page of required actions."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import task

from airflow_provider_cio.core.contract import Contract, Sync

APPROVE, REFUSE = "Approve", "Refuse"


def approval_tasks(
    sync: Sync, contract: Contract, plan_id: Any, open_context: Any, retrying: dict[str, Any]
) -> tuple[Any, Any]:
    """review -> approval -> apply; the first task, and the plan's id as `apply` lets it through."""

    @task(task_id="review", **retrying)
    def review_(plan_id: str) -> dict[str, Any]:
        """Say what the plan would do and cost, keep its digest, free the lease."""
        from airflow_provider_cio.engine.approval import ask
        from airflow_provider_cio.engine.review import as_markdown
        from airflow_provider_cio.hooks.customerio import requests_per_second

        with open_context() as ctx:
            shown = ask(ctx, plan_id, requests_per_second(contract.connections.customerio))
        return {**shown, "text": as_markdown(shown)}

    @task(task_id="apply", **retrying)
    def apply_(plan_id: str, answer: dict[str, Any]) -> str:
        """Let the plan go on, if it is still the one that was approved."""
        from airflow_provider_cio.engine.approval import settle

        user = answer.get("responded_by_user") or {}
        decided_by = str(user.get("name") or user.get("id") or "")
        approved = answer["chosen_options"] == [APPROVE]
        with open_context() as ctx:
            return settle(ctx, plan_id, "approved" if approved else "refused", decided_by)

    reviewed: Any = review_(plan_id)
    answer: Any = HITLOperator(
        task_id="approval",
        subject=f"Send to Customer.io? Sync {sync.name}",
        body=reviewed["text"],
        options=[APPROVE, REFUSE],
        response_timeout=sync.max_plan_age,
        retries=0,
    ).output
    return reviewed, apply_(plan_id, answer)
