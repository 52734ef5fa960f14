"""`dags/contract.yaml`: identity, taxonomy, attribute ownership, and where things are."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from airflow_provider_cio.core.contract.words import Canonical, Duration, Model, Name, ValueType


class Attribute(Model):
    """A person attribute: exactly one sync writes it."""

    type: ValueType = Field(description="Its type everywhere")
    writer: Name = Field(description="The one sync that writes it")
    description: str = Field(description="What it means")


class EventProperty(Model):
    """A property of an event, by its snake_case name."""

    type: ValueType = Field(description="Its type in every sync")
    required: bool = Field(default=False, description="Whether a sync must map it")
    description: str = Field("", description="What it means")


class Event(Model):
    """An entry of the event taxonomy."""

    description: str = Field(description="What happened")
    version: Annotated[int, Field(ge=1)] = Field(1, description="Of its meaning")
    properties: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], EventProperty] = Field(
        {}, description="snake_case name -> property"
    )


class Connections(Model):
    """Airflow connection ids."""

    redshift: str = Field("redshift_default", description="Of type redshift")
    aws: str = Field("aws_default", description="Of type aws, for S3")
    customerio: str = Field("customerio_default", description="Of type customerio")


class Staging(Model):
    """Where UNLOAD and COPY meet. Both fields are templated by Airflow."""

    s3: Annotated[str, Field(pattern=r"^(s3://[^/]+/?.*|\{\{.*\}\}.*)$", description="Bucket and folder")]
    iam_role: str = Field(description="The role Redshift uses there, or default")


class Contract(Model):
    """`dags/contract.yaml`: identity, taxonomy, attribute ownership, and where things are."""

    workspace: str = Field(description="Name of the Customer.io workspace; part of every event id")
    identity: Canonical = Field("id", description="The canonical identifier of a person")
    unique_emails: bool = Field(
        default=True, description="Whether emails identify people too, so that no two may share one"
    )
    email_changes: Literal["by_id", "by_cio_id"] = Field(
        "by_id",
        description="How a person's new email is sent: by id, where the workspace allows updates of emails by id; else "
        "by cio_id, which is looked up",
    )
    dedupe_horizon: Duration = Field(
        timedelta(hours=24),
        description="How long Customer.io is trusted to drop a repeated event id; later, undecided events are not sent",
    )
    source_schemas: list[str] = Field(["cio_marts"], description="Schemas whose views may be sources")
    connections: Connections = Field(Connections(), description="Airflow connection ids")
    staging: Staging = Field(description="Where UNLOAD and COPY meet")
    send_pool: str = Field(
        "default_pool",
        description="Airflow pool of the tasks that send, with as many slots as `rate_slots` says",
    )
    attributes: dict[str, Attribute] = Field({}, description="Person attribute -> who writes it")
    events: dict[Annotated[str, Field(pattern=r"^[A-Z0-9]\S*( [A-Z0-9]\S*)*$")], Event] = Field(
        {}, description="Event in Title Case -> its entry in the taxonomy"
    )
