"""Everything that the verbs of an audience need."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.destinations.base import Destination
from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.normalise import normaliser_version
from airflow_provider_cio.warehouse.audience.changes import Target
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse


class Leased(NamedTuple):
    """What a lease is taken for."""

    name: str


@dataclass(frozen=True)
class AudienceContext:
    """One audience in one run.

    :param contract: of the folder that the audience's file lies in.
    :param suppressions: the audiences that take members out of this one, by name.
    :param destinations: open clients by the names of the YAML; needed by what sends or asks.
    :param app: for an audience whose source is a Customer.io segment.
    :param stop: set by whoever is told to end the task: no further request starts.
    :param now: UTC; windows, renewals and the books go by it.
    """

    audience: Audience
    contract: Contract
    warehouse: Warehouse
    bucket: Bucket
    run_id: str
    suppressions: Mapping[str, Audience] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    app: AppClient | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    lease_seconds: int = 900
    grace_seconds: int = 60
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def schema(self) -> str:
        """Of the package's tables."""
        return self.warehouse.schema

    @property
    def sync(self) -> Leased:
        """Under which name the lease is held."""
        return Leased(f"audience:{self.audience.name}")

    @property
    def role(self) -> str:
        """The IAM role as UNLOAD and COPY write it."""
        role = self.bucket.iam_role
        return "default" if role == "default" else f"'{role}'"

    @cached_property
    def moment(self) -> str:
        """`now` as the SQL takes it."""
        return self.now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    def targets(self) -> list[Target]:
        """The destinations, as the diff needs them."""
        return [
            Target(
                name,
                settings.capabilities.batch,
                max(normaliser_version(of) for of, _ in settings.capabilities.fields.values()),
                self._renew_before(name),
            )
            for name, settings in self.audience.destinations.items()
        ]

    def _renew_before(self, name: str) -> str | None:
        """Half of a membership's time: what was added before is added again."""
        settings = self.audience.destinations[name]
        membership = settings.membership or settings.capabilities.membership
        if membership is None:
            return None
        return (self.now.astimezone(UTC) - membership / 2).strftime("%Y-%m-%d %H:%M:%S")
