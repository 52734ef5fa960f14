"""All checks as one task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
from airflow.providers.common.sql.operators.sql import BaseSQLOperator, SQLCheckResult
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Context

from airflow_provider_cio.core.audience.files import load_audience
from airflow_provider_cio.core.contract import Contract, Notify, Sync
from airflow_provider_cio.core.contract_files import load_contract, load_sync
from airflow_provider_cio.core.watch.alerting import Message, Observation
from airflow_provider_cio.core.watch.metrics import Subject
from airflow_provider_cio.core.watch.monitoring_file import DeadMan, load_monitoring
from airflow_provider_cio.exceptions import ContractError, CustomerIOProviderError
from airflow_provider_cio.hooks.alerts import Desk
from airflow_provider_cio.hooks.snapshots import keep_alerts, monitoring_asset

NEWEST_EVENTS = 300


class CustomerIOMonitorOperator(BaseSQLOperator):
    """Judge every sync, audience and stream by what Redshift holds; move alerts, tell owners, ping the dead man.

    The task is green whatever it finds: alerts have a state and an owner. It returns how many subjects got which
    verdict, and leaves the open alerts for the page in the state store of its outlet. The results are `check_results`
    as of the common-sql operators, so OpenLineage gets them as tests of the run.

    :param monitoring_file: `monitoring.yaml`; `contract.yaml`, `syncs` and `audiences` lie beside it (templated).
    """

    template_fields: Sequence[str] = ("monitoring_file",)
    ui_color = "#f4e8d8"

    def __init__(self, *, monitoring_file: str | Path, **kwargs: Any) -> None:
        super().__init__(**{"outlets": [monitoring_asset()]} | kwargs)
        self.monitoring_file = str(monitoring_file)

    def get_db_hook(self) -> RedshiftSQLHook:
        """The warehouse of the contract."""
        connections = load_contract(Path(self.monitoring_file).parent / "contract.yaml").connections
        return RedshiftSQLHook(redshift_conn_id=connections.redshift, aws_conn_id=connections.aws)

    def execute(self, context: Context) -> dict[str, int]:
        """Judge and tell.

        :raises ContractError: a file is wrong.
        :raises WarehouseError: Redshift cannot be reached; no ping is sent then.
        """
        from airflow_provider_cio.engine.watch.monitor import Monitor
        from airflow_provider_cio.hooks.warehouse import open_warehouse
        from airflow_provider_cio.warehouse.state import ensure_tables

        folder = Path(self.monitoring_file).parent
        monitoring, contract = (
            load_monitoring(Path(self.monitoring_file)),
            load_contract(folder / "contract.yaml"),
        )
        expected, own = _expected(folder)
        desk = Desk.of(contract.connections, monitoring)
        with closing(open_warehouse(contract.connections)) as warehouse:
            ensure_tables(warehouse)
            monitor = Monitor(
                warehouse,
                monitoring,
                tuple(expected),
                datetime.now(UTC),
                self._events(contract),
                frozenset(contract.events),
            )
            seen = monitor.observe()

            def channels(message: Message) -> Sequence[Notify]:
                first = message.alerts[0]
                notify = own.get(first.subject) if first.check == "deadline" else None
                return [notify] if notify else monitoring.channels

            told = desk.deliver(warehouse, channels=channels)
            if monitoring_asset() in [*self.inlets, *self.outlets]:
                keep_alerts(context, warehouse)
        self.check_results = [_result(each) for each in seen]
        for each in seen:
            if each.verdict in {"warning", "critical"}:
                self.log.warning("%s %s: %s", each.verdict.upper(), each.alert, each.message)
        self.log.info("Told: %s", told or "nobody")
        if monitoring.dead_man:
            _ping(monitoring.dead_man)
        return dict(Counter(each.verdict for each in seen))

    def _events(self, contract: Contract) -> frozenset[str] | None:
        """Names among the workspace's newest events; None: without an App API key, or a taxonomy."""
        from airflow_provider_cio.hooks.customerio import CustomerIOHook

        if not contract.events:
            return None
        try:
            hook = CustomerIOHook(contract.connections.customerio)
            if not hook.settings.app_api_key:
                return None
            with hook.app_client() as app:
                newest = islice(app.activities("event"), NEWEST_EVENTS)
                return frozenset(str(each["name"]) for each in newest if each.get("name"))
        except CustomerIOProviderError as error:
            self.log.warning("The names of events are not checked: %s", error)
            return None


def _expected(folder: Path) -> tuple[list[Any], dict[Subject, Notify]]:
    """What should run, and the channels that deadlines name. A file with a mistake is an import error of its own."""
    from airflow_provider_cio.engine.watch.monitor import Expected

    syncs: dict[str, Sync] = {}
    found: list[Expected] = []
    own: dict[Subject, Notify] = {}
    for file in sorted((folder / "syncs").glob("*.yaml")):
        try:
            syncs[file.stem] = load_sync(file)
        except ContractError:
            found.append(Expected(Subject("sync", file.stem), "", None))
    for name, sync in syncs.items():
        leader = syncs.get(sync.after or "", sync)
        found.append(Expected(Subject("sync", name), sync.owner, leader.cadence))
        if sync.deadline and sync.deadline.notify:
            own[Subject("sync", name)] = sync.deadline.notify
    for file in sorted((folder / "audiences").glob("*.yaml")):
        try:
            audience = load_audience(file)
        except ContractError:
            continue
        if audience.destinations:
            subject = Subject("audience", audience.name)
            found.append(Expected(subject, audience.owner, audience.cadence))
            if audience.deadline and audience.deadline.notify:
                own[subject] = audience.deadline.notify
    return found, own


def _result(seen: Observation) -> SQLCheckResult:
    limits = ["" if limit is None else f"{limit:g}" for limit in (seen.low, seen.high)]
    return SQLCheckResult(
        name=seen.alert,
        check_type=seen.check,
        success=seen.verdict == "ok",
        severity={"critical": "error", "warning": "warn"}.get(seen.verdict, "info"),
        expected=f"[{limits[0]}, {limits[1]}]",
        actual=None if seen.value is None else f"{seen.value:g}",
        description=seen.message,
    )


def _ping(dead_man: DeadMan) -> None:
    HttpHook(method=dead_man.method, http_conn_id=dead_man.http_conn_id).run(
        dead_man.endpoint, extra_options={"timeout": 10}
    )
