"""What a run is asked for in Airflow's Trigger form: a dry run, the cohort alone, some days of a window."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow.sdk import Param

from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.exceptions import ContractError

DRY_RUN, COHORT, SINCE, UNTIL = "dry_run", "cohort", "since", "until"


def sync_params(sync: Sync) -> dict[str, Param]:
    """Of a sync's Dag."""
    params = {
        DRY_RUN: Param(
            default=False,
            type="boolean",
            title="Dry run",
            description="Plan, measure the guards and log both; nothing is kept, and nothing is sent",
        )
    }
    if sync.kind in {"people", "events"}:
        params[COHORT] = Param(
            default=False,
            type="boolean",
            title="Cohort only",
            description=f"Send the rows of `cohort` in {sync.name}.yaml, changed or not, and of nobody else",
        )
    return params


def backfill_params(sync: Sync) -> dict[str, Param]:
    """Of the Dag of a sync's history."""

    def bound(which: str) -> Param:
        return Param(
            default=None,
            type=["null", "string"],
            format="date",
            description=f"{which} day to send, in UTC; of `backfill.window` in {sync.name}.yaml if left out",
        )

    dry_run = sync_params(sync)[DRY_RUN]
    return {DRY_RUN: dry_run, SINCE: bound("First"), UNTIL: bound("Last")}


def flag(context: Any, name: str) -> bool:
    """Whether a run is asked for `name`.

    :raises ContractError: the run is asked for something that its Dag does not know, or not by true or false.
    """
    value = _asked(context).get(name, False)
    if not isinstance(value, bool):
        raise ContractError(
            f"params.{name}: it is neither true nor false.", next_step=_again(f'{{"{name}": true}}')
        )
    return value


def day(context: Any, name: str) -> date | None:
    """The day that a run is asked for; None: it is left out.

    :raises ContractError: the run is asked for something that its Dag does not know, or it is no day.
    """
    value = _asked(context).get(name)
    try:
        return None if value is None else date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"params.{name}: it is no day.", next_step=_again(f'{{"{name}": "2024-01-31"}}')
        ) from error


def _asked(context: Any) -> Mapping[str, Any]:
    """The parameters of a run. In a Dag of ours, a word that is not known could be a dry run misspelt."""
    params: Mapping[str, Any] = context["params"]
    known = context["dag"].params
    if DRY_RUN not in known:
        return params
    for name, value in (context["dag_run"].conf or {}).items():
        if name not in known:
            raise ContractError(
                f"params.{name}: this Dag does not know it.", next_step=_again(f"one of {', '.join(known)}")
            )
        if params.get(name) != value:
            raise ContractError(
                f"params.{name}: Airflow does not hand it on.",
                next_step="set `[core] dag_run_conf_overrides_params = True`, then trigger the Dag again.",
            )
    return params


def _again(words: str) -> str:
    return f"trigger the Dag again with {words}."
