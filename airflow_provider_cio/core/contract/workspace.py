"""`dags/contract.yaml`: identity, taxonomy, attribute ownership, and where things are."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from airflow_provider_cio.core.contract.words import Duration, Identifier, Model, Name, ValueType


class Attribute(Model):
    """A person attribute: exactly one sync writes it."""

    type: ValueType
    writer: Name
    description: str


class EventProperty(Model):
    """A property of an event, by its snake_case name."""

    type: ValueType
    required: bool = False
    description: str = ""


class Event(Model):
    """An entry of the event taxonomy."""

    description: str
    version: Annotated[int, Field(ge=1)] = 1
    properties: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], EventProperty] = {}


class Connections(Model):
    """Airflow connection ids."""

    redshift: str = "redshift_default"
    aws: str = "aws_default"
    customerio: str = "customerio_default"


class Staging(Model):
    """Where UNLOAD and COPY meet. Both fields are templated by Airflow."""

    s3: Annotated[str, Field(pattern=r"^(s3://[^/]+/?.*|\{\{.*\}\}.*)$")]
    iam_role: str


class Contract(Model):
    """`dags/contract.yaml`: identity, taxonomy, attribute ownership, and where things are."""

    workspace: str = Field(description="Name of the Customer.io workspace; part of every event id")
    identity: Identifier = Field("id", description="The canonical identifier of a person")
    dedupe_horizon: Duration = Field(
        timedelta(hours=24),
        description="How long Customer.io is trusted to drop a repeated event id; later, undecided events are not sent",
    )
    source_schemas: list[str] = Field(["cio_marts"], description="Schemas whose views may be sources")
    connections: Connections = Connections()
    staging: Staging
    send_pool: str = Field(
        "default_pool",
        description="Airflow pool of the tasks that send, with as many slots as `rate_slots` says",
    )
    attributes: dict[str, Attribute] = {}
    events: dict[Annotated[str, Field(pattern=r"^[A-Z0-9]\S*( [A-Z0-9]\S*)*$")], Event] = {}
