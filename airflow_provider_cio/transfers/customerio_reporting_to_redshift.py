"""What Customer.io did, brought into Redshift."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from airflow.configuration import conf
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import Asset, BaseOperator, Context

from airflow_provider_cio.core.contract import Connections
from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.core.streams import Source
from airflow_provider_cio.engine.reporting import run as reporting
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.exceptions import ContractError, RetriableError
from airflow_provider_cio.hooks.customerio import CustomerIOHook
from airflow_provider_cio.hooks.metrics import emit_stream
from airflow_provider_cio.hooks.snapshots import keep, of_reporting
from airflow_provider_cio.hooks.warehouse import open_warehouse
from airflow_provider_cio.transfers.policy import RETRIES, RETRY_DELAY, retry_policy
from airflow_provider_cio.triggers.exports import ExportsTrigger
from airflow_provider_cio.warehouse.objects import Bucket


def reporting_asset(source: str) -> Asset:
    """What a load by one route is announced as."""
    return Asset(name=f"reporting_{source}", uri=f"customerio://reporting/{source}", group="customerio")


class CustomerIOReportingToRedshift(BaseOperator):
    """Load streams of Customer.io's reporting into `cio_raw`, by one route.

    The task returns one report a stream (counts and field names only). It may be run any number of times: rows are
    merged by key, the newest wins. Days are read until they have settled; days that were missed are read by the next
    run. In a run of Airflow's backfill exactly the days of its data interval are read again.

    :param streams: names of streams, see the reference "Reporting streams" (templated).
    :param source: `app_api`, `export`, `data_out` or `webhooks`.
    :param staging: `s3://bucket/prefix` for Parquet on its way into Redshift (templated).
    :param iam_role: role by which Redshift reads there and in `files` (templated).
    :param first_day: the first day that is wanted, `2026-01-31` (templated).
    :param files: where Customer.io's data-out or the webhook receiver writes (templated).
    :param deferrable: wait for exports in the triggerer; ``[operators] default_deferrable`` by default.
    :param poll_seconds: how often exports are looked at.

    The task uses `pool_slots / app_rate_slots` (of the connection) of the App API's rate.
    """

    template_fields: Sequence[str] = ("streams", "staging", "iam_role", "first_day", "files")
    ui_color = "#e4ecf0"

    def __init__(
        self,
        *,
        streams: Sequence[str],
        source: Source,
        staging: str,
        iam_role: str,
        first_day: str,
        files: str | None = None,
        customerio_conn_id: str = "customerio_default",
        redshift_conn_id: str = "redshift_default",
        aws_conn_id: str = "aws_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_seconds: float = 30,
        **kwargs: Any,
    ) -> None:
        usual: dict[str, Any] = {
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_policy": retry_policy(),
            "outlets": [reporting_asset(source)],
        }
        of_dag = kwargs.get("default_args") or {}
        super().__init__(**{name: usual[name] for name in usual if name not in of_dag} | kwargs)
        self.streams = list(streams)
        self.source = source
        self.staging = staging
        self.iam_role = iam_role
        self.first_day = first_day
        self.files = files
        self.customerio_conn_id = customerio_conn_id
        self.redshift_conn_id = redshift_conn_id
        self.aws_conn_id = aws_conn_id
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Load, or ask for exports and wait.

        :raises FatalError: something must be corrected first; no retry is spent.
        :raises RetriableError: the next try goes on from here.
        """
        chosen = reporting.chosen(self.streams, self.source)
        with self._open(context) as ctx:
            exports = reporting.ask(ctx, chosen) if self.source == "export" else None
            if exports and self.deferrable:
                trigger = ExportsTrigger(self.customerio_conn_id, exports, self.poll_seconds)
                self.defer(trigger=trigger, method_name="load_exports")
            while exports and not all(ctx.app_client.export_is_done(each) for each in exports):
                time.sleep(self.poll_seconds)
            return self._told(context, ctx, reporting.run(ctx, chosen, exports))

    def load_exports(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Go on when all exports are finished.

        :raises RetriableError: one of them failed; the next try asks for new ones.
        """
        if event.get("error"):
            raise RetriableError(str(event["error"]))
        with self._open(context) as ctx:
            chosen = reporting.chosen(self.streams, self.source)
            return self._told(context, ctx, reporting.run(ctx, chosen, event["exports"]))

    def _told(self, context: Context, ctx: Reporting, reports: list[StreamReport]) -> list[dict[str, Any]]:
        asset = reporting_asset(self.source)
        if asset in [*self.inlets, *self.outlets]:
            keep(
                context,
                asset,
                ctx.warehouse,
                of_reporting(self.source, owner=self.owner, connections=self._connections),
            )
        told = [report.to_dict() for report in reports]
        for report in told:
            self.log.info("%s", report)
            emit_stream(report)
        return told

    @property
    def _connections(self) -> Connections:
        return Connections(
            redshift=self.redshift_conn_id, aws=self.aws_conn_id, customerio=self.customerio_conn_id
        )

    @contextmanager
    def _open(self, context: Context) -> Iterator[Reporting]:
        s3 = S3Hook(aws_conn_id=self.aws_conn_id).get_conn()
        warehouse = open_warehouse(self._connections)
        needs_app = self.source in {"app_api", "export"}
        app = CustomerIOHook(self.customerio_conn_id).app_client(self.pool_slots) if needs_app else None
        try:
            yield Reporting(
                source=self.source,
                warehouse=warehouse,
                bucket=Bucket(s3, self.staging, self.iam_role),
                run_id=str(context["run_id"]),
                first=_day(self.first_day),
                app=app,
                files=Bucket(s3, self.files, self.iam_role) if self.files else None,
                days=_backfilled(context),
            )
        finally:
            warehouse.close()
            if app is not None:
                app.close()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ContractError(
            f"first_day is '{text}', which is no day.", next_step="write it as 2026-01-31."
        ) from None


def _backfilled(context: Context) -> Days | None:
    """The days of a backfill's data interval; None in any other run."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if context["dag_run"].run_type != "backfill" or start is None or end is None:
        return None
    return Days(start.date(), max(start, end - timedelta(microseconds=1)).date())
