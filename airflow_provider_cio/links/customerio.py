"""From a task in the Airflow UI to the workspace it wrote to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from airflow.sdk import BaseOperatorLink

from airflow_provider_cio.core.contract_files import load_contract
from airflow_provider_cio.exceptions import CustomerIOProviderError
from airflow_provider_cio.hooks.customerio import CustomerIOHook

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class HasContract(Protocol):
    """An operator that works by a contract."""

    @property
    def contract_path(self) -> Path:
        """Where the contract lies."""


class CustomerIOLink(BaseOperatorLink):
    """The people of the workspace; with a base URL, the page of that host (the sandbox has one).

    Airflow asks for the link in the worker, when the task ends, and keeps the answer.
    """

    name = "Customer.io"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the address; '' when the connection names no workspace, or does not exist."""
        try:
            contract = load_contract(cast("HasContract", operator).contract_path)
            return CustomerIOHook(contract.connections.customerio).web_url()
        except CustomerIOProviderError:
            return ""
