"""One sync in one task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, BaseOperator, Context

from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.links.customerio import CustomerIOLink
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy

if TYPE_CHECKING:
    from airflow_provider_cio.core.report import RunReport
    from airflow_provider_cio.engine.context import SyncContext


def contract_beside(sync_file: Path) -> Path:
    """The contract of a sync's file: `contract.yaml` in the folder above `syncs`."""
    return sync_file.parent.parent / "contract.yaml"


def sync_asset(name: str) -> Asset:
    """What a sync's success is announced as; event syncs wait for the asset of their people sync."""
    return Asset(name=f"customerio_{name}", uri=f"customerio://sync/{name}", group="customerio")


class RedshiftToCustomerIO(BaseOperator):
    """Send what changed in a Redshift model to Customer.io: the whole sync in one task.

    For small syncs. `templates.export.sync_dag` spreads the same verbs over tasks, one per shard.

    The task returns the run report (counts only) and puts it on the asset event of each of its outlets: the
    sync's own asset, unless others are given or the file's name is a template. Run again after a crash, it sends
    what has no outcome yet; killed, it lets the next run in after a minute.

    :param sync_file: the sync's YAML file (templated).
    :param contract_file: the contract; `contract.yaml` in the folder above the sync's by default (templated).
    """

    template_fields: Sequence[str] = ("sync_file", "contract_file")
    operator_extra_links = (CustomerIOLink(),)
    ui_color = "#e8f0e4"

    def __init__(
        self, *, sync_file: str | Path, contract_file: str | Path | None = None, **kwargs: Any
    ) -> None:
        usual: dict[str, Any] = {
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_policy": retry_policy(),
        }
        if "{{" not in str(sync_file):
            usual["outlets"] = [sync_asset(Path(sync_file).stem)]
        of_dag = kwargs.get("default_args") or {}
        super().__init__(**{name: usual[name] for name in usual if name not in of_dag} | kwargs)
        self.sync_file = str(sync_file)
        self.contract_file = str(contract_file) if contract_file is not None else None
        self._running: SyncContext | None = None
        self._report: RunReport | None = None

    @property
    def contract_path(self) -> Path:
        """Where the contract lies."""
        return Path(self.contract_file) if self.contract_file else contract_beside(Path(self.sync_file))

    def execute(self, context: Context) -> dict[str, Any]:
        """Run the sync.

        :raises FatalError: something must be corrected first; no retry is spent.
        :raises RetriableError: the next try goes on from here.
        """
        from airflow_provider_cio.engine.run import run_sync

        with self._open(context) as ctx:
            self._running = ctx
            try:
                report = run_sync(ctx, committed=self._committed).to_dict()
            finally:
                self._keep_snapshot(context, ctx)
        for outlet in self.outlets:
            if isinstance(outlet, Asset):
                context["outlet_events"][outlet].extra = report
        return report

    def _keep_snapshot(self, context: Context, ctx: SyncContext) -> None:
        from airflow_provider_cio.hooks.snapshots import keep, of_sync

        asset = sync_asset(ctx.sync.name)
        if asset in [*self.inlets, *self.outlets]:
            keep(context, asset, ctx.warehouse, of_sync(ctx.sync, ctx.contract))

    def _committed(self, report: RunReport) -> None:
        from airflow_provider_cio.hooks.metrics import emit

        self._report = report
        emit(report)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002
        """What Airflow's OpenLineage provider asks for when the task has ended, also when it failed."""
        from airflow_provider_cio.transfers.lineage import lineage_of

        if self._running is None or self._report is None:
            return None
        return lineage_of(self._running.sync, self._running.contract, self._report)

    get_openlineage_facets_on_failure = get_openlineage_facets_on_complete

    def on_kill(self) -> None:
        """Stop sending, cancel the SQL that runs, give the lease back."""
        from airflow_provider_cio.engine.stop import stop

        if self._running is not None:
            stop(self._running)

    @contextmanager
    def _open(self, context: Context) -> Iterator[SyncContext]:
        from airflow_provider_cio.hooks.warehouse import sync_context

        run_id = context["run_id"]
        if run_id is None:
            raise ContractError("The task runs outside a Dag run.", next_step="run it in a Dag.")
        file = Path(self.sync_file)

        def render(text: str) -> str:
            return str(self.render_template(text, context))

        with sync_context(
            load_sync(file),
            load_contract(self.contract_path),
            run_id=run_id,
            folder=file.parent,
            pool_slots=self.pool_slots,
            render=render,
        ) as ctx:
            yield ctx
