"""One audience in one task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, BaseOperator, Context

from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy

if TYPE_CHECKING:
    from airflow_provider_cio.engine.audience.context import AudienceContext


def audience_asset(name: str) -> Asset:
    """What an audience's success is announced as."""
    return Asset(name=f"audience_{name}", uri=f"customerio://audience/{name}", group="customerio")


class AudienceSyncOperator(BaseOperator):
    """Bring an audience to its destinations: who entered is added, who left is removed, and nobody else is touched.

    The task returns the report (counts only) and puts it on the asset event of its outlets. Run again after a crash,
    it sends again whatever may not have arrived. Where a platform confirms later, `AudienceUploadSensor` waits for
    it; the next run asks in any case.

    :param audience_file: the audience's YAML file (templated).
    :param contract_file: the contract; `contract.yaml` in the folder above the audience's by default (templated).
    """

    template_fields: Sequence[str] = ("audience_file", "contract_file")
    ui_color = "#f3e9dc"

    def __init__(
        self, *, audience_file: str | Path, contract_file: str | Path | None = None, **kwargs: Any
    ) -> None:
        usual: dict[str, Any] = {
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_policy": retry_policy(),
        }
        if "{{" not in str(audience_file):
            usual["outlets"] = [audience_asset(Path(audience_file).stem)]
        of_dag = kwargs.get("default_args") or {}
        super().__init__(**{name: usual[name] for name in usual if name not in of_dag} | kwargs)
        self.audience_file = str(audience_file)
        self.contract_file = str(contract_file) if contract_file is not None else None
        self._running: AudienceContext | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the audience.

        :raises FatalError: something must be corrected first; no retry is spent.
        :raises RetriableError: the next try goes on from here.
        """
        from airflow_provider_cio.engine.audience.run import run_audience
        from airflow_provider_cio.hooks.audience import audience_context
        from airflow_provider_cio.hooks.metrics import emit_audience

        with audience_context(
            Path(self.audience_file),
            run_id=run_id_of(context),
            contract_file=Path(self.contract_file) if self.contract_file else None,
            render=lambda text: str(self.render_template(text, context)),
        ) as ctx:
            self._running = ctx
            try:
                report = run_audience(ctx).to_dict()
            finally:
                self._keep_snapshot(context, ctx)
        emit_audience(report)
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = report
        return report

    def _keep_snapshot(self, context: Context, ctx: AudienceContext) -> None:
        from airflow_provider_cio.hooks.snapshots import keep, of_audience

        asset = audience_asset(ctx.audience.name)
        if asset in [*self.inlets, *self.outlets]:
            keep(context, asset, ctx.warehouse, of_audience(ctx.audience, ctx.contract))

    def on_kill(self) -> None:
        """Start no further request; what was under way is written down."""
        if self._running is not None:
            self._running.stop.set()


def run_id_of(context: Context) -> str:
    """
    :raises ContractError: the task runs outside a Dag run.
    """
    run_id = context["run_id"]
    if run_id is None:
        raise ContractError("The task runs outside a Dag run.", next_step="run it in a Dag.")
    return run_id
