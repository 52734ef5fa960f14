"""A sync of the Dags folder, with its connections open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.execution_time.context import VariableAccessor
from jinja2 import Environment, StrictUndefined, TemplateError

from airflow_provider_cio.cli.console import connected
from airflow_provider_cio.cli.folders import sync_file
from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.hooks.warehouse import sync_context


@contextmanager
def opened(name_or_path: str, *, run_id: str, sending: bool = False) -> Iterator[SyncContext]:
    """The context that a command works in. Only a command that is `sending` goes to S3 and Customer.io.

    :raises ContractError: there is no such sync, or `staging` is a template that only a task can render.
    """
    path = sync_file(name_or_path)
    sync, contract = load_sync(path), load_contract(path.parent.parent / "contract.yaml")
    with (
        connected(),
        sync_context(
            sync,
            contract,
            run_id=run_id,
            folder=path.parent,
            with_track=sending,
            with_app=sending,
            render=render_staging if sending else _unused,
        ) as ctx,
    ):
        yield ctx


def _unused(text: str) -> str:
    """`staging` needs no answer where nothing goes to S3."""
    return text if "{{" not in text else "s3://not-used"


def render_staging(text: str) -> str:
    """Jinja with Airflow's variables, which is all that a command knows of a task's context."""
    if "{{" not in text:
        return text
    known = {
        "value": VariableAccessor(deserialize_json=False),
        "json": VariableAccessor(deserialize_json=True),
    }
    try:
        return Environment(undefined=StrictUndefined, autoescape=False).from_string(text).render(var=known)  # noqa: S701 - no HTML
    except TemplateError as error:
        raise ContractError(
            f"`staging` in contract.yaml cannot be rendered outside a task: {error}.",
            next_step="use nothing but `var.value` and `var.json` in it.",
        ) from error
