"""A sync on a relation that dbt builds: made beside the old one, exchanged by name, the old one dropped.

The statements are those that dbt-redshift 1.9 sends for the materialisations `table` and `view` (`bind: false`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_cio.engine.run import run_sync

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)


def exchange(lab: Lab, kind: str, name: str, query: str, *, again: bool) -> None:
    """What one `dbt run` does to one model."""
    ((database,),) = lab.rows("SELECT current_database()")
    whole = f'"{database}"."analytics".'
    ending = " with no schema binding" if kind == "view" else ""
    physical = (
        ' diststyle key distkey ("customer_id") compound sortkey("customer_id")' if kind == "table" else ""
    )
    lab.run(f'create  {kind} {whole}"{name}__dbt_tmp"{physical} as (\n{query}\n){ending}')
    if again:
        lab.run(f'alter table {whole}"{name}" rename to "{name}__dbt_backup"')
    lab.run(f'alter table {whole}"{name}__dbt_tmp" rename to "{name}"')
    lab.run(f'drop {kind} if exists {whole}"{name}__dbt_backup" cascade')


def test_only_what_changed_is_sent_after_each_dbt_run(lab: Lab) -> None:
    lab.run("CREATE SCHEMA analytics")
    lab.customers(50)
    sync = lab.people(source="analytics.customer_state", attributes={"spent": "spent"})

    def dbt_run(*, again: bool) -> None:
        query = "select customer_id, spent from cio_marts.customers"
        exchange(lab, "table", "customers_by_dbt", query, again=again)
        view = "select * from analytics.customers_by_dbt"
        exchange(lab, "view", "customer_state", view, again=again)

    dbt_run(again=False)
    assert run_sync(lab.context(sync)).counts.added == 50
    dbt_run(again=True)
    assert run_sync(lab.context(sync, "run-2")).status == "nothing_to_send"
    lab.run("UPDATE cio_marts.customers SET spent = spent + 1 WHERE customer_id = 'c7'")
    dbt_run(again=True)
    report = run_sync(lab.context(sync, "run-3"))
    assert (report.status, report.counts.changed, report.accepted) == ("sent", 1, 1)
    assert lab.person("c7")["attributes"]["spent"] == 8.5
