"""What a sync does to be trusted: what it reads back, whom it tries first, what needs a person's yes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from airflow_provider_cio.core.contract.words import Model


class Reconcile(Model):
    """What is read back after each run. Customer.io's App API answers 10 requests a second."""

    sample: Annotated[int, Field(ge=0)] = Field(200, description="Rows compared with Customer.io; 0: none")
    requests: Annotated[int, Field(ge=1)] = Field(60, description="Most App API requests of one run")
