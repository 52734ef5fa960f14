"""What a receiver's YAML file may say. Secrets are named by their environment variable, never written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import AfterValidator, Field

from airflow_provider_cio.core.contract import Duration, Model
from airflow_provider_cio.core.contract_files import parse
from airflow_provider_cio.core.yaml_lines import read
from airflow_provider_cio.exceptions import ContractError

SHORTEST_MAX_AGE = timedelta(days=8)
"""Customer.io repeats a webhook for 7 days, with the timestamp of its first try."""


def _json_schema(value: dict[str, Any]) -> dict[str, Any]:
    try:
        Draft202012Validator.check_schema(value)
    except SchemaError as error:
        wrong = f"not a JSON Schema: {error.message}"
        raise ValueError(wrong) from None
    return value


def _long_enough(value: timedelta) -> timedelta:
    if value < SHORTEST_MAX_AGE:
        raise ValueError("a webhook may be repeated for 7 days: give at least 8d, or leave it out")
    return value


class RudderStack(Model):
    """A RudderStack source that gets each event as a track call, named as RudderStack names them."""

    data_plane: str = Field(pattern="^https?://", description="URL of the data plane")
    write_key: str = Field(description="Environment variable that holds the source's write key")


class Reporting(Model):
    """Customer.io's reporting webhooks, at `/reporting`."""

    signing_key: str = Field(description="Environment variable that holds the webhook's signing key")
    max_age: Annotated[Duration, AfterValidator(_long_enough)] | None = Field(
        None, description="Refuse signatures older than this"
    )
    rudderstack: RudderStack | None = None


class Workflow(Model):
    """A webhook action of a campaign with a payload of one's own, at `/workflow/NAME`."""

    secret: str = Field(description="Environment variable with the token: `Authorization: Bearer <token>`")
    payload: Annotated[dict[str, Any], AfterValidator(_json_schema)] = Field(
        default_factory=dict, description="JSON Schema of the body"
    )
    id: str | None = Field(
        None, description="Member of the body that tells repeats apart; without it none is"
    )
    forward: str | None = Field(
        None, pattern="^https?://", description="URL that gets every stored body too, at least once"
    )


class Settings(Model):
    """One receiver."""

    folder: Path = Field(description="Where the write-ahead files are: a disk that outlives the process")
    s3: str = Field(pattern="^s3://[^/]+", description="Where they go: s3://bucket/prefix")
    roll_after: Duration = timedelta(seconds=60)
    roll_megabytes: int = Field(64, ge=1, le=1000)
    backlog_megabytes: int = Field(10_000, ge=1, description="Above this on disk, 503 instead of a full disk")
    body_kilobytes: int = Field(1024, ge=1, le=4000, description="Largest body; a COPY takes 4 MB a row")
    reporting: Reporting | None = None
    workflows: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")], Workflow] = Field(
        default_factory=dict
    )


def load_settings(path: Path) -> Settings:
    """
    :raises ContractError: one line for each mistake: 'receiver.yaml:4: reporting.max_age: ...'.
    """
    return parse(read(path), Settings)


def secret(variable: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """
    :raises ContractError: the variable is not set; without its secret a route would be open to everybody.
    """
    value = environment.get(variable, "")
    if not value:
        raise ContractError(
            f"The environment variable {variable} is empty.",
            next_step="set it to the secret, as the receiver's YAML file says.",
        )
    return value.encode()
