"""The test cohort as a task, for the checks of a team's own Dags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, Context

from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.exceptions import ContractError, NotVerifiedError


class VerifyCohort(BaseOperator):
    """Send the `cohort` of a sync, and nobody else; fail when Customer.io does not hold what was sent.

    Returns how many comparisons were made. The log names what differs, by hashed identifier and field.

    :param sync_file: path of the sync's YAML file. (templated)
    :param contract_file: path of the contract; without it, the file above the folder of the syncs. (templated)
    :param wait: seconds in which Customer.io may still apply what it accepted.
    """

    template_fields: Sequence[str] = ("sync_file", "contract_file")

    def __init__(
        self,
        *,
        sync_file: str | Path,
        contract_file: str | Path | None = None,
        wait: float = 30.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sync_file = str(sync_file)
        self.contract_file = str(contract_file) if contract_file is not None else None
        self.wait = wait

    def execute(self, context: Context) -> int:
        """Send and compare.

        :raises NotVerifiedError: something differs.
        :raises ContractError: the sync has no cohort, or nothing can be read back.
        """
        from airflow_provider_cio.engine.verify import verify
        from airflow_provider_cio.hooks.warehouse import sync_context

        run_id = context["run_id"]
        if run_id is None:
            raise ContractError("The task runs outside a Dag run.", next_step="run it in a Dag.")
        file = Path(self.sync_file)
        contract = Path(self.contract_file) if self.contract_file else file.parent.parent / "contract.yaml"
        with sync_context(
            load_sync(file),
            load_contract(contract),
            run_id=f"{run_id} {self.task_id}",
            folder=file.parent,
            with_app=True,
            render=lambda text: str(self.render_template(text, context)),
        ) as ctx:
            lines = verify(ctx, wait=self.wait)
        different = [line for line in lines if not line.ok]
        for line in different:
            self.log.error("%s %s: not what was sent", line.who, line.what)
        if different:
            raise NotVerifiedError(
                f"{len(different)} of {len(lines)} comparisons of the cohort of '{file.stem}' differ.",
                next_step=f"`airflow cio verify {file.stem} --show-values` shows both sides.",
            )
        return len(lines)
