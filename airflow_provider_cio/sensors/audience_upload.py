"""Wait until the platforms have confirmed what they took, without holding a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator, Context, timezone

from airflow_provider_cio.exceptions import RejectedRowsError
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy


class AudienceUploadSensor(BaseOperator):
    """Ask for the pending requests of an audience until none is left; between two questions the task is deferred.

    Google tells after half an hour at the earliest, and keeps a status for 50 days. What failed is sent again by the
    next run of the audience.

    :param audience_file: the audience's YAML file (templated).
    :param contract_file: as of `AudienceSyncOperator` (templated).
    :param poke_interval: between two questions.
    :param timeout: after which the task fails; the ledger still waits.
    """

    template_fields: Sequence[str] = ("audience_file", "contract_file")
    ui_color = "#f3e9dc"

    def __init__(
        self,
        *,
        audience_file: str | Path,
        contract_file: str | Path | None = None,
        poke_interval: timedelta = timedelta(minutes=30),
        timeout: timedelta = timedelta(hours=48),
        **kwargs: Any,
    ) -> None:
        usual: dict[str, Any] = {
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_policy": retry_policy(),
        }
        of_dag = kwargs.get("default_args") or {}
        super().__init__(**{name: usual[name] for name in usual if name not in of_dag} | kwargs)
        self.audience_file = str(audience_file)
        self.contract_file = str(contract_file) if contract_file is not None else None
        self.poke_interval = poke_interval
        self.timeout = timeout

    def execute(self, context: Context, event: Any = None, until: str | None = None) -> int:  # noqa: ARG002
        """Ask once; defer while something is pending.

        :returns: 0, the requests that are pending.
        :raises RejectedRowsError: some are pending still after `timeout`.
        """
        end = datetime.fromisoformat(until) if until else timezone.utcnow() + self.timeout
        pending = self._ask(context)
        if pending:
            self._wait(pending, end)
        return pending

    def _wait(self, pending: int, end: datetime) -> None:
        if timezone.utcnow() >= end:
            raise RejectedRowsError(
                f"{pending} requests of the audience are not confirmed after {self.timeout}.",
                next_step="look at the platform's status page; the next run of the audience asks again.",
            )
        self.log.info("%d requests are pending", pending)
        self.defer(
            trigger=TimeDeltaTrigger(self.poke_interval),
            method_name="execute",
            kwargs={"until": end.isoformat()},
        )

    def _ask(self, context: Context) -> int:
        from airflow_provider_cio.engine.audience.run import raise_worst
        from airflow_provider_cio.engine.audience.settle import Errors, settle
        from airflow_provider_cio.hooks.audience import audience_context

        with audience_context(
            Path(self.audience_file),
            run_id=str(context["run_id"]),
            contract_file=Path(self.contract_file) if self.contract_file else None,
            render=lambda text: str(self.render_template(text, context)),
        ) as ctx:
            errors: Errors = {}
            pending = settle(ctx, errors)
        raise_worst(errors)
        return pending
