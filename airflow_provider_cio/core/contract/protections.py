"""What a sync does to be trusted: what it reads back, whom it tries first, what needs a person's yes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from airflow_provider_cio.core.contract.words import Model


class Reconcile(Model):
    """What is read back after each run. Customer.io's App API answers 10 requests a second."""

    sample: Annotated[int, Field(ge=0)] = Field(200, description="Rows compared with Customer.io; 0: none")
    requests: Annotated[int, Field(ge=1)] = Field(60, description="Most App API requests of one run")


Columns = Literal["additive", "strict"]
"""Whether new columns of the source are welcome, or any change of its columns stops the sync."""


class Window(Model):
    """Days, both included, in UTC."""

    since: date = Field(description="First day")
    until: date = Field(description="Last day")

    @model_validator(mode="after")
    def _forwards(self) -> Window:
        if self.until < self.since:
            raise ValueError("`until` lies before `since`")
        return self


class Backfill(Model):
    """History, and what keeps it from starting journeys."""

    window: Window | None = Field(None, description="Events: days that the Dag cio_backfill_NAME sends")
    event: str | None = Field(None, description="Events: another name for those of the window")
    rate_share: Annotated[
        float, Field(gt=0, le=1, description="Of the connection's rate, for a backfill")
    ] = 0.5
    live: Annotated[bool, Field(description="Events: send those of the last 72 hours too")] = False
    journeys_paused: Annotated[
        bool, Field(description="People: the journeys that a first sync could start are paused")
    ] = False
    opt_in_flag: str | None = Field(None, description="People: an attribute that segments ask for")
