"""What a file in `dags/reporting` may say: which routes bring Customer.io's reporting back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from airflow_provider_cio.core.contract import Deadline, Model
from airflow_provider_cio.core.contract_files import parse
from airflow_provider_cio.core.streams import STREAMS, Source
from airflow_provider_cio.core.yaml_lines import read


class Route(Model):
    """One way by which streams come."""

    streams: list[str] = Field(min_length=1)
    files: str | None = Field(
        None, pattern="^s3://[^/]+", description="Where data-out or the receiver writes"
    )

    @field_validator("streams")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        unknown = [name for name in value if name not in STREAMS]
        if unknown:
            raise ValueError(f"there is no stream '{unknown[0]}'; there are {', '.join(STREAMS)}")
        return value


class Validation(Model):
    """One person whose way through everything is looked at after each run."""

    customer_id: str
    orders: str | None = Field(
        None, description="Relation with customer_id and ordered_at to join outcomes to"
    )


class ReportingFile(Model):
    """One file; `contract.yaml` in the folder above names connections, staging and pool."""

    name: str = Field(description="Under which its alerts go: the file's name without .yaml")
    owner: str = "data team"
    cadence: str = "10 * * * *"
    first_day: date
    pool_slots: int = Field(
        1, ge=1, description="Slots of a task in the contract's `send_pool`: its share of the App API's rate"
    )
    routes: dict[Source, Route] = Field(min_length=1)
    validate_person: Validation | None = None
    deadline: Deadline | None = None

    @model_validator(mode="after")
    def _fitting(self) -> ReportingFile:
        for source, route in self.routes.items():
            for name in route.streams:
                if source not in STREAMS[name].sources:
                    raise ValueError(f"the route {source} has no stream '{name}'")
            if (route.files is None) == (source in {"data_out", "webhooks"}):
                raise ValueError(
                    f"the route {source} {'needs' if route.files is None else 'takes no'} `files`"
                )
        return self


def load_reporting(path: Path) -> ReportingFile:
    """One file; `name` may be left out, and must be the file's when given.

    :raises ContractError: one line for each mistake: 'dags/reporting/messages.yaml:4: routes.app_api.streams: ...'.
    """
    return parse(read(path).named(), ReportingFile)
